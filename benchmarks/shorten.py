"""`make bench-shorten`: our shorten decoder beside ffmpeg on the same file, CPU seconds, taking turns.

    python -m benchmarks.shorten [--seed 1] [--minutes 30] [--json FILE]

Makes one SPHERE file of 16-bit, 16 kHz mono, compressed by our own encoder, of syllable-like sound with pauses,
and decodes it to linear samples: ours in this process from the file's path, ffmpeg as a child with one thread
that writes to /dev/null. Both results are compared sample by sample first. ffmpeg knows no mu-law shorten; ours
is timed on that too, for the record. ffmpeg's start is measured on a file of one block and told apart.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from demo.sphere_writer import Samples, SphereFormat, write_sphere
from native import sphere

RATE_HZ = 16_000
TURNS = 5


def speech_like(seconds: float, seed: int) -> Samples:
    """int16 `[n, 1]`: voiced syllables, breath and pauses; about as hard to compress as read speech."""
    at = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    noise = np.random.default_rng(seed).normal(size=len(at))
    talking = np.clip(np.sin(2 * np.pi * 0.4 * at) + 0.3, 0, 1) * (0.5 + 0.5 * np.sin(2 * np.pi * 4 * at))
    voice = 2500 * np.sin(2 * np.pi * 180 * at) + 1200 * np.sin(2 * np.pi * 720 * at) + 600 * noise
    sound: Samples = (talking * voice + 12 * noise).astype(np.int16)[:, None]
    return sound


def ours_s(path: Path) -> float:
    """CPU seconds of one decoding here."""
    before_s = time.process_time()
    sphere.read(path)
    return time.process_time() - before_s


def ffmpeg_s(path: Path) -> float:
    """CPU seconds of one decoding by ffmpeg, its start included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([*_ffmpeg(path), "-y", "/dev/null"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _ffmpeg(path: Path) -> list[str]:
    return ["ffmpeg", "-v", "error", "-nostdin", "-threads", "1", "-i", str(path), "-f", "s16le"]


def measure(folder: Path, minutes: float, seed: int) -> dict[str, float]:
    """All figures; raises ValueError where the two decoders disagree."""
    sound = speech_like(60 * minutes, seed)
    pcm, ulaw, tiny = folder / "pcm.sph", folder / "ulaw.sph", folder / "tiny.sph"
    write_sphere(pcm, sound, SphereFormat(RATE_HZ, shorten=True))
    write_sphere(ulaw, sound, SphereFormat(RATE_HZ, "ulaw", shorten=True))
    write_sphere(tiny, sound[:256], SphereFormat(RATE_HZ, shorten=True))
    theirs = subprocess.run([*_ffmpeg(pcm), "-"], check=True, capture_output=True).stdout
    if theirs != sound.astype("<i2").tobytes() or not np.array_equal(sphere.read(pcm), sound):
        raise ValueError("the decoders do not give the samples that were written")
    turns = [(ours_s(pcm), ffmpeg_s(pcm), ffmpeg_s(tiny), ours_s(ulaw)) for _ in range(TURNS)]
    ours, theirs_s, start_s, ours_ulaw = (statistics.median(column) for column in zip(*turns, strict=True))
    return {
        "minutes": minutes,
        "compressed_ratio": pcm.stat().st_size / sound.nbytes,
        "ours_s": ours,
        "ffmpeg_s": theirs_s,
        "ffmpeg_start_s": start_s,
        "ratio": theirs_s / ours,
        "ratio_without_start": (theirs_s - start_s) / ours,
        "ours_ulaw_s": ours_ulaw,
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shorten")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    if shutil.which("ffmpeg") is None:
        sys.stderr.write("ffmpeg is not installed: there is nothing to compare with\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="speechmill-bench-") as folder:
        found = measure(Path(folder), args.minutes, args.seed)
    print(f"{found['minutes']:.0f} min of 16 kHz pcm, shorten to {found['compressed_ratio']:.2f} of its size")
    print(f"  ours            {found['ours_s']:.3f} CPU s")
    print(f"  ffmpeg          {found['ffmpeg_s']:.3f} CPU s, of which start {found['ffmpeg_start_s']:.3f}")
    print(
        f"  ffmpeg / ours   {found['ratio']:.2f} (without ffmpeg's start {found['ratio_without_start']:.2f})"
    )
    print(f"  ours, mu-law    {found['ours_ulaw_s']:.3f} CPU s (ffmpeg cannot read it)")
    if args.json:
        args.json.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
