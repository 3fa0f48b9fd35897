"""The flow of DeepSpeech's Fisher and Switchboard importers: whole calls decoded to WAV by a child, each side
loaded as 16 kHz float32, cut by the transcript, one WAV per utterance, CSV. LAYOUT SOURCE FOLDER.

The child is sox (sph2pipe is on no package index); the calls are mu-law SPHERE without shorten, which sox reads.
Resampling is soxr HQ, librosa's default. Written anew; nothing is copied.
"""

import csv
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile
import soxr

layout, source, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
RATE_HZ = 16000


def fisher_lines(call: str, source: Path) -> list[tuple[int, float, float, str]]:
    """(side, start, end, text) of a call."""
    (path,) = source.rglob(f"{call}.txt")
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        match = re.match(r"(\S+) (\S+) ([AB]): (.*)", line)
        if match:
            found.append(("AB".index(match[3]), float(match[1]), float(match[2]), match[4]))
    return found


def switchboard_lines(call: str, source: Path) -> list[tuple[int, float, float, str]]:
    """(side, start, end, text) of a call."""
    found = []
    for path in sorted(source.rglob(f"sw{call[-4:]}*-ms98-a-trans.text")):
        side = "AB".index(path.name[6])
        for line in path.read_text(encoding="utf-8").splitlines():
            _, start, end, text = line.split(" ", 3)
            if "[" not in text:
                found.append((side, float(start), float(end), text))
    return found


lines_of = fisher_lines if layout == "fisher" else switchboard_lines
rows = []
for call in sorted(source.rglob("*.sph")):
    whole = folder / f"{call.stem}.wav"
    subprocess.run(["sox", str(call), "-e", "signed", "-b", "16", str(whole)], check=True)
    sides = [
        soxr.resample(soundfile.read(whole, dtype="float32")[0][:, side], 8000, RATE_HZ, quality="HQ")
        for side in (0, 1)
    ]
    for side, start, end, text in lines_of(call.stem, source):
        target = folder / f"{call.stem}-{side}-{start}-{end}.wav"
        piece = sides[side][round(start * RATE_HZ) : round(end * RATE_HZ)]
        soundfile.write(target, (np.clip(piece, -1, 1) * 32767).astype(np.int16), RATE_HZ)
        rows.append((str(target), target.stat().st_size, text.lower().strip()))
    whole.unlink()
with (folder / "all.csv").open("w", encoding="utf-8", newline="") as stream:
    csv.writer(stream).writerows([("wav_filename", "wav_filesize", "transcript"), *rows])
