"""One measurement in a process of its own: `python -m benchmarks.inference.measure KIND …` prints one JSON object.

    engine   sound to text with the language model, everything included
    bare     the network's graph alone, one stretch at a time, on the same stretches
    parts    front end, detector and search alone

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

from benchmarks.inference.networks import Costly
from training.network.features import Float
from training.runtime.frames import FrameStream
from training.runtime.network import open_network
from training.runtime.package import Package
from training.runtime.recognizer import Recognizer, RecognizerOptions
from training.runtime.sound import facts_of, pieces_of
from training.runtime.speech import SpeechDetector


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["engine", "bare", "parts"])
    parser.add_argument("--package", type=Path, required=True)
    parser.add_argument("--sound", type=Path, required=True)
    parser.add_argument("--network", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--limit-s", type=float, default=1e9)
    options = parser.parse_args()
    package = Package.open(options.package)
    measured = {"engine": _engine, "bare": _bare, "parts": _parts}[options.kind](package, options)
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


def _stretches(package: Package, options: argparse.Namespace) -> list[Float]:
    """The frames of every stretch of speech, as the engine cuts them."""
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
    for _ in recognizer.stretches(_pieces(options, recognizer.rate_hz)):
        pass
    return kept


def _bare(package: Package, options: argparse.Namespace) -> dict[str, Any]:
    stretches = _stretches(package, options)
    hop_s = package.features.hop_s
    chosen, seconds = [], 0.0
    for one in stretches:
        if seconds < options.limit_s:
            chosen.append(one)
            seconds += len(one) * hop_s
    network = open_network(options.network)
    network.log_probs(chosen[:1])
    _, cpu_s, wall_s = _timed(lambda: [network.log_probs([one]) for one in chosen])
    speech_s = sum(len(one) for one in stretches) * hop_s
    sound_s = facts_of(options.sound).duration_s or 1.0
    share = speech_s / sound_s  # of the sound that is speech: the engine's figures are per second of sound
    return {
        "cpu": cpu_s / seconds * share,
        "wall": wall_s / seconds * share,
        "cpu_of_speech": cpu_s / seconds,
    }


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
