"""The cheapest honest way to telephone calls as WAV cuts: sph2pipe, soxr, soundfile, CSV. LAYOUT SOURCE FOLDER.

One sph2pipe child per call with both sides, resampled to 16 kHz by soxr HQ as float32, cut by the transcript, one
16-bit WAV per utterance. Nobody's importer; what DeepSpeech's costs without librosa and pandas.
"""

import csv
import io
import subprocess
import sys
from pathlib import Path

import soundfile
import soxr
from telephone_lines import lines_of

layout, source, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
RATE_HZ = 16000

rows = []
for call in sorted(source.rglob("*.sph")):
    decoded = subprocess.run(["sph2pipe", "-p", "-f", "rif", str(call)], check=True, stdout=subprocess.PIPE)
    whole, rate_hz = soundfile.read(io.BytesIO(decoded.stdout), dtype="float32")
    sides = [soxr.resample(whole[:, side], rate_hz, RATE_HZ, quality="HQ") for side in (0, 1)]
    for side, start, end, text in lines_of(layout, call.stem, source):
        target = folder / f"{call.stem}-{side}-{start}-{end}.wav"
        soundfile.write(target, sides[side][round(start * RATE_HZ) : round(end * RATE_HZ)], RATE_HZ, "PCM_16")
        rows.append((str(target), target.stat().st_size, text.lower().strip()))
with (folder / "all.csv").open("w", encoding="utf-8", newline="") as stream:
    csv.writer(stream).writerows([("wav_filename", "wav_filesize", "transcript"), *rows])
