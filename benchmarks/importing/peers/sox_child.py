"""Plain sox: one child process per FLAC to 16 kHz WAV, and a CSV. LAYOUT SOURCE FOLDER."""

import csv
import subprocess
import sys
from pathlib import Path

source, folder = Path(sys.argv[2]), Path(sys.argv[3])
rows = []
for transcript in sorted(source.rglob("*.trans.txt")):
    for line in transcript.read_text(encoding="utf-8").splitlines():
        stem, _, text = line.partition(" ")
        target = folder / f"{stem}.wav"
        command = [
            "sox",
            str(transcript.parent / f"{stem}.flac"),
            "-r",
            "16000",
            "-c",
            "1",
            "-b",
            "16",
            str(target),
        ]
        subprocess.run(command, check=True)
        rows.append((str(target), target.stat().st_size, text.lower().strip()))
with (folder / "all.csv").open("w", encoding="utf-8", newline="") as stream:
    csv.writer(stream).writerows([("wav_filename", "wav_filesize", "transcript"), *rows])
