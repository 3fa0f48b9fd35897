"""Common Voice (release 6): `cv-corpus-6.1-2020-12-11/en/` with `clips/*.mp3` and never-quoted TSV tables.

Clips are 48 kHz mono MP3. `validated.tsv` repeats the rows of `train.tsv`, `dev.tsv` and `test.tsv`, as in
the real releases. Sentences get a capital and a full stop, every fourth a typographic apostrophe, every
fifth double quotes. A bad time cannot be planted here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from demo.layouts import ODD_TOKEN, RATE_HZ, Defects, Placed, Planted, SpokenUtterance, Written, files

RELEASE = "cv-corpus-6.1-2020-12-11"
COLUMNS = (
    "client_id",
    "path",
    "sentence",
    "up_votes",
    "down_votes",
    "age",
    "gender",
    "accent",
    "locale",
    "segment",
)
CLIP_RATE_HZ = 48000
_GENDER = {"m": "male", "f": "female"}


def write(root: Path, utterances: Sequence[SpokenUtterance], defects: Defects | None = None) -> Written:
    """Write `root/cv-corpus-6.1-2020-12-11` and say where everything went."""
    target = root / RELEASE
    clients = {name: hashlib.sha512(name.encode()).hexdigest() for name in files.speaker_order(utterances)}
    placed: list[Placed] = []
    tables: dict[str, list[str]] = {"train": [], "dev": [], "test": []}
    with files.building(target) as partial:
        for index, item in enumerate(utterances):
            clip, text = f"common_voice_en_{1000001 + index}.mp3", sentence(item.text, index)
            _write_clip(partial, clip, item)
            tables[item.split].append(_row(clients[item.speaker], clip, text, item.gender))
            placed.append(Placed(index, f"en/clips/{clip}", 0, 0.0, len(item.samples) / RATE_HZ, text))
        planted = _plant(partial, utterances, tables, defects or Defects())
        for name, rows in tables.items():
            files.write_text(partial / f"en/{name}.tsv", ["\t".join(COLUMNS), *rows])
        validated = sorted(row for rows in tables.values() for row in rows)
        files.write_text(partial / "en/validated.tsv", ["\t".join(COLUMNS), *validated])
    return Written(target, tuple(placed), tuple(planted), clients)


def sentence(text: str, index: int) -> str:
    """Plain words -> a sentence as people type it."""
    typed = text[:1].upper() + text[1:] + "."
    if index % 4 == 0:
        typed = typed.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}")
    return f'"{typed}"' if index % 5 == 0 else typed


def _write_clip(partial: Path, clip: str, item: SpokenUtterance) -> None:
    files.write_audio(partial / "en/clips" / clip, files.resample(item.samples, CLIP_RATE_HZ), CLIP_RATE_HZ)


def _row(client: str, clip: str, text: str, gender: str) -> str:
    return "\t".join((client, clip, text, "2", "0", "", _GENDER.get(gender, ""), "", "en", ""))


def _plant(
    partial: Path, utterances: Sequence[SpokenUtterance], tables: dict[str, list[str]], defects: Defects
) -> list[Planted]:
    """Add defective rows to train.tsv, each with a client of its own."""
    model = files.example(utterances)
    planted = []
    for number, kind in enumerate(files.kinds(defects, "truncated_audio", "odd_token", "missing_audio")):
        clip = f"common_voice_en_{2000001 + number}.mp3"
        text = f"{sentence(model.text, 1)} {ODD_TOKEN}" if kind == "odd_token" else sentence(model.text, 1)
        if kind != "missing_audio":
            _write_clip(partial, clip, model)
        if kind == "truncated_audio":
            files.truncate_file(partial / "en/clips" / clip)
        client = hashlib.sha512(f"planted {number}".encode()).hexdigest()
        tables["train"].append(_row(client, clip, text, model.gender))
        line = len(tables["train"]) + 1
        place = f"en/clips/{clip}" if kind == "truncated_audio" else "en/train.tsv"
        planted.append(Planted(kind, place, None if place.endswith(".mp3") else line, 1, text))
    return planted
