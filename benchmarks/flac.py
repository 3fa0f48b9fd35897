"""`make bench-flac`: our FLAC decoder beside libFLAC (through soundfile) on the same files, CPU seconds, taking turns.

    python -m benchmarks.flac [--seed 1] [--minutes 30] [--json FILE]

Makes utterances of 12 s of syllable-like sound with pauses, 16 kHz mono, written by libFLAC at level 5, and decodes
them to int16 from memory with the proof of their MD5, as an import needs it: libFLAC with hashlib's MD5, ours one by
one, ours by sixteen. The process keeps the memory it frees, as imports do. All samples are compared first.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.shorten import RATE_HZ, speech_like
from corpora.audio.memory import keep_memory
from native import FlacError, flac

TURNS = 5
UTTERANCE_S = 12.0
TOGETHER = 16


def utterances(minutes: float, seed: int) -> list[bytes]:
    """FLAC files as libFLAC writes them at level 5."""
    files = []
    for number in range(max(1, round(60 * minutes / UTTERANCE_S))):
        out = io.BytesIO()
        sound = speech_like(UTTERANCE_S, seed * 100_000 + number)
        soundfile.write(out, sound, RATE_HZ, format="FLAC", subtype="PCM_16", compression_level=0.625)
        files.append(out.getvalue())
    return files


def by_libflac(files: list[bytes]) -> list[bytes]:
    """MD5 of every file's samples."""
    sums = []
    for data in files:
        with soundfile.SoundFile(io.BytesIO(data)) as stream:
            samples = stream.read(dtype="int16", always_2d=True)
        sums.append(hashlib.md5(samples.tobytes(), usedforsecurity=False).digest())
    return sums


def one_by_one(files: list[bytes]) -> None:
    for data in files:
        flac.decode(data)


def together(files: list[bytes]) -> None:
    for at in range(0, len(files), TOGETHER):
        flac.decode_many(files[at : at + TOGETHER])


def prove(files: list[bytes]) -> None:
    """Raises ValueError where the decoders disagree."""
    for at in range(0, len(files), TOGETHER):
        some = files[at : at + TOGETHER]
        for data, many in zip(some, flac.decode_many(some), strict=True):
            if isinstance(many, FlacError):
                raise ValueError(f"a file is damaged: {many}") from many
            theirs = soundfile.read(io.BytesIO(data), dtype="int16", always_2d=True)[0]
            if not np.array_equal(many.samples, theirs) or not np.array_equal(
                flac.decode(data).samples, theirs
            ):
                raise ValueError("the decoders do not give the same samples")


def measure(minutes: float, seed: int) -> dict[str, float]:
    """CPU seconds per hour of sound."""
    files = utterances(minutes, seed)
    prove(files)
    hours = len(files) * UTTERANCE_S / 3600
    ways: dict[str, Callable[[list[bytes]], object]] = {
        "libflac_s": by_libflac,
        "ours_s": one_by_one,
        "ours_together_s": together,
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(TURNS):
        for name, way in ways.items():
            before_s = time.process_time()
            way(files)
            taken[name].append((time.process_time() - before_s) / hours)
    found = {name: statistics.median(values) for name, values in taken.items()}
    size = sum(map(len, files)) / (hours * 3600 * RATE_HZ * 2)
    return {"hours": hours, "compressed_ratio": size, **found}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.flac")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    keep_memory()
    found = measure(args.minutes, args.seed)
    print(f"{60 * found['hours']:.0f} min of 16 kHz mono, {found['compressed_ratio']:.2f} of its plain size")
    print("CPU s per hour of sound, MD5 proved:")
    for name, label in (("libflac_s", "libFLAC, hashlib"), ("ours_s", "ours, one by one")):
        print(f"  {label:18} {found[name]:.3f}   {found['libflac_s'] / found[name]:.2f} times as fast")
    label, taken = f"ours, by {TOGETHER}", found["ours_together_s"]
    print(f"  {label:18} {taken:.3f}   {found['libflac_s'] / taken:.2f} times as fast")
    if args.json:
        args.json.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
