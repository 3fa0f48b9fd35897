"""A set in Hugging Face's form: Parquet files whose rows hold sound (Audio feature), text and what else is known.

    data/train-00000-of-00002.parquet …      README.md (the card: licence, language)

Splits are those of the file names. Columns are guessed by name (a note says which were taken) or named by
`--text-column`, `--id-column`, `--speaker-column`. `text` comes before `text_raw`: what was normalised once stays.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from corpora.errors import SourceError
from corpora.importer import AudioRef, Ignored, ImportOptions, RawSegment, Rejection, Scan, WorkUnit
from corpora.importers import _calls as recordings
from corpora.importers import _packed as packed
from corpora.options import Option
from corpora.sources.source import Source

_ROWS = re.compile(r"\.parquet!/g\d+/rows\.jsonl$")
_COLUMNS = {
    "text": ("text", "sentence", "transcription", "transcript", "normalized_text", "raw_text", "text_raw"),
    "id": ("utterance_id", "id", "segment_id", "audio_id", "client_segment_id"),
    "speaker": ("speaker_id", "speaker", "client_id", "user_id"),
}


class HuggingFaceImporter:
    """See the module."""

    name = "huggingface"
    version = "3"
    summary = "a Hugging Face set: Parquet files with sound and text"
    options = (
        packed.LICENCE,
        packed.LANGUAGE,
        *(
            Option(f"{key}_column", f"the column of the {key}, where its name does not say so")
            for key in _COLUMNS
        ),
    )

    def recognise(self, source: Source) -> bool:
        """Parquet files with sound."""
        return bool(source.names_matching(_ROWS))

    def scan(self, source: Source, options: ImportOptions) -> Scan:
        """One work unit for each row group.

        Raises:
            SourceError: no Parquet file with sound, or no column that can be the text.
        """
        tables = source.names_matching(_ROWS)
        if not tables:
            raise SourceError(f"{source.label} holds no Parquet file with a column of sound (bytes and path)")
        columns = _columns(source, tables[0], options.options)
        sounds: dict[str, list[str]] = {}
        for member in source.members():
            folder, _, _ = member.name.rpartition("/")
            sounds.setdefault(folder, []).append(member.name)
        units, splits = [], set()
        for table in tables:
            folder = table.rpartition("/")[0]
            split = packed.split_of(folder.partition(".parquet!")[0])
            splits.add(split)
            payload = {"table": table, "split": split, "columns": columns}
            cost = float(sum(source.member(name).size for name in sounds[folder]))
            units.append(WorkUnit(folder, payload, cost, tuple(sounds[folder]), split))
        facts = packed.facts_of(_name(source), source, options, splits)
        official = facts.split_rule == "official"
        for unit in units:
            unit.payload.update(language=facts.language, licence=facts.licence, official=official)  # type: ignore[attr-defined]
        if not official:
            units = [WorkUnit(one.key, one.payload, one.cost, one.members) for one in units]
        notes = (f"columns: {', '.join(f'{key} = {value}' for key, value in columns.items())}",)
        return Scan(facts, tuple(units), notes=notes)

    def read(self, source: Source, unit: WorkUnit) -> Iterator[RawSegment | Rejection | Ignored]:
        """Rows of one row group, in their order."""
        yield from recordings.without_twins(_items(source, unit.payload))


def _name(source: Source) -> str:
    return re.sub(r"[^a-z0-9_]+", "_", source.label.lower()).strip("_") or "huggingface"


def _columns(source: Source, table: str, options: Mapping[str, Any]) -> dict[str, str]:
    """Which column is what, from the first row."""
    lines = source.read_bytes(table).split(b"\n", 1)
    row: dict[str, Any] = json.loads(lines[0])["row"] if lines[0] else {}
    found = {}
    for key, names in _COLUMNS.items():
        given = options.get(f"{key}_column")
        if given is not None and given not in row:
            raise SourceError(f"{table} has no column {given!r}; it has {', '.join(row)}")
        column = given or next((name for name in names if name in row), None)
        if column is not None:
            found[key] = str(column)
    if "text" not in found:
        raise SourceError(
            f"{table}: none of its columns ({', '.join(row)}) is known as text: say --text-column NAME"
        )
    return found


def _items(source: Source, payload: Mapping[str, Any]) -> Iterator[RawSegment | Rejection | Ignored]:
    table, columns = payload["table"], payload["columns"]
    folder = table.rpartition("/")[0]
    for number, line in enumerate(source.read_bytes(table).decode("utf-8").splitlines(), 1):
        entry = json.loads(line)
        row, sound = entry["row"], f"{folder}/{entry['sound']}"
        stem = re.sub(r"[^A-Za-z0-9_.-]+", "-", folder.replace(".parquet!/", "-"))
        name = str(row.get(columns.get("id", ""), "") or f"{stem}-{entry['sound'].partition('.')[0]}")
        text = row.get(columns["text"])
        if not isinstance(text, str):
            reason = f"column {columns['text']} holds {type(text).__name__}, no text"
            yield Rejection(table, "bad_line", reason, name, number)
            continue
        speaker = row.get(columns.get("speaker", ""))
        yield RawSegment(
            utterance_id=name,
            recording_id=str(row.get("recording_id") or name),
            speaker_id=name if speaker in (None, "") else str(speaker),
            text_raw=text,
            style="common_voice",
            audio=AudioRef(sound),
            source_path=table,
            line=number,
            split=payload["split"] or None if payload["official"] else None,
            subset=str(row.get("subset") or ""),
            gender=packed.gender_of(row.get("gender")),
            language=packed.first_text(row, ("language", "locale", "lang")) or payload["language"],
            licence=packed.first_text(row, ("licence", "license")) or payload["licence"],
            donor_id=packed.first_text(row, ("donor_id",)),
            first_seen=packed.first_text(row, ("first_seen",)),
            flags=("speaker_unknown",) if speaker in (None, "") else (),
        )
