"""Release 1 of Common Voice (2017): comma-separated tables, no speakers, parts that share their sentences.

    cv_corpus_v1/cv-valid-{train,dev,test}.csv   cv_corpus_v1/cv-valid-train/sample-000070.mp3

More than 99 % of the sentences of its dev and test are in its train, so its parts are kept as subsets but all
rows train; those of dev and test carry the flag `leaky`. Tables other than the valid ones are ignored. The
CSV may quote fields; one line is one row.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import PurePosixPath
from typing import Any

from corpora.errors import SourceError
from corpora.importer import AudioRef, Ignored, RawSegment, Rejection, WorkUnit
from corpora.importers import _calls as recordings
from corpora.importers._common_voice_facts import gender_of
from corpora.sources.lines import TextLine
from corpora.sources.names import unsafe_name
from corpora.sources.source import Source

TABLE = re.compile(r"(?:^|/)cv-valid-(train|dev|test)\.csv$")
SLICE_ROWS = 500
REMARK = (
    "release 1: nearly all sentences of its dev and test are in its train, and it names no speakers; all rows "
    "train, the parts are kept as subsets and those of dev and test are flagged leaky"
)
_NEEDED = ("filename", "text")


def tables(source: Source) -> list[str]:
    """The tables of release 1 in the source, none where it is another release."""
    return source.names_matching(TABLE)


def slices(source: Source, path: str, licence: str) -> Iterator[WorkUnit]:
    """Work units of at most 500 rows."""
    part = PurePosixPath(path).stem
    lines = iter(source.text_lines(path))
    head = next(lines, None)
    try:
        columns = next(csv.reader([(head.text or "") if head else ""]), [])
    except csv.Error as error:
        raise SourceError(f"{path} has no line of column names: {error}") from error
    while chunk := [line for line in islice(lines, SLICE_ROWS)]:
        rows = [[line.number, line.text, line.problem, line.finished] for line in chunk]
        members = [m for line in chunk if (m := _member(source, path, line, columns)) is not None]
        cost = sum(source.member(name).size for name in members)
        payload = {
            "release": 1,
            "table": path,
            "part": part,
            "columns": columns,
            "rows": rows,
            "licence": licence,
        }
        yield WorkUnit(f"{part}-{chunk[0].number:08d}", payload, cost, (path, *sorted(set(members))))


def _cells(text: str, columns: list[str]) -> dict[str, str]:
    """The row by column name.

    Raises:
        ValueError: another number of cells than columns, or a needed column is missing.
    """
    try:
        cells = next(csv.reader([text]), [])
    except csv.Error as error:
        raise ValueError(f"no row of a table: {error}") from error
    missing = [name for name in _NEEDED if name not in columns]
    if missing or len(cells) != len(columns):
        raise ValueError(
            f"{len(cells)} cells under {len(columns)} column names{' without ' if missing else ''}"
            f"{' and '.join(missing)}"
        )
    return dict(zip(columns, cells, strict=True))


def _member(source: Source, path: str, line: TextLine, columns: list[str]) -> str | None:
    try:
        clip = _cells(line.text or "", columns)["filename"]
    except ValueError:
        return None
    name = str(PurePosixPath(path).parent / clip) if PurePosixPath(path).parent.name else clip
    return name if name in source else None


def read(source: Source, payload: Mapping[str, Any]) -> Iterator[RawSegment | Rejection | Ignored]:
    """The rows of one slice, in the table's order."""
    for number, text, problem, finished in payload["rows"]:
        line = TextLine(number, text, problem, finished)
        if text is None:
            yield recordings.bad_line(
                payload["table"], line, "encoding", f"in row of line {number}: {problem}"
            )
        elif text.strip():
            yield _item(source, payload, line)


def _item(source: Source, payload: Mapping[str, Any], line: TextLine) -> RawSegment | Rejection:
    path, part = payload["table"], payload["part"]
    try:
        row = _cells(line.text or "", payload["columns"])
    except ValueError as error:
        return recordings.bad_line(path, line, "shifted_columns", str(error))
    stem = f"{part}-{PurePosixPath(row['filename']).stem}"
    problem = unsafe_name(row["filename"])
    if problem:
        reason = f"clip name {row['filename']!r}: {problem}"
        return Rejection(path, "unsafe_path", reason, stem, line.number, text_raw=row["text"])
    member = _member(source, path, line, payload["columns"])
    if member is None:
        reason = f"{row['filename']} is not in the source: was the download cut short?"
        return Rejection(path, "audio_missing", reason, stem, line.number, text_raw=row["text"])
    return RawSegment(
        utterance_id=stem,
        recording_id=stem,
        speaker_id=f"cv1-{stem}",
        text_raw=row["text"],
        style="common_voice",
        audio=AudioRef(member),
        source_path=path,
        line=line.number,
        split="train",
        subset=part,
        gender=gender_of(row.get("gender", "")),
        language="en",
        licence=payload["licence"],
        flags=(
            *(("leaky",) if part != "cv-valid-train" else ()),
            "speaker_unknown",
            *recordings.flags_of(line),
        ),
    )
