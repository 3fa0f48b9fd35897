"""`python -m benchmarks.inference.scaling --sound FILE`: does hearing cost the same in one long file, and half on two cores?

    whole    the sound again and again, a second of rest between, in one file of --hours; beside it the same parts alone
    cores    one file on one core and on two, by the clock; rounds take turns, the median of each counts

The networks are the released model's and, with --width, one of that width with random weights beside it (`networks.py`).
What the clock says needs a quiet machine; CPU seconds stand beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmarks.inference.forms import file_of
from store.opening import open_store
from training.network.features import Float
from training.release.registry import Registry
from training.runtime.package import Package
from training.runtime.sound import facts_of, pieces_of

_RATE_HZ = 16000
_ROUNDS = 3


def main() -> int:
    """Measure both."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inference.scaling", description=__doc__)
    parser.add_argument("--sound", type=Path, required=True)
    parser.add_argument("--hours", type=float, default=3.0)
    parser.add_argument(
        "--width", type=int, help="cells in each direction; default: the released model alone"
    )
    parser.add_argument("--model", help="id of a packaged model, or its folder; default: the released one")
    parser.add_argument("--only", choices=["whole", "cores"])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    folder_of_model = Path(options.model) if options.model else None
    if folder_of_model is None or not (folder_of_model / "model.json").is_file():
        folder_of_model = Registry(open_store()).model(options.model).path
    package = Package.open(folder_of_model)
    result: dict[str, Any] = {"model": package.id, "width": options.width, "cores": os.cpu_count()}
    with tempfile.TemporaryDirectory() as folder:
        more: list[str] = []
        if options.width:
            path = file_of("onnx-int8", f"{options.width}-both", Path(folder), package)
            more = ["--network", str(path)]
        base = ["--package", str(package.path), *more]
        if options.only != "cores":
            result |= whole(options.sound, options.hours, Path(folder), base)
        if options.only != "whole":
            result |= cores(options.sound, base)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    sys.stdout.write("\n".join(f"{name:<28} {value}" for name, value in result.items()) + "\n")
    return 0


def whole(sound: Path, hours: float, folder: Path, base: list[str]) -> dict[str, Any]:
    """One long file beside the sum of its parts, CPU seconds."""
    part, long = folder / "part.wav", folder / "long.wav"
    samples = np.concatenate([*pieces_of(sound, facts_of(sound), _RATE_HZ), np.zeros(_RATE_HZ, np.float32)])
    count = max(2, round(hours * 3600 * _RATE_HZ / len(samples)))
    _written(part, samples, 1)
    _written(long, samples, count)
    one, all_of_it = _heard(part, base), _heard(long, base)
    part_s, long_s = len(samples) / _RATE_HZ, count * len(samples) / _RATE_HZ
    sum_s, whole_s = one["cpu"] * part_s * count, all_of_it["cpu"] * long_s
    return {
        "hours": round(long_s / 3600, 3),
        "parts": count,
        "parts_cpu_s": round(sum_s, 2),
        "whole_cpu_s": round(whole_s, 2),
        "whole_over_parts": round(whole_s / sum_s, 4),
        "whole_peak_mb": all_of_it["peak_mb"],
        "part_peak_mb": one["peak_mb"],
    }


def cores(sound: Path, base: list[str]) -> dict[str, Any]:
    """One core beside two, by the clock."""
    walls: dict[int, list[float]] = {1: [], 2: []}
    cpu: dict[int, list[float]] = {1: [], 2: []}
    texts = set()
    for _ in range(_ROUNDS):
        for threads, seconds in walls.items():
            answer = _heard(sound, [*base, "--threads", str(threads)], threads)
            seconds.append(answer["wall"])
            cpu[threads].append(answer["cpu"])
            texts.add(answer["text"])
    if len(texts) != 1:
        raise SystemExit("one core and two did not hear the same words: no figure of speed is worth anything")
    one, two = statistics.median(walls[1]), statistics.median(walls[2])
    return {
        "one_core_of_real_time": round(one, 5),
        "two_cores_of_real_time": round(two, 5),
        "two_cores_times_as_quick": round(one / two, 3),
        "two_cores_cpu_over_one": round(statistics.median(cpu[2]) / statistics.median(cpu[1]), 3),
        "load": round(os.getloadavg()[0], 2),
    }


def _written(path: Path, samples: Float, times: int) -> None:
    with soundfile.SoundFile(path, "w", _RATE_HZ, 1, subtype="PCM_16") as out:
        for _ in range(times):
            out.write(samples)


def _heard(sound: Path, base: list[str], processors: int = 0) -> dict[str, Any]:
    """What the engine measures; on so many processors and no other, ffmpeg included, where they are given."""
    command = [sys.executable, "-m", "benchmarks.inference.measure", "engine", "--sound", str(sound), *base]
    if processors:
        chosen = sorted(os.sched_getaffinity(0))[:processors]
        command = ["taskset", "--cpu-list", ",".join(map(str, chosen)), *command]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{sound.name} could not be heard: {done.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


if __name__ == "__main__":
    sys.exit(main())
