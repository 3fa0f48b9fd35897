"""JSON lines (NeMo manifests and the like), JSON lists of objects, and the JSON that Whisper's programs write."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from corpora.formats import whisper
from corpora.formats.columns import Columns, columns_of, row_cue
from corpora.formats.cues import Cue, Hints, Transcript, TranscriptError
from corpora.formats.encodings import decode_text
from corpora.sources.lines import TextLine


def read(data: bytes, hints: Hints) -> Transcript:
    """One cue a row; no cue where rows do not name a sound and a text.

    Raises:
        TranscriptError: a JSON list that is damaged.
    """
    decoded = decode_text(data, hints.encoding)
    head = next((line.text.lstrip() for line in decoded.lines if line.text and line.text.strip()), "")
    if hints.name.lower().endswith(".json") and not _is_line(head, len(decoded.lines)):
        cues, unknown = _whole(decoded.text)
    else:
        rows = list(json_lines(decoded.lines))
        cues, unknown = _cues(rows)
    return Transcript(cues, encoding=decoded.encoding, guessed=decoded.guessed, unknown=unknown)


def parsed(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: none, too deep, a key that stands twice in an object, or a number that is none.
    """
    try:
        return json.loads(text, object_pairs_hook=_object)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice[:40]!r} stands twice in an object: which one is meant?")
    return found


def _is_line(text: str, lines: int) -> bool:
    """Whether the first line is an object of its own (a .json file that really holds JSON lines)."""
    try:
        row = parsed(text)
    except ValueError:
        return False
    return isinstance(row, dict) and not (lines == 1 and whisper.is_whisper(row))


def json_lines(lines: tuple[TextLine, ...]) -> Iterator[tuple[int, object]]:
    """(line, object) of every line; a Cue in the place of the object where it cannot be read."""
    for line in lines:
        if line.text is None:
            yield line.number, Cue(line.number, problem=line.problem, check="encoding")
        elif line.text.strip():
            try:
                yield line.number, parsed(line.text)
            except ValueError as error:
                yield line.number, Cue(line.number, problem=f"no JSON: {error}", text=line.text)


def _whole(text: str) -> tuple[tuple[Cue, ...], tuple[str, ...]]:
    try:
        value = parsed(text)
    except ValueError as error:
        raise TranscriptError("bad_json", f"no JSON: {error}") from error
    if isinstance(value, dict):
        if whisper.is_whisper(value):
            return tuple(whisper.cues_of(value)), ()
        lists = [
            rows for rows in value.values() if isinstance(rows, list) and rows and isinstance(rows[0], dict)
        ]
        value = lists[0] if len(lists) == 1 else list(map(str, value))
    rows = list(enumerate(value, 1)) if isinstance(value, list) else []
    return _cues(rows)


def _cues(rows: list[tuple[int, object]]) -> tuple[tuple[Cue, ...], tuple[str, ...]]:
    """Cues of rows, none where no row pairs a sound and a text; and the keys that were not understood."""
    keys: dict[str, None] = {}
    known = False
    for _, row in rows:
        if isinstance(row, dict):
            columns = columns_of(map(str, row))
            known = known or columns.pair_sound_and_text
            keys |= dict.fromkeys(columns.unknown if columns.pair_sound_and_text else map(str, row))
    return tuple(_cue(number, row) for number, row in rows) if known else (), tuple(sorted(keys))


def _cue(number: int, row: object) -> Cue:
    if isinstance(row, Cue):
        return row
    columns = columns_of(map(str, row)) if isinstance(row, dict) else Columns({}, {})
    if not isinstance(row, Mapping) or not columns.pair_sound_and_text:
        return Cue(
            number, problem="a row without sound and text", text=json.dumps(row, ensure_ascii=False)[:2000]
        )
    return row_cue(number, row, columns)
