"""A campaign in the layout of Common Voice: tables of tabs and clips as MP3, as its tools expect them.

    <to>/<language>/{validated,invalidated,other}.tsv   and train, dev, test.tsv once the corpus is published
    <to>/<language>/clips/<id>.mp3

The splits are those of the published corpus. The way in stands in collect/clips/common_voice.py.
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from collect.errors import CollectError, NotFoundError
from store.writing import temporary_beside, write_bytes_atomic

COLUMNS = (
    "client_id", "path", "sentence_id", "sentence", "up_votes", "down_votes", "age", "gender", "accents", "locale",
)  # fmt: skip
_GENDERS = {"female": "female_feminine", "male": "male_masculine", "other": "do_not_wish_to_say"}
_STATES = {"validated": "accepted", "invalidated": "refused"}


def export(snapshot: Path, to: Path, speaker_splits: dict[str, list[str]]) -> dict[str, int]:
    """Write the directory; answers rows by table.

    Args:
        speaker_splits: split → voices, from the manifest of the published corpus; {} = not published.

    Raises:
        CollectError: `to` is there already and not empty. NotFoundError: no snapshot.
    """
    if not (snapshot / "campaign.json").is_file():
        raise NotFoundError(f"{snapshot} holds no snapshot: publish the campaign first")
    if to.is_dir() and any(to.iterdir()):
        raise CollectError(f"{to} is not empty: name a new directory")
    about = json.loads((snapshot / "campaign.json").read_bytes())
    partial = temporary_beside(to)
    shutil.rmtree(partial, ignore_errors=True)
    folder = partial / about["language"]
    (folder / "clips").mkdir(parents=True)
    rows = sorted(_rows(snapshot), key=lambda row: row["clip"])
    split_of = {voice: split for split, voices in speaker_splits.items() for voice in voices}
    tables: dict[str, list[dict[str, Any]]] = {name: [] for name in _STATES}
    for row in rows:
        for name, state in _STATES.items():
            if row["state"] == state:
                tables[name].append(row)
        if row["state"] == "accepted":
            _write_clip(snapshot, folder / "clips", row["clip"])
            if row["voice"] in split_of:
                tables.setdefault(split_of[row["voice"]], []).append(row)
    for name, found in tables.items():
        lines = ["\t".join(COLUMNS), *(_line(row, about["language"]) for row in found)]
        write_bytes_atomic(folder / f"{name}.tsv", ("\n".join(lines) + "\n").encode())
    if to.is_dir():
        to.rmdir()
    partial.rename(to)
    return {name: len(found) for name, found in sorted(tables.items())}


def _rows(snapshot: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(snapshot.glob("clips/*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            yield json.loads(line)


def _write_clip(snapshot: Path, clips: Path, clip: str) -> None:
    import soundfile

    samples, rate_hz = soundfile.read(snapshot / "sound" / clip[:2] / f"{clip}.flac", dtype="int16")
    encoded = io.BytesIO()
    soundfile.write(encoded, samples, rate_hz, format="MP3", subtype="MPEG_LAYER_III")
    (clips / f"{clip}.mp3").write_bytes(encoded.getvalue())


def _line(row: dict[str, Any], language: str) -> str:
    gender = _GENDERS.get(row["gender"], "")
    cells = (
        row["voice"], f"{row['clip']}.mp3", row["sentence"], row["text"], str(row["yes"]), str(row["no"]),
        row["age"], gender, row["accent"], language,
    )  # fmt: skip
    return "\t".join(" ".join(cell.split()) for cell in cells)
