"""`make bench-decoder TEXT=PATH`: our decoder beside its peers on the same inputs, CPU time, ratios, goals.

Prints one table and, with --json, writes every figure. Times on a shared machine mean little; ratios within one
run are what counts. Peers live in environments of their own (benchmarks/peers.sh).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.decoder.checks import search_errors, side_measures
from benchmarks.decoder.inputs import InputRequest, Inputs, prepare
from benchmarks.decoder.measure import Engines, PeerError, Plan, Timing, interleave
from benchmarks.decoder.network import network_task
from benchmarks.decoder.rows import ALONE, ROWS, WER_MARGIN, Row, Setting
from scoring.wer import count_errors

ROOT = Path(__file__).resolve().parents[2]
_SLOW_UTTERANCES = 60


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 done (whatever the goals say), 1 a decoder failed, 2 unusable input."""
    options = _parser().parse_args(arguments)
    try:
        inputs = prepare(
            InputRequest(options.text, options.seed, options.utterances, options.many), ROOT / "build"
        )
    except (OSError, ValueError) as error:
        print(f"bench-decoder: {error}", file=sys.stderr)
        return 2
    report: dict[str, Any] = {}
    try:
        with Engines(ROOT) as engines:
            for report in _run(engines, inputs, options):  # what is there stays if a later part fails
                if options.json:
                    options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    except PeerError as error:
        print(f"bench-decoder: {error}", file=sys.stderr)
        return 1
    print(_table(report))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.decoder", description="Ours beside its peers."
    )
    parser.add_argument("--text", type=Path, required=True, help="prose: tar of .txt, folder, or one .txt")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--utterances", type=int, default=200, help="for the tables (default 200)")
    parser.add_argument("--many", type=int, default=2000, help="for default against exact (default 2000)")
    parser.add_argument("--repetitions", type=int, default=3, help="of every block; the median counts")
    parser.add_argument("--store", type=Path, help="a store with a training run: its outputs are decoded too")
    parser.add_argument("--run", help="the run (default: the first that fits --corpus)")
    parser.add_argument("--corpus", help="whose dev utterances the run's network hears")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    return parser


def _note(text: str) -> None:
    print(f"  {text}", file=sys.stderr)


def _run(engines: Engines, inputs: Inputs, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The report, again after each of its parts."""
    quick = [row for row in ROWS if not row.slow]
    plan = Plan(inputs.speed, options.utterances, repetitions=options.repetitions)
    timings = interleave(engines, [*(s for row in quick for s in row.settings), *ALONE], plan, _note)
    texts = inputs.texts["speed"]
    report: dict[str, Any] = {
        "inputs": inputs.facts,
        "load": os.getloadavg()[0],
        "rows": [_row(row, timings, texts) for row in quick],
        "alone": [_alone(setting, timings[setting.key], texts) for setting in ALONE],
        "checks": [],
    }
    yield report
    slow = [row for row in ROWS if row.slow]
    slow_plan = Plan(inputs.speed, min(_SLOW_UTTERANCES, options.utterances), repetitions=1)
    timings = interleave(engines, [s for row in slow for s in row.settings], slow_plan, _note)
    report["rows"] += [_row(row, timings, texts) for row in slow]
    yield report
    for check in [search_errors(engines, inputs, _note), *side_measures(engines, inputs)]:
        report["checks"].append(check)
    yield report
    if options.store:
        task = network_task(options.store, options.run, options.corpus, inputs.speed.parent)
        network = Plan(task.folder, task.utterances, repetitions=options.repetitions)
        heard = interleave(engines, [s for row in quick for s in row.settings], network, _note)
        report["network"] = {**task.facts, "rows": [_row(row, heard, task.texts) for row in quick]}
        yield report


def _row(row: Row, timings: dict[str, Timing], texts: list[str]) -> dict[str, Any]:
    mine, theirs = timings[row.ours.key], timings[row.peer.key]
    wer = [count_errors(texts[: len(t.texts)], t.texts).wer for t in (mine, theirs)]
    ratio = mine.cpu_s / theirs.cpu_s
    return {
        "row": row.name,
        "peer": f"{row.peer.engine} {row.peer.label}",
        "ours_us_per_frame": mine.microseconds_per_frame,
        "peer_us_per_frame": theirs.microseconds_per_frame,
        "times_faster": 1 / ratio,
        "goal_times_faster": 1 / row.goal,
        "ours_wer": wer[0],
        "peer_wer": wer[1],
        "utterances": len(mine.texts),
        "speed_met": ratio <= row.goal,
        "wer_met": wer[0] <= wer[1] + WER_MARGIN if row.same_words else None,
    }


def _alone(setting: Setting, timing: Timing, texts: list[str]) -> dict[str, Any]:
    return {
        "setting": f"{setting.label} {setting.options['model']}".strip(),
        "us_per_frame": timing.microseconds_per_frame,
        "wer": count_errors(texts, timing.texts).wer,
    }


def _table(report: dict[str, Any]) -> str:
    lines = [
        f"Inputs: {json.dumps(report['inputs'])}. Load {report['load']:.1f}; CPU µs per frame, one thread.",
        "",
        *_rows(report["rows"]),
    ]
    lines += ["", "| ours alone | µs/frame | WER % |", "|---|---|---|"]
    lines += [f"| {a['setting']} | {a['us_per_frame']:.2f} | {100 * a['wer']:.2f} |" for a in report["alone"]]
    lines += ["", "| check | measured | goal | |", "|---|---|---|---|"]
    lines += [
        f"| {c['check']} | {c['measured']} | {c['goal']} | {_met(c['met'])} |" for c in report["checks"]
    ]
    if "network" in report:
        network = {k: v for k, v in report["network"].items() if k != "rows"}
        lines += ["", f"Our own network: {json.dumps(network)}", "", *_rows(report["network"]["rows"])]
    return "\n".join(lines)


def _rows(rows: list[dict[str, Any]]) -> list[str]:
    lines = ["| ours | peer | ours µs/frame | peer µs/frame | times faster | goal | ours WER % | peer WER % | speed | WER |",
             "|---|---|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for r in rows:
        lines.append(
            f"| {r['row']} | {r['peer']} | {r['ours_us_per_frame']:.2f} | {r['peer_us_per_frame']:.1f} "
            f"| {r['times_faster']:.1f} | {r['goal_times_faster']:.1f} | {100 * r['ours_wer']:.2f} "
            f"| {100 * r['peer_wer']:.2f} | {_met(r['speed_met'])} | {_met(r['wer_met'])} |"
        )
    return lines


def _met(met: bool | None) -> str:
    return "–" if met is None else "met" if met else "missed"


if __name__ == "__main__":
    raise SystemExit(main())
