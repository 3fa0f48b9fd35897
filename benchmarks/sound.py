"""What the figures of a sound cost, and which changed copies its fingerprint finds.

    python -m benchmarks.sound FOLDER [--most 250] [--seconds 25] [--json FILE]

Reads the FLAC and WAV files below FOLDER (speech, one utterance a file). Times `native.sound.figures`, with and
without vector registers, and the SHA-256 alone: CPU seconds per hour of sound, the fastest of several turns. Then
changes every sound in the ways recordings get changed and counts how often leakage.py's comparison would find the
copy, and how many pairs of different sounds it takes for copies. `--seconds` strings the sounds together and cuts
them into stretches of that length.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from corpora.audio.fingerprint import as_words, fingerprint
from corpora.quality.near_copies import near_pairs
from native import sound

RATE_HZ = 16_000
TURNS = 5

Samples = npt.NDArray[np.int16]
Change = Callable[[Samples], tuple[Samples, int]]


def _coded(samples: Samples, rate_hz: int, kind: tuple[str, str]) -> tuple[Samples, int]:
    packed = io.BytesIO()
    soundfile.write(packed, samples, rate_hz, format=kind[0], subtype=kind[1])
    return soundfile.read(io.BytesIO(packed.getvalue()), dtype="int16")[0], rate_hz


def _at_8_khz(samples: Samples) -> Samples:
    lower: Samples = soxr.resample(samples, RATE_HZ, 8000).astype(np.int16)
    return lower


def _noisy(samples: Samples, below_db: float) -> tuple[Samples, int]:
    level = np.sqrt((samples.astype(np.float64) ** 2).mean()) * 10 ** (-below_db / 20)
    noise = np.random.default_rng(2).standard_normal(len(samples)) * level
    return np.clip(samples + noise, -32768, 32767).astype(np.int16), RATE_HZ


def _without(samples: Samples, front_ms: int, end_ms: int) -> tuple[Samples, int]:
    return samples[front_ms * RATE_HZ // 1000 : len(samples) - end_ms * RATE_HZ // 1000], RATE_HZ


CHANGES: dict[str, Change] = {
    "Ogg Vorbis": lambda x: _coded(x, RATE_HZ, ("OGG", "VORBIS")),
    "MP3": lambda x: _coded(x, RATE_HZ, ("MP3", "MPEG_LAYER_III")),
    "a quarter of the level": lambda x: ((x // 4).astype(np.int16), RATE_HZ),
    "8 kHz": lambda x: (_at_8_khz(x), 8000),
    "8 kHz mu-law": lambda x: _coded(_at_8_khz(x), 8000, ("WAV", "ULAW")),
    "noise 30 dB below": lambda x: _noisy(x, 30),
    "noise 20 dB below": lambda x: _noisy(x, 20),
    "10 ms off both ends": lambda x: _without(x, 10, 10),
    "50 ms off both ends": lambda x: _without(x, 50, 50),
    "50 ms off the front": lambda x: _without(x, 50, 0),
}


def read_sounds(folder: Path, most: int, seconds: float | None) -> list[Samples]:
    """Mono sounds of at least a second at 16 kHz, the same ones every time."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix in {".flac", ".wav"})
    picked = np.random.default_rng(1).permutation(len(paths))[:most]
    sounds = []
    for path in (paths[number] for number in picked):
        samples, rate_hz = soundfile.read(path, dtype="int16", always_2d=True)
        mono = np.ascontiguousarray(samples[:, 0])
        sounds.append(mono if rate_hz == RATE_HZ else soxr.resample(mono, rate_hz, RATE_HZ).astype(np.int16))
    if seconds is not None:
        length, whole = round(seconds * RATE_HZ), np.concatenate(sounds)
        sounds = [whole[start : start + length] for start in range(0, len(whole) - length, length)]
    return [samples for samples in sounds if len(samples) >= RATE_HZ]


def costs(sounds: list[Samples]) -> dict[str, float]:
    """CPU seconds per hour of sound."""
    hours = sum(map(len, sounds)) / RATE_HZ / 3600
    ways: dict[str, Callable[[Samples], Any]] = {
        "all figures": lambda x: sound.figures(x, RATE_HZ),
        "without vector registers": lambda x: sound.figures(x, RATE_HZ, portable=True),
        "SHA-256 beside them (hashlib)": lambda x: hashlib.sha256(x.data).digest(),
    }
    found = dict.fromkeys(ways, float("inf"))
    for _ in range(TURNS):
        for name, way in ways.items():
            before_s = time.process_time()
            for samples in sounds:
                way(samples)
            found[name] = min(found[name], (time.process_time() - before_s) / hours)
    return found


def copies_found(sounds: list[Samples]) -> dict[str, dict[str, float]]:
    """Per change: the share of copies that is found, the mean number of differing bits."""
    mine = _prints([(samples, RATE_HZ) for samples in sounds])
    answers = {}
    for name, change in CHANGES.items():
        theirs = _prints([change(samples) for samples in sounds])
        pairs_found = near_pairs(mine, theirs)
        bits = np.bitwise_count(mine ^ theirs).sum(axis=1)
        answers[name] = {
            "found": float((pairs_found.first == pairs_found.second).sum() / len(sounds)),
            "bits": float(bits.mean()),
        }
    own = near_pairs(mine, mine)
    pairs = len(sounds) * (len(sounds) - 1) // 2
    answers["different sounds"] = {"found": float((own.first < own.second).sum() / pairs), "pairs": pairs}
    return answers


def _prints(sounds: list[tuple[Samples, int]]) -> npt.NDArray[np.uint64]:
    return np.array([as_words(fingerprint(*entry)) for entry in sounds], dtype=np.uint64)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--most", type=int, default=250, help="sounds at most")
    parser.add_argument(
        "--seconds", type=float, help="string them together, cut into stretches of this length"
    )
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    sounds = read_sounds(asked.folder, asked.most, asked.seconds)
    answer = {"sounds": len(sounds), "cpu_s_per_hour": costs(sounds), "copies": copies_found(sounds)}
    print(json.dumps(answer, indent=1))
    if asked.json:
        asked.json.write_text(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
