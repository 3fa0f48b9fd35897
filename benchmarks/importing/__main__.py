"""`make bench-import`: our import beside its peers on the same archives, CPU seconds per hour of audio, ratios.

Flows take turns, several rounds, the median counts; a first round is thrown away (cold files, caches). Peers whose
environment is not made are left out and named.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.importing.flows import ROOT, Flow, FlowError, Measured, ours, peer, run
from benchmarks.importing.inputs import LAYOUTS, archives


@dataclass(frozen=True)
class Row:
    """A peer; where there is a goal, `flow` must cost at least `goal` times our CPU time."""

    flow: Flow
    goal: float | None


_LHOTSE = "lhotse prepare + shar"
_DEEPSPEECH = "sph2pipe + librosa + WAV cuts (DeepSpeech's)"
_PLAIN = "sph2pipe + soxr + WAV cuts (the cheapest)"
_SPH2PIPE = ("sph2pipe",)
_TWO_WORKERS_GOAL = 1.85

ROWS = (
    Row(peer("sox package per file + CSV", "librispeech", "sox_package"), 4.0),
    Row(peer(_LHOTSE, "librispeech", "lhotse_shar", "lhotse"), 3.0),
    Row(peer("sox child per file + CSV", "librispeech", "sox_child"), 2.0),
    Row(peer(_LHOTSE, "tedlium", "lhotse_shar", "lhotse", _SPH2PIPE), 4.0),
    Row(peer(_DEEPSPEECH, "fisher", "deepspeech_telephone", "librosa", _SPH2PIPE), 2.5),
    Row(peer(_LHOTSE, "fisher", "lhotse_shar", "lhotse", _SPH2PIPE), 4.0),
    Row(peer(_PLAIN, "fisher", "sph2pipe_soxr", None, _SPH2PIPE), None),
    Row(peer(_DEEPSPEECH, "switchboard", "deepspeech_telephone", "librosa", _SPH2PIPE), 2.5),
    Row(peer(_LHOTSE, "switchboard", "lhotse_shar", "lhotse", _SPH2PIPE), 4.0),
    Row(peer(_PLAIN, "switchboard", "sph2pipe_soxr", None, _SPH2PIPE), None),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; 0 done (whatever the goals say), 1 one of our own imports failed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.importing", description="Ours beside its peers."
    )
    parser.add_argument("--hours", type=float, default=5.0, help="of audio in each layout (default 5)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3, help="measured ones; the median counts (default 3)")
    parser.add_argument("--layouts", nargs="+", default=[*LAYOUTS], choices=[*LAYOUTS])
    parser.add_argument("--json", type=Path, help="write every figure there")
    options = parser.parse_args(arguments)
    folder = ROOT / "var" / "bench" / "import"
    sources = archives(folder, options.hours, options.seed)
    report: dict[str, Any] = {"hours": options.hours, "rows": []}
    for layout in options.layouts:
        try:
            report["rows"] += _layout(layout, sources[layout], folder / "work", options)
        except FlowError as error:
            print(f"bench-import: {error}", file=sys.stderr)
            return 1
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(_table(report))
    return 0


def _layout(layout: str, source: Path, work: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    """All flows of one layout, taking turns."""
    goals = {row.flow: row.goal for row in ROWS if row.flow.layout == layout}
    flows = [ours(layout), ours(layout, workers=2), *goals]
    failed: dict[Flow, str] = {}
    measured: dict[Flow, list[Measured]] = {flow: [] for flow in flows}
    for number in range(options.rounds + 1):
        for flow in flows:
            if flow in failed:
                continue
            try:
                result = run(flow, source, work / "out")
            except (FlowError, OSError) as error:
                if flow.name.startswith("speechmill"):
                    raise
                failed[flow] = str(error)
                continue
            print(f"round {number}: {layout}, {flow.name}: {result.cpu_s:.1f} CPU s", file=sys.stderr)
            if number > 0:
                measured[flow].append(result)
    rows = [
        _row(flow, measured[flow], goals.get(flow), options.hours) for flow in flows if flow not in failed
    ]
    base = rows[0]["cpu_s"]
    rows[1]["two_workers_speed_up"] = rows[0]["wall_s"] / rows[1]["wall_s"]
    for row in rows:
        row["ratio"] = row["cpu_s"] / base
    return rows + [
        {"layout": flow.layout, "flow": flow.name, "failed": text[-300:]} for flow, text in failed.items()
    ]


def _row(flow: Flow, results: list[Measured], goal: float | None, hours: float) -> dict[str, Any]:
    median = statistics.median(result.cpu_s for result in results)
    return {
        "layout": flow.layout,
        "flow": flow.name,
        "cpu_s": median,
        "cpu_s_per_hour": median / hours,
        "wall_s": statistics.median(result.wall_s for result in results),
        "written_mb": results[-1].written_bytes / 1e6,
        "files": results[-1].files,
        "peak_mb": max(result.peak_mb for result in results),
        "goal": goal,
    }


def _table(report: dict[str, Any]) -> str:
    lines = [
        "| corpus | flow | CPU s/h | ratio | goal | wall s | MB | files | peak MB |",
        "|---|---|---|---|---|---|---|---|---|",
        *(_line(row) for row in report["rows"]),
    ]
    return "\n".join(lines)


def _line(row: dict[str, Any]) -> str:
    head = f"| {row['layout']} | {row['flow']} |"
    if "failed" in row:
        return f"{head} not run: {row['failed'].splitlines()[-1][-100:]} | | | | | | |"
    return (
        f"{head} {row['cpu_s_per_hour']:.2f} | {row['ratio']:.2f} | {_verdict(row)} | {row['wall_s']:.1f} "
        f"| {row['written_mb']:.0f} | {row['files']} | {row['peak_mb']:.0f} |"
    )


def _verdict(row: dict[str, Any]) -> str:
    """The goal of a row and whether it is met; what two workers gain in wall time counts only on idle cores."""
    if "two_workers_speed_up" in row:
        gained = row["two_workers_speed_up"]
        verdict = "met" if gained >= _TWO_WORKERS_GOAL else "MISSED"
        return f"{gained:.2f}× as fast, goal {_TWO_WORKERS_GOAL:g}× {verdict}"
    if row["goal"] is None:
        return ""
    return f"{row['goal']:g}× {'met' if row['ratio'] >= row['goal'] else 'MISSED'}"


if __name__ == "__main__":
    sys.exit(main())
