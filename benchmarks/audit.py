"""`make bench-audit`: how many times faster than real time a foreign set is looked at by `python -m corpora audit`.

    python -m benchmarks.audit [--hours 10] [--seed 1] [--rounds 3] [--json FILE]

Makes a set in Hugging Face's form (Parquet, 16 kHz FLAC of 12 s, 40 speakers, train, validation and test) of sound whose
pitch, rhythm and noise differ from utterance to utterance, so that no two sound alike, and made-up sentences of common
words. It is kept under var/bench. The command runs with two processes; wall time is what a person waits, CPU time over two
what would be waited on two idle cores at best.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.importing.tree import TreeUsage, run_tree
from native import flac

ROOT = Path(__file__).resolve().parents[1]
RATE_HZ = 16_000
UTTERANCE_S = 12.0
_PER_FILE, _PER_GROUP, _SPEAKERS, _TOGETHER = 500, 100, 40, 16
_FORM = 1  # counts up where the same hours and seed make other bytes
_WORDS = (
    "the of and to in that was his he with as had for it at by on not be but from they are this have which one you were her "
    "all she there would their we him been has when who will more no if out so said what up its about into than them can "
    "only other new some could time these two may then do first any my now such like our over man me even most made after"
)


def speech_like(seed: int) -> npt.NDArray[np.int16]:
    """int16 `[n]`: syllables of a voice of its own with pauses, over noise of its own."""
    draw = np.random.default_rng(seed)
    count = round(UTTERANCE_S * RATE_HZ)
    beats = np.repeat(draw.uniform(0.0, 1.0, 60) * (draw.uniform(size=60) > 0.25), count // 60)
    swing = np.convolve(beats, np.hanning(801) / 400.5, "same").astype(np.float32)
    pitch_hz = np.repeat(draw.uniform(80, 260) * draw.uniform(0.8, 1.25, 30), count // 30)
    phase = (2 * np.pi / RATE_HZ) * np.cumsum(pitch_hz).astype(np.float64)
    voice = 2400 * np.sin(phase) + draw.uniform(400, 1500) * np.sin(draw.integers(3, 9) * phase)
    noise = draw.standard_normal(count, np.float32)
    return (swing * (voice + draw.uniform(200, 700) * noise) + draw.uniform(3, 15) * noise).astype(np.int16)


def write_set(folder: Path, hours: float, seed: int) -> Path:
    """The set, made if it does not stand there yet."""
    place = folder / f"hours-{hours:g}-seed-{seed}-form-{_FORM}"
    if (place / "README.md").is_file():
        return place
    shutil.rmtree(place, ignore_errors=True)
    (place / "data").mkdir(parents=True)
    count, draw = max(1, round(hours * 3600 / UTTERANCE_S)), random.Random(seed)
    words = _WORDS.split()
    rows: dict[str, list[dict[str, Any]]] = {"train": [], "validation": [], "test": []}
    for first in range(0, count, _TOGETHER):
        numbers = range(first, min(count, first + _TOGETHER))
        sounds = [speech_like(seed * 1_000_000 + number) for number in numbers]
        for number, data in zip(
            numbers, flac.encode_many([(sound, RATE_HZ) for sound in sounds]), strict=True
        ):
            speaker = number % _SPEAKERS
            split = "train" if speaker < _SPEAKERS - 4 else ("validation" if speaker % 2 else "test")
            text = " ".join(draw.choice(words) for _ in range(30))
            sound = {"bytes": data, "path": f"{number:06d}.flac"}
            rows[split].append(
                {"id": f"u{number:06d}", "speaker_id": f"s{speaker}", "text": text, "audio": sound}
            )
    for split, found in rows.items():
        parts = [found[at : at + _PER_FILE] for at in range(0, len(found), _PER_FILE)]
        for number, part in enumerate(parts):
            path = place / "data" / f"{split}-{number:05d}-of-{len(parts):05d}.parquet"
            pq.write_table(pa.Table.from_pylist(part), path, row_group_size=_PER_GROUP)
    (place / "README.md").write_text("---\nlicense: cc0-1.0\nlanguage:\n- en\n---\n# made up\n", "utf-8")
    return place


def audit(source: Path, work: Path) -> tuple[TreeUsage, dict[str, Any]]:
    """One audit as a person starts it, and what it answered.

    Raises:
        RuntimeError: it did not find the set fit.
    """
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    command = [sys.executable, "-m", "corpora", "audit", str(source), "--workers", "2", "--json"]
    command += ["--page", str(work / "page.html"), "--store", str(work / "store")]
    log = work / "log"
    used = run_tree(command, os.environ, ROOT, log)
    said = log.read_text(errors="replace").splitlines()
    if used.status != 0:
        raise RuntimeError(f"the audit ended with {used.status}: {said[-1] if said else ''}")
    return used, json.loads(next(line for line in said if line.startswith("{")))


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.audit")
    parser.add_argument("--hours", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    folder = ROOT / "var" / "bench" / "audit"
    source = write_set(folder, args.hours, args.seed)
    rounds = [audit(source, folder / "work") for _ in range(args.rounds)]
    hours = rounds[-1][1]["hours"]
    wall_s = statistics.median(used.wall_s for used, _ in rounds)
    cpu_s = statistics.median(used.cpu_s for used, _ in rounds)
    found = {
        "hours": hours,
        "utterances": rounds[-1][1]["utterances"],
        "wall_s": wall_s,
        "cpu_s": cpu_s,
        "times_real_time": 3600 * hours / wall_s,
        "times_real_time_of_two_idle_cores": 3600 * hours / (cpu_s / 2),
        "load_1min": os.getloadavg()[0],
    }
    print(f"{hours:.2f} h, {found['utterances']} utterances, two processes, load {found['load_1min']:.1f}")
    print(f"  wall {wall_s:7.2f} s   {found['times_real_time']:7.0f} times real time")
    print(
        f"  CPU  {cpu_s:7.2f} s   {found['times_real_time_of_two_idle_cores']:7.0f} times real time over two cores"
    )
    if args.json:
        args.json.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
