"""The flow of DeepSpeech's LibriSpeech importer: the `sox` package per file (its checks and children), CSV by pandas.

LAYOUT SOURCE FOLDER. Written anew after reading what import_librivox.py does; nothing of it is copied.
"""

import sys
import unicodedata
from pathlib import Path

import pandas
from sox import Transformer

source, folder = Path(sys.argv[2]), Path(sys.argv[3])
rows = []
for transcript in sorted(source.rglob("*.trans.txt")):
    for line in transcript.read_text(encoding="utf-8").splitlines():
        stem, _, text = line.partition(" ")
        plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii").lower().strip()
        target = folder / f"{stem}.wav"
        if not target.exists():
            transformer = Transformer()
            transformer.set_output_format(rate=16000)
            transformer.build(str(transcript.parent / f"{stem}.flac"), str(target))
        rows.append((str(target.absolute()), target.stat().st_size, plain))
table = pandas.DataFrame(rows, columns=["wav_filename", "wav_filesize", "transcript"])
table.to_csv(folder / "all.csv", index=False)
