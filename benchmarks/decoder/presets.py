"""Draws word error rate against CPU time for our own thresholds: `python -m benchmarks.decoder.presets FOLDER`.

FOLDER is one of those that `make bench-decoder` leaves under build/bench/decoder. Not here: other decoders.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt

import native
from scoring.wer import count_errors

mpl.use("svg")

import matplotlib.pyplot as plt

THRESHOLDS_NATS = (7.0, 9.0, 11.0, 13.0, 15.0, 18.0, 22.0, 28.0)
DEFAULT = native.Pruning.preset("default")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints and draws; 0 done."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decoder.presets", description=__doc__)
    parser.add_argument("folder", type=Path, help="build/bench/decoder/KEY")
    parser.add_argument("--lm", type=Path, help="language model (default: FOLDER/lm-probing)")
    parser.add_argument("--out", type=Path, default=Path("docs/images/decoder_presets.svg"))
    options = parser.parse_args(arguments)
    scorer = native.Scorer.load(options.lm or options.folder / "lm-probing", alpha=0.5, beta=1.5)
    part = options.folder / "speed"
    rows = np.load(part / "flat.npy", mmap_mode="r").reshape(-1, scorer.alphabet.size)
    offsets, texts = np.load(part / "offsets.npy"), json.loads((part / "texts.json").read_text("utf-8"))
    utterances = [np.ascontiguousarray(rows[a:b]) for a, b in itertools.pairwise(offsets)]
    points = []
    for threshold in (*THRESHOLDS_NATS, math.inf):
        pruning = native.Pruning(
            label_floor=DEFAULT.label_floor,
            score_threshold=threshold,
            crowd=DEFAULT.crowd,
            blank_skip=DEFAULT.blank_skip,
            doubt_labels=DEFAULT.doubt_labels,
        )
        mode = "exact" if math.isinf(threshold) else pruning
        points.append((threshold, *measure(utterances, texts, scorer, mode)))
        print("threshold {:>4} nats: WER {:.3f} %, {:.2f} µs/frame".format(*points[-1]), file=sys.stderr)
    fast = measure(utterances, texts, scorer, "fast")
    print("fast: WER {:.3f} %, {:.2f} µs/frame".format(*fast), file=sys.stderr)
    draw(points, fast, options.out)
    return 0


def measure(
    utterances: list[npt.NDArray[np.float32]], texts: list[str], scorer: native.Scorer, mode: Any
) -> tuple[float, float]:
    """(WER in %, CPU µs per frame), the better of two runs on one thread at beam 100."""
    seconds = []
    for _ in range(2):
        started = time.process_time()
        answers = [
            native.decode(rows[None], [len(rows)], scorer.alphabet, scorer, 100, 1, 1, mode)[0][0].text
            for rows in utterances
        ]
        seconds.append(time.process_time() - started)
    frames = sum(len(rows) for rows in utterances)
    return 100 * count_errors(texts, answers).wer, min(seconds) / frames * 1e6


def draw(points: list[tuple[float, float, float]], fast: tuple[float, float], out: Path) -> None:
    """One line over the thresholds, the modes named."""
    figure, axes = plt.subplots(figsize=(7, 3.4))
    times, rates = [point[2] for point in points], [point[1] for point in points]
    axes.plot(times, rates, "-o", color="#2c7fb8", markersize=4)
    for threshold, rate, micros in points:
        name = " = default" if threshold == DEFAULT.score_threshold else ""
        label = "exact" if math.isinf(threshold) else f"{threshold:.0f}{name}"
        axes.annotate(label, (micros, rate), textcoords="offset points", xytext=(4, 6), fontsize=8)
    axes.plot(fast[1], fast[0], "s", color="#d95f0e", markersize=5)
    axes.annotate("fast", (fast[1], fast[0]), textcoords="offset points", xytext=(6, -10), fontsize=8)
    axes.set_xscale("log")
    ticks = [tick for tick in (0.3, 0.5, 1, 2, 5, 10, 20) if min(times) * 0.7 < tick < max(times) * 1.4]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.set_xlabel("CPU µs per frame (beam 100, one thread)")
    axes.set_ylabel("word error rate, %")
    axes.set_title("Score threshold in nats: time against errors", fontsize=10)
    axes.grid(alpha=0.3)
    figure.tight_layout()
    mpl.rcParams["svg.hashsalt"] = "speechmill"
    figure.savefig(out, metadata={"Date": None})


if __name__ == "__main__":
    raise SystemExit(main())
