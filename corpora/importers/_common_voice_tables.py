"""Common Voice's never-quoted tables: their headers, their rows, and which of them stand together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath

from corpora.errors import SourceError
from corpora.sources.lines import TextLine, decode_lines
from corpora.sources.source import Source
from corpora.text.language_tags import language_tag

_TABLE = re.compile(r"(?:^|/)(train|dev|test|validated)\.tsv$")
_NEEDED = ("client_id", "path", "sentence")
_VOTES = ("up_votes", "down_votes")
_ORDER = ("test", "dev", "train", "validated")


@dataclass(frozen=True)
class Table:
    """One TSV: its member name, split name, column names, and the folder it stands in."""

    path: str
    name: str
    columns: tuple[str, ...]
    folder: str

    def cells(self, line: TextLine) -> dict[str, str]:
        """The row by column name; empty cells at its end may be missing, as releases 5 and 6 write them.

        Raises:
            ValueError: more cells than columns, or votes that are no numbers: a shifted row.
        """
        cells = (line.text or "").split("\t")
        needed = max(at for at, name in enumerate(self.columns) if name in (*_NEEDED, *_VOTES))
        if not needed < len(cells) <= len(self.columns):
            raise ValueError(f"{len(cells)} cells under {len(self.columns)} column names")
        cells += [""] * (len(self.columns) - len(cells))
        row = dict(zip(self.columns, cells, strict=True))
        for votes in _VOTES:
            if votes in row and not row[votes].strip().isdigit():
                raise ValueError(f"{votes} is {row[votes]!r}, not a number: the row's cells are shifted")
        return row


def table_names(source: Source) -> list[str]:
    """Members that are train, dev, test or validated.tsv."""
    return source.names_matching(_TABLE)


def tables_by_folder(source: Source) -> dict[str, list[Table]]:
    """The split tables of every folder that has some, evaluation splits first, so that leaks are found in training.

    Raises:
        SourceError: a table lacks a column, or its lines end with CR alone.
    """
    folders: dict[str, list[Table]] = {}
    for path in table_names(source):
        folder, _, name = path.rpartition("/")
        head = header(source, path)
        columns = tuple((head.text or "").split("\t")) if head else ()
        missing = [column for column in _NEEDED if column not in columns]
        if missing:
            raise SourceError(f"{path} has no column {' and '.join(missing)}: is it a Common Voice table?")
        folders.setdefault(folder, []).append(Table(path, name.removesuffix(".tsv"), columns, folder))
    return {
        folder: sorted(tables, key=lambda table: _ORDER.index(table.name))
        for folder, tables in folders.items()
    }


def header(source: Source, path: str) -> TextLine | None:
    """The first line of a table.

    Raises:
        SourceError: its lines end with CR alone, so that all of it would pass for column names.
    """
    with source.open(path) as stream:
        first = stream.readline()
    if b"\r" in first.rstrip(b"\r\n"):
        raise SourceError(
            f"{path} ends its lines with CR alone: write it with LF, or take the table as it was published"
        )
    return next(iter(decode_lines(first)), None)


def language_of(source: Source, table: Table) -> str:
    """What the first row says, else the folder's name, else English."""
    for line, _, _ in islice(rows_of(source, table.path), 1):
        said = dict(zip(table.columns, (line.text or "").split("\t"), strict=False)).get("locale", "").strip()
        if said:
            try:
                return language_tag(said)
            except ValueError:
                break  # the row is refused when it is read
    folder = PurePosixPath(table.folder.replace("!", "/")).name
    return folder if re.fullmatch(r"[a-z]{2,3}(-[A-Za-z]+)?", folder) else "en"


def rows_of(source: Source, path: str) -> Iterator[tuple[TextLine, int, int]]:
    """(line, offset, bytes) of every row below the header; rows end at line feeds and nowhere else."""
    with source.open(path) as stream:
        offset = len(stream.readline())
        number = 1
        while raw := stream.readline():
            number += 1
            line = next(iter(decode_lines(raw)), None)  # none where it is only a byte order mark
            if line is not None and (line.text is None or line.text.strip()):
                yield TextLine(number, line.text, line.problem), offset, len(raw)
            offset += len(raw)


def clip_member(folder: str, clip: str) -> str:
    """Where a clip lies beside the tables of `folder`."""
    return f"{folder}/clips/{clip}" if folder else f"clips/{clip}"


def clip_name(path: str) -> str:
    """The clip's file name; early releases leave `.mp3` away."""
    return path if path.lower().endswith(".mp3") else f"{path}.mp3"
