"""CSV and TSV with a header whose columns are known by name; anything else needs [table] in donation.toml.

A field that opens a quotation mark and does not close it in its line is read on by the rules of CSV, where the lines
below can be nothing else; otherwise its row is refused: half a text must not pass for the whole. A table of times
and texts that names no recording is of the recording it is called after.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from corpora.formats.columns import Columns, columns_of, row_cue
from corpora.formats.cues import Cue, Hints, Transcript, TranscriptError
from corpora.formats.encodings import Decoded, decode_text
from corpora.sources.lines import TextLine

_WHOLE = re.compile(r"[0-9]{1,11}")
_SEPARATOR = re.compile(r"sep=(.)", re.IGNORECASE)  # the first line that Excel understands
_LINES_OF_A_ROW = 50
_OPEN = "a quotation mark is opened and not closed: where the row ends is not known"
UNFINISHED_FLAG = "last_line_unfinished"


@dataclass(frozen=True, slots=True)
class Row:
    """A row with its first line, or why it is none; `text` is what stands there."""

    number: int
    cells: tuple[str, ...] = ()
    problem: str = ""
    check: str = "bad_line"
    text: str = ""


def read(data: bytes, hints: Hints) -> Transcript:
    """One cue a row; no cue at all where the header does not name a sound and a text.

    Raises:
        TranscriptError: a column that is wanted stands twice.
    """
    decoded = decode_text(data, hints.encoding)
    lines = (line for line in decoded.lines if line.text and line.text.strip())
    header = next(lines, None)
    named = _SEPARATOR.fullmatch(header.text.strip("\ufeff\r\n ")) if header and header.text else None
    header = next(lines, None) if named else header
    if header is None or header.text is None:
        return Transcript((), encoding=decoded.encoding)
    delimiter = named[1] if named else delimiter_of(header.text)
    names = [name.strip() for name in cells_of(header.text, delimiter) or []]
    try:
        columns = columns_of(names)
    except ValueError as error:
        raise TranscriptError("bad_table", str(error), header.number) from error
    if not (columns.pair_sound_and_text or columns.are_of_one_recording):
        return Transcript((), encoding=decoded.encoding, unknown=tuple(names))
    at = decoded.lines.index(header)
    found: Iterable[Row] = rows_of(decoded.lines[at + 1 :], delimiter, len(names))
    if delimiter == "\t" and sorted(names) == ["end", "start", "text"]:
        found = list(found)  # rows of large tables are never held together
        columns = _unit_of_whisper(columns, names, found)
    cues = [_cue(row, names, columns) for row in found]
    if cues and decoded.unfinished:
        cues[-1] = replace(cues[-1], flags=(*cues[-1].flags, UNFINISHED_FLAG))
    return _transcript(cues, decoded, columns)


def _transcript(cues: list[Cue], decoded: Decoded, columns: Columns) -> Transcript:
    return Transcript(
        tuple(cues), encoding=decoded.encoding, guessed=decoded.guessed, unknown=columns.unknown
    )


def delimiter_of(header: str) -> str:
    """Tab, bar, semicolon or comma: the first of these that a header holds."""
    return next((sign for sign in "\t|;," if sign in header), ",")


def cells_of(text: str, delimiter: str) -> list[str] | None:
    """The fields of one line; None where its quotation marks do not close, or it is no CSV.

    Quotation marks count between commas, semicolons and bars; between tabs only where they wrap a whole field.
    """
    if delimiter == "\t" and not any(cell.startswith('"') for cell in text.split("\t")):
        return text.split("\t")
    if text.count('"') % 2 and (delimiter != "\t" or _opens(text)):
        return None
    if delimiter == "\t":
        return [_unwrapped(cell) for cell in text.split("\t")]
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=False), [])
    except csv.Error:
        return None


def _opens(text: str) -> bool:
    """Whether a field between tabs begins with a quotation mark that no field of the line closes."""
    return any(cell.startswith('"') and cell.count('"') % 2 for cell in text.split("\t"))


def _unwrapped(cell: str) -> str:
    whole = len(cell) > 1 and cell.startswith('"') and cell.endswith('"')
    return cell[1:-1].replace('""', '"') if whole else cell


def rows_of(lines: Sequence[TextLine], delimiter: str, width: int) -> Iterator[Row]:
    """The rows below a header of `width` columns; every line that holds something is in one of them."""
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if line.text is None:
            yield Row(line.number, problem=line.problem, check="encoding")
        elif line.text.strip():
            cells = cells_of(line.text, delimiter)
            if cells is None:
                taken, cells = _read_on(lines, at - 1, delimiter, width)
                at += taken
            if cells is None:
                yield Row(line.number, problem=_why(line.text), text=line.text)
            elif len(cells) != width:
                yield Row(line.number, problem=f"{len(cells)} columns, {width} wanted", text=line.text)
            else:
                yield Row(line.number, tuple(cells), text=line.text)


def _why(text: str) -> str:
    if text.count('"') % 2:
        return _OPEN
    return "no row of a table: a carriage return or a field of more than 131,072 letters in it"


def _read_on(lines: Sequence[TextLine], at: int, delimiter: str, width: int) -> tuple[int, list[str] | None]:
    """(lines taken beyond the first, cells) of a row whose field runs over lines; (0, None) where that is in doubt."""
    said = lines[at].text or ""
    for more in range(1, min(_LINES_OF_A_ROW, len(lines) - at)):
        text = lines[at + more].text
        if text is None:
            return 0, None
        alone = cells_of(text, delimiter)
        if alone is not None and len(alone) == width and width > 1:
            return 0, None  # that line is a row of its own
        said += "\n" + text
        if said.count('"') % 2 == 0:
            try:
                cells = list(csv.reader(io.StringIO(said, newline=""), delimiter=delimiter, strict=True))
            except csv.Error:
                return 0, None
            return (more, cells[0]) if len(cells) == 1 and len(cells[0]) == width else (0, None)
    return 0, None


def _cue(row: Row, names: Sequence[str], columns: Columns) -> Cue:
    if row.problem:
        wanted = f" ({', '.join(names)})" if "columns" in row.problem else ""
        return Cue(row.number, problem=row.problem + wanted, check=row.check, text=row.text)
    return row_cue(row.number, dict(zip(names, row.cells, strict=True)), columns)


def _unit_of_whisper(columns: Columns, names: Sequence[str], found: list[Row]) -> Columns:
    """Whisper's TSV has `start end text` in whole milliseconds and does not say so."""
    at = {name: names.index(name) for name in ("start", "end")}
    spans = [(row.cells[at["start"]], row.cells[at["end"]]) for row in found if row.cells]
    if not spans or not all(_WHOLE.fullmatch(a) and _WHOLE.fullmatch(b) for a, b in spans):
        return columns
    lengths = sorted(int(b) - int(a) for a, b in spans)
    milliseconds = lengths[len(lengths) // 2] >= 100  # seconds would be segments of minutes
    return replace(columns, units={"start": 0.001, "end": 0.001}) if milliseconds else columns
