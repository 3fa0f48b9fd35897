"""Texts that lie beside recordings and were not understood: what each was taken for, and what would read it.

A file is spoken of where its name is that of a recording, or where its cells name recordings; all others are
documents. Only the beginning of a file is looked at.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from corpora.donations.description import Donation
from corpora.donations.pairing import AudioIndex, inner
from corpora.formats.columns import columns_of
from corpora.formats.cues import TranscriptError
from corpora.formats.encodings import decode_text
from corpora.formats.json_rows import json_lines, parsed
from corpora.formats.tables import delimiter_of
from corpora.sources.source import Source

_TEXTS = re.compile(
    r"\.(csv|tsv|tab|psv|tbl|txt|text|json|jsonl|ndjson|xml|lst|list|trn|trans|lab)$|(^|/)[^/.]+$", re.I
)
_DOCUMENT = re.compile(
    r"(^|/)(read ?me|licen[cs]e|copying|notice|changes|changelog)[^/]*$|donation\.toml$", re.I
)
_HEAD_BYTES, _ROWS = 1 << 16, 20


@dataclass(frozen=True)
class Unread:
    """A text that was not understood, and why."""

    path: str
    reason: str


def unread_texts(
    source: Source, donation: Donation, audio: AudioIndex, names: Sequence[str]
) -> Iterator[Unread]:
    """The texts among the names that belong to recordings."""
    for path in names:
        if not _TEXTS.search(path) or _DOCUMENT.search(path):
            continue
        reason = why_unread(source, donation, audio, path)
        if reason:
            yield Unread(path, reason)


def why_unread(source: Source, donation: Donation, audio: AudioIndex, path: str) -> str:
    """What a file was taken for and lacks; "" where it has nothing to do with the recordings."""
    with source.open(path) as stream:
        head = stream.read(_HEAD_BYTES)
    try:
        lines = decode_text(head, donation.encoding).lines
    except TranscriptError:
        return ""
    texts = [line.text for line in lines if line.text and line.text.strip()][: _ROWS + 1]
    rows, kind = _json_rows(path, lines, "\n".join(line.text or "" for line in lines)), "JSON"
    keys = list(dict.fromkeys(str(key) for row in rows for key in row))
    header, cells = bool(rows), [[str(row.get(key, "")) for key in keys] for row in rows]
    delimiter = ""
    if not rows and texts:
        kind, delimiter = "a table", delimiter_of(texts[0])
        table = [_split(text, delimiter) for text in texts]
        cells = [row for row in table if len(row) == len(table[0]) and len(row) > 1]
        header = bool(cells) and _column_of_names(path, cells[:1], audio) is None
        keys = cells.pop(0) if header and cells else [f"column{at}" for at in range(1, len(table[0]) + 1)]
    names = _column_of_names(path, cells, audio)
    if names is not None and keys:
        return _with_advice((kind, path, delimiter), keys, cells, (names, header))
    if audio.for_transcript(path, ()):
        told = f"taken for {kind} with {', '.join(keys[:12])}" if len(keys) > 1 else "its form is not known"
        return f"it is called like a recording; {told}; it has no columns of times and text that are known"
    return ""


def _split(text: str, delimiter: str) -> list[str]:
    if delimiter in ",;":
        try:
            return next(csv.reader([text], delimiter=delimiter), [])
        except csv.Error:
            return []
    return text.split(delimiter)


def _json_rows(path: str, lines: Sequence[object], text: str) -> list[dict[str, object]]:
    """The first objects of JSON lines or of a JSON list, [] where there are none."""
    if not path.lower().endswith((".json", ".jsonl", ".ndjson")):
        return []
    rows = [row for _, row in json_lines(tuple(lines)) if isinstance(row, dict)]  # type: ignore[arg-type]
    if not rows:
        try:
            value = parsed(text)
        except ValueError:
            return []
        rows = [value] if isinstance(value, dict) else value if isinstance(value, list) else []
    return [row for row in rows[:_ROWS] if isinstance(row, dict)]


def _column_of_names(path: str, cells: Sequence[Sequence[str]], audio: AudioIndex) -> int | None:
    """The column whose cells name recordings, or None."""
    folder = str(PurePosixPath(path).parent)
    counts = [
        sum(bool(row[at].strip()) and len(audio.find(folder, row[at].strip())) == 1 for row in cells)
        for at in range(len(cells[0]) if cells else 0)
    ]
    best = max(range(len(counts)), key=lambda at: counts[at], default=None)
    return best if best is not None and counts[best] * 2 >= len(cells) and counts[best] else None


def _with_advice(
    file: tuple[str, str, str], keys: Sequence[str], cells: Sequence[Sequence[str]], found: tuple[int, bool]
) -> str:
    kind, path, delimiter = file
    names, header = found
    columns = columns_of(dict.fromkeys(keys))
    letters = [
        sum(c.isalpha() or c.isspace() for row in cells for c in row[at]) * (at != names)
        for at in range(len(keys))
    ]
    text = columns.of.get("text") or keys[max(range(len(keys)), key=lambda at: letters[at])]
    lines = ["[table]", f"file = '{inner(path)}'"]
    if delimiter:
        lines.append(f"delimiter = '{'tab' if delimiter == chr(9) else delimiter}'")
    if not header:
        lines.append(f"columns = [{', '.join(repr(str(key)) for key in keys)}]")
    lines += [f"audio = '{{{keys[names]}}}'", f"text = '{text}'"]
    known = (("sound", "recording" in columns.of), ("text", "text" in columns.of))
    missing = " and ".join(f"no column known as {what}" for what, there in known if not there)
    told = ", ".join(map(str, keys[:12])) + ("" if header else " (it has no line of column names)")
    return (
        f"taken for {kind} with {told}; it names recordings and has {missing or 'no usable row'}; this in "
        f"donation.toml would read it: {' / '.join(lines)}"
    )
