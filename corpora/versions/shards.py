"""Writing and reading the Parquet files of a corpus.

Uncompressed (the audio already is), row groups of about 1.5 MB so that one utterance can be fetched cheaply,
no dictionary or statistics on the sound, a checksum on every page. The same rows give the same bytes (for one
version of pyarrow).
Hugging Face's `datasets` reads the files as an Audio feature from the schema's metadata.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpora.utterance import MEASURES, SCHEMA
from store.writing import explain_write, temporary_beside

ROW_GROUP_BYTES = 1_500_000
_ROW_BYTES = 512  # of a row without its sound, about
_REPEATED = [
    "corpus", "split", "subset", "recording_id", "speaker_id", "gender", "language", "donor_id", "licence",
    "normaliser_version", "transcript_path", "flags.list.element", "first_seen",
]  # fmt: skip
_MEASURED = [
    "utterance_id", "split", "subset", "speaker_id", "sample_rate_hz", "num_samples", "duration_s",
    *(f"measures.{name}" for name in MEASURES),
]  # fmt: skip


class ShardWriter:
    """Writes one shard under a temporary name; the final name appears when it is closed without error."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0
        self.duration_s = 0.0
        self._temporary = temporary_beside(path)
        self._rows: list[dict[str, Any]] = []
        self._tables: list[pa.Table] = []
        self._pending_bytes = 0
        with explain_write(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(
                self._temporary,
                SCHEMA,
                compression="NONE",
                use_dictionary=_REPEATED,
                write_statistics=_MEASURED,
                store_schema=True,
                write_page_checksum=True,
            )

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._writer.close()
            self._temporary.unlink(missing_ok=True)

    def add_rows(self, rows: Iterable[dict[str, Any]]) -> None:
        """Append utterances given as plain dictionaries; row groups are cut by size."""
        for row in rows:
            self._rows.append(row)
            self._pending_bytes += len(row["audio"]["bytes"]) + _ROW_BYTES
            if self._pending_bytes >= ROW_GROUP_BYTES:
                self._flush()

    def add_table(self, table: pa.Table) -> None:
        """Append a table with the columns of `SCHEMA`: the same row groups as if its rows came one by one."""
        import pyarrow.compute as pc  # 0.08 s that only who copies rows needs

        self._gather()
        lengths = pc.binary_length(pc.struct_field(table["audio"], "bytes")).to_numpy()
        ends = np.cumsum(lengths.astype(np.int64) + _ROW_BYTES)
        first = 0
        while first < len(ends):
            before = int(ends[first - 1]) if first else 0
            last = int(np.searchsorted(ends, ROW_GROUP_BYTES - self._pending_bytes + before))
            self._tables.append(table.slice(first, last + 1 - first))
            self._pending_bytes += int(ends[min(last, len(ends) - 1)]) - before
            first = last + 1
            if self._pending_bytes >= ROW_GROUP_BYTES:
                self._flush()

    def _gather(self) -> None:
        """Pending rows as a pending table."""
        if self._rows:
            self._tables.append(pa.Table.from_pylist(self._rows, schema=SCHEMA))
            self._rows = []

    def _flush(self) -> None:
        self._gather()
        if not self._tables:
            return
        table = pa.concat_tables(self._tables).combine_chunks()
        self.rows += table.num_rows
        self.duration_s += sum(table["duration_s"].to_pylist())
        self._tables, self._pending_bytes = [], 0
        with explain_write(self.path):
            self._writer.write_table(table, row_group_size=max(1, table.num_rows))

    def close(self) -> None:
        """Write what is pending and give the file its final name.

        Raises:
            StoreError: the disk is full or the like.
        """
        self._flush()
        with explain_write(self.path):
            self._writer.close()
            self._temporary.replace(self.path)


def read_table(path: Path, columns: Sequence[str] | None = None, coded: Sequence[str] = ()) -> pa.Table:
    """Some columns of a small file (None = all), those in `coded` as dictionaries; no threads, no data set."""
    with pq.ParquetFile(path, read_dictionary=[*coded] or None, page_checksum_verification=True) as stored:
        return stored.read(columns=columns, use_threads=False)


def write_table(path: Path, table: pa.Table) -> None:
    """Write a table of text and figures, compressed, under its final name when it is whole."""
    temporary = temporary_beside(path)
    with explain_write(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, temporary, compression="zstd", write_page_checksum=True)
        temporary.replace(path)
