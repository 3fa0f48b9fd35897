"""JSON lines (NeMo manifests and the like) and JSON lists of objects: one row an utterance."""

from __future__ import annotations

import json
from collections.abc import Iterator

from corpora.formats.columns import column_map, is_table, row_cue
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
    if hints.name.lower().endswith(".json") and not _is_line(head):
        return Transcript(tuple(_list(decoded.text)), encoding=decoded.encoding, guessed=decoded.guessed)
    rows = list(_rows(decoded.lines))
    known = any(isinstance(row, dict) and is_table(column_map(list(row))) for _, row in rows)
    cues = tuple(_cue(number, row) for number, row in rows) if known else ()
    return Transcript(cues, encoding=decoded.encoding, guessed=decoded.guessed)


def _is_line(text: str) -> bool:
    """Whether the first line is an object of its own (a .json file that really holds JSON lines)."""
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _rows(lines: tuple[TextLine, ...]) -> Iterator[tuple[int, object]]:
    """(line, object) of every line; a Cue in the place of the object where it cannot be read."""
    for line in lines:
        if line.text is None:
            yield line.number, Cue(line.number, problem=line.problem, check="encoding")
        elif line.text.strip():
            try:
                yield line.number, json.loads(line.text)
            except (ValueError, RecursionError) as error:
                yield line.number, Cue(line.number, problem=f"no JSON: {error}", text=line.text)


def _cue(number: int | None, row: object) -> Cue:
    if isinstance(row, Cue):
        return row
    columns = column_map(list(row)) if isinstance(row, dict) else {}
    if not isinstance(row, dict) or not is_table(columns):
        return Cue(number, problem="a row without sound and text", text=json.dumps(row, ensure_ascii=False))
    return row_cue(number or 0, row, columns)


def _list(text: str) -> Iterator[Cue]:
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TranscriptError("bad_json", f"no JSON: {error}") from error
    rows = rows if isinstance(rows, list) else []
    if any(isinstance(row, dict) and is_table(column_map(list(row))) for row in rows):
        for number, row in enumerate(rows, 1):
            yield _cue(number, row)
