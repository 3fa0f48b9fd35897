"""The tables of a Common Voice directory, and the sentences in them, for a campaign that begins with it.

It reads rows and judges none: what they mean is decided by who asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from collect.errors import NotFoundError

_SENTENCE_TABLES = ("validated_sentences", "validated", "other", "train", "dev", "test")


@dataclass(frozen=True)
class Row:
    """One line of a table: the table's path, the line's number from 1, its cells by column."""

    table: Path
    line: int
    cells: dict[str, str]

    def count(self, column: str) -> int:
        """A number of votes; 0 where none stands."""
        text = self.cells.get(column, "").strip()
        return min(int(text), 99) if text.isascii() and text.isdigit() else 0


def rows_of(directory: Path, table: str) -> Iterator[Row]:
    """The rows of every `<table>.tsv` below a directory that has a column `sentence`.

    Empty cells at the end may be missing, as in old releases. Where a line has too many cells, or none for the
    sentence, `cells` is empty.
    """
    for path in sorted(directory.rglob(f"{table}.tsv")):
        with path.open(encoding="utf-8-sig", errors="replace", newline="\n") as stream:
            columns = stream.readline().rstrip("\r\n").split("\t")
            if "sentence" not in columns:
                continue
            for number, line in enumerate(stream, start=2):
                cells = line.rstrip("\r\n").split("\t")
                whole = columns.index("sentence") < len(cells) <= len(columns)
                yield Row(path, number, dict(zip(columns, cells, strict=False)) if whole else {})


def sentences_of(directory: Path) -> list[str]:
    """The sentences of a Common Voice directory (one language), each once, in the order of its tables.

    Raises:
        NotFoundError: there is no table with a column `sentence` in it.
    """
    found: dict[str, None] = {}
    for table in _SENTENCE_TABLES:
        found.update(dict.fromkeys(row.cells["sentence"] for row in rows_of(directory, table) if row.cells))
    if not found:
        raise NotFoundError(
            "{directory} holds no Common Voice table with a column `sentence`", directory=directory
        )
    return list(found)
