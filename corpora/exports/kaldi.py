"""Kaldi's form: one data directory a split (wav.scp, text, utt2spk, spk2utt, utt2dur, spk2gender), sound as WAV.

wav.scp holds plain paths, no command: nothing is executed by reading it. Paths are relative to the export's
folder, from which Kaldi's tools are then run. Utterance ids begin with their speaker's, as Kaldi's sorting wants;
all tables are sorted by bytes (`LC_ALL=C`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path

from corpora.exports._files import Rows, file_name, write_wav
from store.corpus import Corpus


def write(corpus: Corpus, splits: list[Rows], folder: Path) -> None:
    """`data/<split>/…` and `wav/<split>/…` into an empty folder."""
    for rows in splits:
        place = folder / "wav" / rows.split
        place.mkdir(parents=True)
        tables: dict[str, dict[str, str]] = defaultdict(dict)
        voices: dict[str, list[str]] = defaultdict(list)
        genders: dict[str, Counter[str]] = defaultdict(Counter)
        for row in rows:
            speaker = file_name(row["speaker_id"], "")
            name = file_name(row["utterance_id"], "")
            key = name if name.startswith(speaker) else f"{speaker}-{name}"
            path = write_wav(row, place)
            tables["wav.scp"][key] = str(path.relative_to(folder))
            tables["text"][key] = row["text"]
            tables["utt2spk"][key] = speaker
            tables["utt2dur"][key] = f"{row['duration_s']:.4f}"
            voices[speaker].append(key)
            genders[speaker][row["gender"] or ""] += 1
        tables["spk2utt"] = {speaker: " ".join(sorted(keys)) for speaker, keys in voices.items()}
        known = {speaker: count.most_common(1)[0][0] for speaker, count in genders.items()}
        tables["spk2gender"] = {speaker: gender for speaker, gender in known.items() if gender in ("f", "m")}
        for table, entries in tables.items():
            _write_table(folder / "data" / rows.split / table, entries)


def _write_table(path: Path, entries: Mapping[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    ordered = sorted(entries.items(), key=lambda entry: entry[0].encode())
    path.write_text("".join(f"{key} {value}\n" for key, value in ordered), "utf-8")
