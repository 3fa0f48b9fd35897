"""One published version of a corpus: its manifest and a way to read its rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from store.errors import StoreError
from store.writing import read_json

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Corpus:
    """One published version of a corpus: its manifest and a way to read its rows."""

    name: str
    version: str
    path: Path

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The manifest as published."""
        loaded: dict[str, Any] = read_json(self.path / "manifest.json")
        return loaded

    @property
    def place(self) -> str:
        """Where it lies, for people: its folder, or its URL in a shared store."""
        return str(self.path)

    def file(self, relative: str) -> Path:
        """A file of this version on this disk; copied here first where the store is shared."""
        return self.path / relative

    def readable(self, relative: str, columns: list[str] | None) -> Path | BinaryIO:
        """A shard to read some columns of (None = all): a file, or a stream where the store is shared."""
        return self.file(relative)

    @property
    def splits(self) -> list[str]:
        """Splits that hold at least one utterance, in the order train, dev, test."""
        return [split for split in SPLITS if self.manifest["splits"].get(split, {}).get("utterances", 0)]

    def shard_paths(self, split: str | None = None) -> list[Path]:
        """Shards of a split (None = all), in the manifest's order."""
        return [self.file(shard["path"]) for shard in self._shards(split)]

    def _shards(self, split: str | None = None) -> list[dict[str, Any]]:
        return [shard for shard in self.manifest["shards"] if split is None or shard["split"] == split]

    def column_names(self) -> set[str]:
        """Columns of this version's shards; versions of earlier days may have fewer."""
        import pyarrow.parquet as pq

        shards = self._shards()
        return set(pq.read_schema(self.readable(shards[0]["path"], [])).names) if shards else set()

    def missing_files(self) -> list[str]:
        """Shards and tables that are missing or do not have the size the manifest states."""
        tables = [*self.manifest["shards"], self.manifest["rejections"]]
        return [
            entry["path"] for entry in tables if not _has_size(self.path / entry["path"], entry.get("bytes"))
        ]

    def batches(
        self, split: str | None = None, subset: str | None = None, columns: Sequence[str] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Rows in the order of the manifest, one record batch per row group, memory flat.

        Args:
            split, subset: only these; None = all.
            columns: names to read; None = all, the sound included.

        Raises:
            StoreError: a shard is missing or damaged; names it.
        """
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        wanted = None if columns is None else [*columns]
        read = wanted if wanted is None or subset is None or "subset" in wanted else [*wanted, "subset"]
        for entry in self._shards(split):
            path = self.path / entry["path"]
            try:
                with pq.ParquetFile(self.readable(entry["path"], read)) as shard:
                    for group in range(shard.num_row_groups):
                        table = shard.read_row_group(group, columns=read)
                        if subset is not None:
                            table = table.filter(pc.equal(table["subset"], subset))
                        table = table if wanted is None else table.select(wanted)
                        yield from table.combine_chunks().to_batches()
            except (OSError, pa.ArrowInvalid) as error:
                raise StoreError(
                    f"shard {path} cannot be read ({error}); run the refresh of {self.name} again"
                ) from error

    def rejections(self) -> pa.Table:
        """All rejections of this version."""
        import pyarrow.parquet as pq

        return pq.read_table(self.file("rejections.parquet"))


def _has_size(path: Path, size_bytes: int | None) -> bool:
    return path.is_file() and (size_bytes is None or path.stat().st_size == size_bytes)


SPLITS = ("train", "dev", "test")
