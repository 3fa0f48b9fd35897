"""Rejections on their way to `rejections.parquet`: written as they come, sorted without being held together.

A source of millions of bad lines then costs what sorting their places costs, some 100 bytes each, and not their text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from corpora.utterance import REJECTIONS_SCHEMA, Rejection
from store.writing import explain_write, temporary_beside

_TOGETHER = 1 << 13  # rows that are written, and read again, as one
_SORTED_TOGETHER = 1 << 17  # rows of a row group of what is published
_REPEATED = ["source_path", "check"]
_PLACES = ["source_path", "line", "utterance_id", "check", "start_s"]


class Refusals:
    """A file of rejections in the order in which they come; it has its final name when it is closed without error."""

    def __init__(self, path: Path, corpus: str) -> None:
        self.path, self.rows = path, 0
        self._corpus = corpus
        self._rows: list[dict[str, Any]] = []
        self._temporary = temporary_beside(path)
        with explain_write(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = _writer(self._temporary)

    def __enter__(self) -> Refusals:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._writer.close()
            self._temporary.unlink(missing_ok=True)

    def append(self, rejection: Rejection) -> None:
        """One more."""
        self.add_row(rejection.row(self._corpus))

    def add_row(self, row: dict[str, Any]) -> None:
        """One more, as a row of `REJECTIONS_SCHEMA`.

        Raises:
            StoreError: the disk is full or the like.
        """
        self._rows.append(row)
        self.rows += 1
        if len(self._rows) >= _TOGETHER:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            with explain_write(self.path):
                self._writer.write_table(pa.Table.from_pylist(self._rows, schema=REJECTIONS_SCHEMA))
            self._rows = []

    def close(self) -> None:
        """Write what is pending and give the file its final name.

        Raises:
            StoreError: the disk is full or the like.
        """
        self._flush()
        with explain_write(self.path):
            self._writer.close()
            self._temporary.replace(self.path)


def _writer(path: Path) -> pq.ParquetWriter:
    return pq.ParquetWriter(path, REJECTIONS_SCHEMA, compression="zstd", write_page_checksum=True)


def pieces(parts: Sequence[Path], columns: Sequence[str]) -> Iterator[pa.Table]:
    """Some columns of files that `Refusals` wrote, a row group at a time."""
    for part in parts:
        with pq.ParquetFile(part, page_checksum_verification=True) as stored:
            for number in range(stored.num_row_groups):
                yield stored.read_row_group(number, columns=[*columns], use_threads=False)


def write_sorted(
    path: Path, parts: Sequence[Path], change: Callable[[pa.Table], pa.Table] | None = None
) -> dict[str, int]:
    """Join files that `Refusals` wrote, in the order of their places; answers how many there are of each check.

    Args:
        change: what is done to rows before they are written, piece by piece.

    Raises:
        StoreError: the disk is full or the like.
    """
    order, starts, pieces = _order(parts)
    read = lru_cache(maxsize=16)(_piece)
    counts: Counter[str] = Counter()
    temporary = temporary_beside(path)
    with explain_write(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with _writer(temporary) as writer:
            for first in range(0, max(len(order), 1), _SORTED_TOGETHER):
                rows = order[first : first + _SORTED_TOGETHER]
                table = _gathered(rows, starts, lambda number: read(*pieces[number]))
                for entry in table["check"].value_counts().to_pylist():
                    counts[entry["values"]] += entry["counts"]
                writer.write_table(change(table) if change else table)
        temporary.replace(path)
    return dict(sorted(counts.items()))


def _order(
    parts: Sequence[Path],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], list[tuple[Path, int]]]:
    """All rows in the order of their places, where each piece (file, row group) begins, and the pieces."""
    import pyarrow.compute as pc

    pieces: list[tuple[Path, int]] = []
    lengths: list[int] = []
    places: list[pa.Table] = []
    for part in parts:
        with pq.ParquetFile(part, read_dictionary=_REPEATED, page_checksum_verification=True) as stored:
            for number in range(stored.num_row_groups):
                pieces.append((part, number))
                lengths.append(stored.metadata.row_group(number).num_rows)
            places.append(stored.read(_PLACES, use_threads=False))
    table = pa.concat_tables(places)
    keys = {
        "path": _ranks(table["source_path"]),
        "line": pc.fill_null(table["line"], 0),
        "id": pc.fill_null(table["utterance_id"], ""),
        "check": _ranks(table["check"]),
        "start": pc.fill_null(table["start_s"], -1.0),
    }
    del places, table
    by_place = pc.sort_indices(pa.table(keys), sort_keys=[(name, "ascending") for name in keys])
    return by_place.to_numpy().astype(np.int64), np.cumsum([0, *lengths])[:-1], pieces


def _ranks(column: pa.ChunkedArray) -> pa.Array:
    """Numbers in the order of a column's strings, given as codes; null counts as empty."""
    import pyarrow.compute as pc

    values = sorted({value for chunk in column.chunks for value in chunk.dictionary.to_pylist()} - {"", None})
    rank = {value: number for number, value in enumerate(values, 1)}
    ranks = [np.empty(0, np.int32)]
    for chunk in column.chunks:
        here = np.array([0, *(rank.get(value, 0) for value in chunk.dictionary.to_pylist())], np.int32)
        ranks.append(here[pc.fill_null(chunk.indices, -1).to_numpy() + 1])
    return pa.array(np.concatenate(ranks))


def _piece(path: Path, number: int) -> pa.Table:
    with pq.ParquetFile(path, page_checksum_verification=True) as stored:
        return stored.read_row_group(number, use_threads=False)


def _gathered(
    rows: npt.NDArray[np.int64], starts: npt.NDArray[np.int64], read: Callable[[int], pa.Table]
) -> pa.Table:
    """Rows by their numbers over all pieces, in the order asked for."""
    owner = np.searchsorted(starts, rows, side="right") - 1
    found, places = [REJECTIONS_SCHEMA.empty_table()], []
    for number in np.unique(owner):
        mine = np.flatnonzero(owner == number)
        found.append(read(int(number)).take(pa.array(rows[mine] - starts[number])))
        places.append(mine)
    if not places:
        return found[0]
    back = np.empty(len(rows), np.int64)
    back[np.concatenate(places)] = np.arange(len(rows))
    return pa.concat_tables(found).take(pa.array(back)).combine_chunks()
