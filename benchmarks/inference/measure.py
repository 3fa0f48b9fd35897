"""One measurement in a process of its own: `python -m benchmarks.inference.measure KIND …` prints one JSON object.

    engine     sound to text with the language model, everything included
    parts      front end, detector and search alone
    stretches  the frames of every stretch of speech into --stretches, for `bare`
    convert    converts --name to --form into --network; measures nothing
    bare       one form of one network alone, one stretch at a time; with --words the search after it

CPU seconds of the process, all threads; peak memory.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.inference.forms import FORMS, RELEASED, convert, hear_with
from benchmarks.inference.networks import Costly
from training.network.features import Float
from training.runtime.frames import FrameStream
from training.runtime.package import Package
from training.runtime.recognizer import Recognizer, RecognizerOptions
from training.runtime.sound import facts_of, pieces_of
from training.runtime.speech import SpeechDetector


def main() -> int:
    """Measure and print."""
    kinds = {"engine": _engine, "parts": _parts, "stretches": _stretches, "convert": _convert, "bare": _bare}
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=kinds)
    parser.add_argument("--package", type=Path, required=True)
    parser.add_argument("--sound", type=Path)
    parser.add_argument("--network", type=Path)
    parser.add_argument("--form", choices=FORMS, default="onnx-int8")
    parser.add_argument("--name", default=RELEASED)
    parser.add_argument("--stretches", type=Path)
    parser.add_argument("--words", action="store_true")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--limit-s", type=float, default=1e9)
    options = parser.parse_args()
    package = Package.open(options.package)
    measured = kinds[options.kind](package, options)
    sys.stdout.write(json.dumps({**measured, "peak_mb": _peak_mb()}) + "\n")
    return 0


def _peak_mb() -> int:
    """Of this program alone: what getrusage says begins with the memory of whoever started it."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


def _pieces(options: argparse.Namespace, rate_hz: int) -> Any:
    return pieces_of(options.sound, facts_of(options.sound), rate_hz)


def _timed(function: Callable[[], Any]) -> tuple[Any, float, float]:
    began = time.process_time(), time.perf_counter()
    answer = function()
    return answer, time.process_time() - began[0], time.perf_counter() - began[1]


def _engine(package: Package, options: argparse.Namespace) -> dict[str, Any]:
    recognizer = Recognizer.load(package, RecognizerOptions(threads=options.threads))
    if options.network:
        recognizer.network = Costly(options.network, package.network("int8"))
    heard, cpu_s, wall_s = _timed(lambda: [*recognizer.stretches(_pieces(options, recognizer.rate_hz))])
    seconds = facts_of(options.sound).duration_s or 0.0
    text = " ".join(word.word for one in heard for word in one.words)
    return {"cpu": cpu_s / seconds, "wall": wall_s / seconds, "text": text}


def _stretches(package: Package, options: argparse.Namespace) -> dict[str, Any]:
    """The frames of every stretch of speech, as the engine cuts them, in the order they are spoken."""
    kept: list[Float] = []

    class Kept(Costly):
        """Keeps what it is given."""

        def __init__(self) -> None:
            super().__init__(package.network("int8"), package.network("int8"))

        def log_probs(self, stretches: Any) -> list[Float]:
            kept.extend(stretches)
            return super().log_probs(stretches)

    recognizer = Recognizer.load(package, RecognizerOptions())
    recognizer.network = Kept()
    half_s = (
        recognizer.rate_hz // 2
    )  # no two stretches end in one piece: each is heard by itself, in its turn
    cut = (
        piece[at : at + half_s]
        for piece in _pieces(options, recognizer.rate_hz)
        for at in range(0, len(piece), half_s)
    )
    for _ in recognizer.live(cut):
        pass
    np.savez(options.stretches, *kept)
    return {"stretches": len(kept)}


def _convert(package: Package, options: argparse.Namespace) -> dict[str, Any]:
    convert(options.form, options.name, options.network, package)
    return {"converted": str(options.network)}


def _bare(package: Package, options: argparse.Namespace) -> dict[str, Any]:
    """CPU seconds per second of sound, by the share of the sound that is speech; the words where they are wanted."""
    with np.load(options.stretches) as saved:
        stretches = [saved[name] for name in saved.files]
    hop_s = package.features.hop_s
    chosen: list[Float] = []
    seconds = 0.0
    for one in stretches:
        if seconds < options.limit_s:
            chosen.append(one)
            seconds += len(one) * hop_s
    hear = hear_with(options.form, options.name, options.network, package)
    hear(chosen[0])
    answers, cpu_s, wall_s = _timed(lambda: [hear(one) for one in chosen])
    peak_mb = _peak_mb()
    speech_s = sum(len(one) for one in stretches) * hop_s
    share = speech_s / (facts_of(options.sound).duration_s or 1.0)
    text = _words(package, answers) if options.words else None
    return {
        "cpu": cpu_s / seconds * share,
        "wall": wall_s / seconds * share,
        "text": text,
        "bare_mb": peak_mb,
    }


def _words(package: Package, answers: list[Float]) -> str:
    search = Recognizer.load(package, RecognizerOptions()).search
    return " ".join(word.word for one in answers for word in search.words(one))


def _parts(package: Package, options: argparse.Namespace) -> dict[str, Any]:
    samples = [*_pieces(options, package.features.sample_rate_hz)]
    seconds = sum(map(len, samples)) / package.features.sample_rate_hz
    stream, detector = FrameStream(package.features), SpeechDetector()
    _, front_s, _ = _timed(lambda: [stream.feed(piece) for piece in samples])
    _, ears_s, _ = _timed(lambda: [*(detector.feed(piece) for piece in samples), detector.finish()])
    recognizer = Recognizer.load(package, RecognizerOptions())
    found: list[Float] = []
    for _ in recognizer.answers(iter(samples), lambda start, log_probs: found.append(log_probs)):
        pass
    _, search_s, _ = _timed(lambda: [recognizer.search.words(one) for one in found if len(one)])
    return {"front_end": front_s / seconds, "detector": ears_s / seconds, "search": search_s / seconds}


if __name__ == "__main__":
    sys.exit(main())
