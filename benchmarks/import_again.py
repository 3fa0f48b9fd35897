"""What a second import costs, and whether memory grows with the corpus.

Makes two invented LibriSpeech trees, one ten times the other, and imports them with `python -m corpora` in
processes of their own: first, unchanged, one file changed. Prints CPU seconds (whole process tree) and the
largest resident memory of any process, as JSON lines. Run: `python benchmarks/import_again.py [HOURS]`.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

ROOT = Path(__file__).resolve().parents[1]
RATE_HZ = 16_000
SECONDS = 12.0
PER_CHAPTER = 20


def write_tree(root: Path, utterances: int) -> None:
    """A LibriSpeech tree of noise with a moving level; every utterance is another sound."""
    words = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    chance = np.random.default_rng(utterances)
    base = chance.standard_normal(round((SECONDS + 4) * RATE_HZ)) * 1500
    for number in range(utterances):
        chapter, place = divmod(number, PER_CHAPTER)
        folder = root / "train-clean-100" / str(1000 + chapter) / "1"
        folder.mkdir(parents=True, exist_ok=True)
        start = int(chance.integers(0, 4 * RATE_HZ))
        samples = base[start : start + round(SECONDS * RATE_HZ)] * chance.uniform(0.3, 1.0)
        name = f"{1000 + chapter}-1-{place:04d}"
        soundfile.write(folder / f"{name}.flac", samples.astype(np.int16), RATE_HZ)
        text = " ".join(words[int(at)] for at in chance.integers(0, 10, 30)).upper()
        with (folder / f"{1000 + chapter}-1.trans.txt").open("a") as stream:
            stream.write(f"{name} {text}\n")


def run(source: Path, store: Path) -> dict[str, float]:
    """One refresh: CPU seconds of its process tree, largest resident memory in MB, wall seconds."""
    command = [sys.executable, "-m", "corpora", "refresh", "librispeech", "--source", str(source)]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    process = subprocess.Popen(
        [*command, "--store", str(store), "--json"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"the import ended with status {status}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "cpu_s": round(cpu_s, 2),
        "rss_mb": used.ru_maxrss / 1024,
        "wall_s": round(time.monotonic() - began, 1),
    }


def main() -> None:
    """Import both trees three times."""
    hours = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        for share in (0.1, 1.0):
            source, store = Path(folder) / f"source-{share}", Path(folder) / f"store-{share}"
            write_tree(source, round(hours * share * 3600 / SECONDS))
            first = run(source, store)
            unchanged = run(source, store)
            changed = next(source.rglob("*-0000.flac"))
            samples, rate_hz = soundfile.read(changed, dtype="int16")
            soundfile.write(changed, samples // 2, rate_hz)
            one = run(source, store)
            print(
                json.dumps(
                    {
                        "hours": hours * share,
                        "first": first,
                        "unchanged": unchanged,
                        "unchanged_share": round(unchanged["cpu_s"] / first["cpu_s"], 4),
                        "one_file_changed": one,
                        "one_file_share": round(one["cpu_s"] / first["cpu_s"], 4),
                    }
                ),
                flush=True,
            )


if __name__ == "__main__":
    main()
