"""What the front end costs beside the same in numpy: CPU seconds per hour of sound, in one run, one thread.

    python -m benchmarks.features [FOLDER] [--minutes 30] [--json FILE]

FOLDER: FLAC and WAV files of speech, 16 kHz or resampled to it before the clock runs; without it noise whose loudness
changes as speech does. Every way gets the same 16-bit utterances of some 8 s, the ways take turns, the fastest of five
turns counts. Prints the greatest difference between numpy and C++ too, and that of both from double precision.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from tests.training.network import features_reference
from training.network.config import FeatureConfig
from training.network.features import front_end, mfcc_many

RATE_HZ = 16_000
SECONDS = 8
TURNS = 5
TOGETHER = 16

Samples = npt.NDArray[np.int16]


def noise(minutes: float) -> list[Samples]:
    """Utterances of noise whose loudness changes every 25 ms."""
    random = np.random.default_rng(1)
    utterances = []
    for _ in range(max(1, round(minutes * 60 / SECONDS))):
        loud = 10.0 ** random.uniform(0.5, 4.0, SECONDS * 40).repeat(RATE_HZ // 40)
        sound = random.standard_normal(SECONDS * RATE_HZ) * loud
        utterances.append(sound.clip(-32768, 32767).astype(np.int16))
    return utterances


def speech(folder: Path, minutes: float) -> list[Samples]:
    """The sounds below a folder, strung together and cut into utterances."""
    parts: list[Samples] = []
    wanted = minutes * 60 * RATE_HZ
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".flac", ".wav")):
        samples, rate_hz = soundfile.read(path, dtype="int16", always_2d=True)
        mono = np.ascontiguousarray(samples[:, 0])
        parts.append(mono if rate_hz == RATE_HZ else soxr.resample(mono, rate_hz, RATE_HZ).astype(np.int16))
        if sum(map(len, parts)) >= wanted:
            break
    whole = np.concatenate(parts)
    length = SECONDS * RATE_HZ
    return [whole[at : at + length] for at in range(0, len(whole) - length + 1, length)]


def in_numpy(samples: Samples, config: FeatureConfig) -> npt.NDArray[Any]:
    """As training computed its features before they were in C++."""
    return features_reference.mfcc(samples.astype(np.float32) / np.float32(32768), config)


def costs(utterances: list[Samples], config: FeatureConfig) -> dict[str, float]:
    """CPU seconds per hour of sound, of each way."""
    portable = type(front_end(config))(front_end(config).options, portable=True)
    groups = [utterances[at : at + TOGETHER] for at in range(0, len(utterances), TOGETHER)]
    ways: dict[str, Callable[[list[Samples]], Any]] = {
        "numpy": lambda group: [in_numpy(samples, config) for samples in group],
        "C++": lambda group: mfcc_many(group, [RATE_HZ] * len(group), config),
        "C++ from float32": lambda group: front_end(config).cepstra_many(
            [samples.astype(np.float32) / np.float32(32768) for samples in group]
        ),
        "C++ without AVX2": portable.cepstra_many,
    }
    hours = sum(map(len, utterances)) / RATE_HZ / 3600
    found = dict.fromkeys(ways, float("inf"))
    for _ in range(TURNS):
        for name, way in ways.items():
            before_s = time.process_time()
            for group in groups:
                way(group)
            found[name] = min(found[name], (time.process_time() - before_s) / hours)
    return found


def differences(utterances: list[Samples], config: FeatureConfig) -> dict[str, float]:
    """The greatest difference of a coefficient between two ways."""
    found = dict.fromkeys(("C++ from numpy", "C++ from double precision", "numpy from double precision"), 0.0)
    for samples in utterances:
        ours, theirs = front_end(config).cepstra(samples), in_numpy(samples, config)
        truth = features_reference.mfcc(samples.astype(np.float64) / 32768, config, np.float64)
        for name, one, other in zip(found, (ours, ours, theirs), (theirs, truth, truth), strict=True):
            found[name] = max(found[name], float(np.abs(one - other).max()))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.features", description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, metavar="FOLDER")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    config = FeatureConfig()
    utterances = speech(options.folder, options.minutes) if options.folder else noise(options.minutes)
    cost_s, difference = costs(utterances, config), differences(utterances[:50], config)
    for name, value in cost_s.items():
        print(f"{name:28} {value:8.3f} CPU s per hour of sound")
    for name, value in difference.items():
        print(f"{name:28} {value:8.1e} at most")
    if options.json:
        found = {
            "utterances": len(utterances),
            "cpu_s_per_hour": cost_s,
            "greatest_difference": difference,
        }
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
