"""DeepSpeech's form: one CSV a split (`wav_filename,wav_filesize,transcript`), 16 kHz WAV files, alphabet.txt.

Paths are relative to the CSV, which DeepSpeech 0.9 and Coqui STT resolve themselves. 8 kHz corpora are
resampled, because the training of both wants one rate for all files.
"""

from __future__ import annotations

import csv
from pathlib import Path

from corpora.exports._files import Rows, write_wav
from store.corpus import Corpus

RATE_HZ = 16_000


def write(corpus: Corpus, splits: list[Rows], folder: Path) -> None:
    """`<split>.csv`, `wav/<split>/…` and the alphabet of the texts into an empty folder."""
    characters: set[str] = {" "}
    for rows in splits:
        place = folder / "wav" / rows.split
        place.mkdir(parents=True)
        with (folder / f"{rows.split}.csv").open("w", encoding="utf-8", newline="") as stream:
            table = csv.writer(stream, lineterminator="\n")
            table.writerow(["wav_filename", "wav_filesize", "transcript"])
            for row in rows:
                path = write_wav(row, place, RATE_HZ)
                table.writerow([str(path.relative_to(folder)), path.stat().st_size, row["text"]])
                characters.update(row["text"])
    lines = "".join(f"{character}\n" for character in sorted(characters))
    (folder / "alphabet.txt").write_text(lines, "utf-8")
