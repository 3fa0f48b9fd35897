"""A Parquet file whose rows hold sound, seen as an archive: one row group is one folder.

    train-00000.parquet!/g0000/rows.jsonl      all other columns, a row a line
    train-00000.parquet!/g0000/000012.flac     the sound of row 12 of the group

Sound is a struct of `bytes` and `path`, as Hugging Face's Audio feature has it. Nothing is written.
"""

from __future__ import annotations

import io
import json
import re
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from corpora.errors import SourceError
from corpora.sources.source import Member

_INNER = re.compile(r"g(\d+)/(rows\.jsonl|(\d+)\.\w+)")


class ParquetSound:
    """One file, on a disk or open elsewhere; the row group that was asked for last is kept.

    Raises:
        SourceError: it is no Parquet file, or a damaged one.
    """

    def __init__(self, file: Path | BinaryIO, label: str) -> None:
        try:
            self._file = pq.ParquetFile(file)
        except (OSError, pa.ArrowException) as error:
            raise SourceError(f"{label} is a damaged Parquet file ({error}); copy it again") from error
        self._label = label
        self.column = _sound_column(self._file.schema_arrow)
        self._group: tuple[int, list[bytes | None]] = (-1, [])

    def members(self, stamp: str) -> dict[str, Member]:
        """What is inside by its name; sizes of sounds are the mean of their row group."""
        found: dict[str, Member] = {}
        for group in range(self._file.num_row_groups):
            paths = [entry or {} for entry in self._paths(group)]
            size = self._group_bytes(group) // max(1, len(paths))
            found[f"g{group:04d}/rows.jsonl"] = Member(f"g{group:04d}/rows.jsonl", 200 * len(paths), stamp)
            for row, entry in enumerate(paths):
                name = f"g{group:04d}/{row:06d}{_suffix(entry.get('path'))}"
                found[name] = Member(name, size, f"{stamp}-{row}")
        return found

    def open(self, inner: str) -> BinaryIO:
        """A member's bytes.

        Raises:
            SourceError: it is not there, or the file is damaged.
        """
        match = _INNER.fullmatch(inner)
        if match is None or int(match[1]) >= self._file.num_row_groups:
            raise SourceError(f"{inner} is not in {self._label}")
        group = int(match[1])
        try:
            if match[3] is None:
                return io.BytesIO(self._rows(group))
            if self._group[0] != group:
                table = self._file.read_row_group(group, columns=[f"{self.column}.bytes"])
                self._group = (group, [(cell or {}).get("bytes") for cell in table.column(0).to_pylist()])
            data = self._group[1][int(match[3])]
        except (OSError, pa.ArrowException, IndexError) as error:
            raise SourceError(f"{self._label}!/{inner} cannot be read: {error}") from error
        if data is None:
            raise SourceError(f"{self._label}!/{inner}: the row holds no sound, only a name of one")
        return io.BytesIO(data)

    def _paths(self, group: int) -> list[dict[str, Any] | None]:
        if "path" not in [field.name for field in self._file.schema_arrow.field(self.column).type]:
            return [None] * self._file.metadata.row_group(group).num_rows
        table = self._file.read_row_group(group, columns=[f"{self.column}.path"])
        found: list[dict[str, Any] | None] = table.column(0).to_pylist()
        return found

    def _group_bytes(self, group: int) -> int:
        meta = self._file.metadata.row_group(group)
        columns = [meta.column(number) for number in range(meta.num_columns)]
        return sum(
            one.total_uncompressed_size for one in columns if one.path_in_schema == f"{self.column}.bytes"
        )

    def _rows(self, group: int) -> bytes:
        names = [name for name in self._file.schema_arrow.names if name != self.column]
        rows = self._file.read_row_group(group, columns=names).to_pylist()
        sounds = [
            f"{row:06d}{_suffix((entry or {}).get('path'))}" for row, entry in enumerate(self._paths(group))
        ]
        places = [(entry or {}).get("path") for entry in self._paths(group)]
        lines = [
            json.dumps({"sound": sound, "sound_path": place, "row": row}, ensure_ascii=False, default=str)
            for sound, place, row in zip(sounds, places, rows or [{}] * len(sounds), strict=True)
        ]
        return "".join(f"{line}\n" for line in lines).encode("utf-8")


def _sound_column(schema: pa.Schema) -> str:
    """The column with sound; "" where there is none."""
    for field in schema:
        if pa.types.is_struct(field.type):
            kinds = {inner.name: inner.type for inner in field.type}
            if "bytes" in kinds and (
                pa.types.is_binary(kinds["bytes"]) or pa.types.is_large_binary(kinds["bytes"])
            ):
                return str(field.name)
    return ""


def _suffix(path: Any) -> str:
    suffix = PurePosixPath(path).suffix.lower() if isinstance(path, str) else ""
    return suffix if re.fullmatch(r"\.\w{2,4}", suffix) else ".wav"
