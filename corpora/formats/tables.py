"""CSV and TSV with a header whose columns are known by name; anything else needs [table] in donation.toml."""

from __future__ import annotations

import csv

from corpora.formats.columns import column_map, is_table, row_cue
from corpora.formats.cues import Cue, Hints, Transcript
from corpora.formats.encodings import decode_text


def read(data: bytes, hints: Hints) -> Transcript:
    """One cue a row; no cue at all where the header does not name a sound and a text.

    Tabs separate plain fields (quotation marks are text); commas and semicolons follow the rules of CSV, with
    one row a line, so that a stray quotation mark costs its own line only.
    """
    decoded = decode_text(data, hints.encoding)
    header = next((line for line in decoded.lines if line.text and line.text.strip()), None)
    if header is None or header.text is None:
        return Transcript((), encoding=decoded.encoding)
    delimiter = next((sign for sign in "\t;," if sign in header.text), ",")
    names = [name.strip() for name in _cells(header.text, delimiter)]
    columns = column_map(names)
    if not is_table(columns):
        return Transcript((), encoding=decoded.encoding)
    cues = []
    for line in decoded.lines[header.number :]:
        if line.text is None:
            cues.append(Cue(line.number, problem=line.problem, check="encoding"))
        elif line.text.strip():
            cells = _cells(line.text, delimiter)
            if len(cells) != len(names):
                problem = f"{len(cells)} columns, {len(names)} wanted ({', '.join(names)})"
                cues.append(Cue(line.number, problem=problem, text=line.text))
            else:
                cues.append(row_cue(line.number, dict(zip(names, cells, strict=True)), columns))
    return Transcript(tuple(cues), encoding=decoded.encoding, guessed=decoded.guessed)


def _cells(text: str, delimiter: str) -> list[str]:
    return text.split("\t") if delimiter == "\t" else next(csv.reader([text], delimiter=delimiter), [])
