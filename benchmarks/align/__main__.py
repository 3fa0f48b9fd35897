"""`python -m benchmarks.align`: planted faults and their fate, times, memory.

    --hours 2       of sound; utterances come again in another order where the corpora hold less
    --faults 600    planted in all, of twelve kinds, spread over the recordings
    --minutes 30    a recording
    --goal          instead of --faults: 10 % of the words removed, 10 % invented, five paragraphs moved and a thirtieth
                    of the sound music and noise
    --corpora NAME  of those the model has learnt from, only these; with --splits train it has heard them in training

One JSON object on standard output with --json; a table otherwise.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import soundfile

from benchmarks.align.judging import Verdict, verdict_of
from benchmarks.align.material import fit, utterances_of
from benchmarks.align.planting import KINDS, RATE_HZ, Plan, Planted, Utterance, plant
from store.opening import open_store
from training.alignment.align import AlignRequest, align
from training.release.registry import Registry
from training.runtime.package import Package

log = logging.getLogger("benchmarks.align")


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.align", description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--faults", type=int, default=120)
    parser.add_argument("--goal", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--splits", nargs="+", default=["test", "dev"])
    parser.add_argument("--corpora", nargs="+", default=[])
    parser.add_argument("--model")
    parser.add_argument("--network", default="int8", choices=["int8", "float"])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.kinds = list(KINDS)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    store = open_store()
    package = Package.open(Registry(store).model(options.model).path)
    known = utterances_of(store, package, options.splits, corpora=options.corpora)
    result = campaign(known, lambda truth: aligned(truth, package, options.network), options)
    sys.stdout.write(json.dumps(result) + "\n" if options.json else table(result))
    return 0 if result["silent"] == 0 else 1


def campaign(
    known: list[Utterance], align_it: Callable[[Planted], dict[str, Any]], options: argparse.Namespace
) -> dict[str, Any]:
    """All recordings, one after the other."""
    recordings = max(1, round(options.hours * 60 / options.minutes))
    each = -(-options.faults // recordings)
    total, sound_s, cpu_s = Verdict(), 0.0, 0.0
    for number in range(recordings):
        truth = recording(known, options, (number, each))
        began_s = time.process_time()
        answer = align_it(truth)
        cpu_s += time.process_time() - began_s
        sound_s += len(truth.samples) / RATE_HZ
        total.add(verdict_of(answer, truth))
        log.info("recording %d of %d: %s", number + 1, recordings, json.dumps(total.as_json()))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times = {
        "hours": round(sound_s / 3600, 3),
        "cpu_of_real_time": round(cpu_s / sound_s, 5),
        "peak_mb": peak // 1024,
    }
    return {**total.as_json(), **times}


def recording(known: list[Utterance], options: argparse.Namespace, which: tuple[int, int]) -> Planted:
    """So many minutes of utterances in an order of their own, with its share of the faults."""
    number, each = which
    chance = random.Random(f"{options.seed}/{number}")
    order = chance.sample(known, len(known))
    chosen: list[Utterance] = []
    length_s = 0.0
    while length_s < options.minutes * 60:
        one = order[len(chosen) % len(order)]
        chosen.append(one)
        length_s += len(one.samples) / RATE_HZ + 0.75
    kinds: list[str] = options.kinds
    counts = {kind: each // len(kinds) + (place < each % len(kinds)) for place, kind in enumerate(kinds)}
    if options.goal:
        foreign = max(1, round(options.minutes * 60 / 30 / 40))
        wanted = {"paragraph_moved": 5, "noise": foreign, "music": foreign}
        counts = {kind: count for kind, count in wanted.items() if kind in kinds}
    plan = Plan(counts, options.seed * 1000 + number, 0.1 if options.goal else 0.0)
    spare = order[
        len(chosen) :
    ]  # what is not spoken; where all is, sentences that are invented were said elsewhere
    return plant(chosen, spare if len(spare) >= len(kinds) else order[: len(order) // 4], plan)


def aligned(truth: Planted, package: Package, network: str) -> dict[str, Any]:
    """What `training align` answers for a recording and its text."""
    with tempfile.TemporaryDirectory() as folder:
        sound, text = Path(folder) / "sound.wav", Path(folder) / "text.txt"
        soundfile.write(sound, fit(truth.samples), RATE_HZ)
        text.write_text(" ".join(truth.tokens) + "\n", encoding="utf-8")
        return align(AlignRequest(sound, text, package.path, network=network))


def table(result: dict[str, Any]) -> str:
    """A result for people."""
    lines = [f"{name:<20} {value}" for name, value in result.items() if not isinstance(value, dict)]
    lines += [
        f"{kind:<20} {count} planted, {result['silent_by_kind'][kind]} silent"
        for kind, count in result["faults_by_kind"].items()
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
