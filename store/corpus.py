"""One published version of a corpus: its manifest and a way to read its rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from store.checksums import Damage, find_damage
from store.errors import StoreError
from store.manifests import MANIFEST, Manifest, read_manifest, sealed_files

if TYPE_CHECKING:
    import pyarrow as pa

_REJECTIONS_TOGETHER = 1 << 13


@dataclass(frozen=True)
class Corpus:
    """One published version of a corpus: its manifest and a way to read its rows."""

    name: str
    version: str
    path: Path

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest as published.

        Raises:
            StoreError: it is damaged or was edited.
        """
        return read_manifest(self.path, self.version)

    @property
    def place(self) -> str:
        """Where it lies, for people: its folder, or its URL in a shared store."""
        return str(self.path)

    def file(self, relative: str) -> Path:
        """A file of this version on this disk, proven; copied here first where the store is shared.

        Raises:
            StoreError: it is not the file that was sealed.
        """
        self._prove(relative)
        return self.path / relative

    @property
    def notes(self) -> Path | None:
        """Where known hashes of files are kept; None for what lies in no store."""
        area = self.path.parent.parent
        return area.parent / "cache" / "checksums.json" if area.name in AREAS else None

    def find_damage(self, full: bool = False) -> list[Damage]:
        """What of this version is not as it was sealed; cheap where it is known already, unless `full`."""
        try:
            files = sealed_files(self.manifest)
        except StoreError as error:
            return [Damage(MANIFEST, "content", str(error))]
        return find_damage(self.path, files, self.notes, full)

    @cached_property
    def _proven(self) -> set[str]:
        """Files that this object need not look at again."""
        return set()

    def _prove(self, relative: str) -> None:
        """Compare a file, and those of its split with it, with the manifest: once per object."""
        if relative in self._proven:
            return
        split = next((one["split"] for one in self._shards() if one["path"] == relative), None)
        files = [
            one for one in sealed_files(self.manifest, split) if split is not None or one.path == relative
        ]
        damage = {one.path: one for one in find_damage(self.path, files, self.notes)}
        if relative in damage:
            raise StoreError(
                f"{damage[relative].reason}; run the refresh of {self.name} again, it mends what is damaged"
            )
        self._proven.update(one.path for one in files if one.path not in damage)

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

    def is_whole(self) -> bool:
        """Whether manifest and files are as they were sealed; files that are known cost one look."""
        return not self.find_damage()

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
                opened = self.readable(entry["path"], read)
                with pq.ParquetFile(opened, page_checksum_verification=True) as shard:
                    for group in range(shard.num_row_groups):
                        table = shard.read_row_group(group, columns=read)
                        if subset is not None:
                            table = table.filter(pc.equal(table["subset"], subset))
                        table = table if wanted is None else table.select(wanted)
                        yield from table.combine_chunks().to_batches()
            except (OSError, pa.ArrowException) as error:
                raise StoreError(
                    f"shard {path} cannot be read ({error}); run the refresh of {self.name} again"
                ) from error

    def rejections(self) -> pa.Table:
        """All rejections of this version at once.

        Raises:
            StoreError: the file is missing or damaged.
        """
        import pyarrow as pa

        return pa.Table.from_batches([*self.rejection_batches()])

    def rejection_batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Rejections in the order of their places, memory flat; at least one batch, also of none.

        Args:
            columns: names to read, those that are there; None = all.

        Raises:
            StoreError: the file is missing or damaged.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self.file("rejections.parquet")
        try:
            with pq.ParquetFile(path, page_checksum_verification=True) as stored:
                schema = stored.schema_arrow
                names = [name for name in schema.names if columns is None or name in columns]
                yield pa.RecordBatch.from_pylist([], schema=pa.schema([schema.field(name) for name in names]))
                yield from stored.iter_batches(_REJECTIONS_TOGETHER, columns=names, use_threads=False)
        except (OSError, pa.ArrowException) as error:
            raise StoreError(
                f"{path} cannot be read ({error}); run the refresh of {self.name} again"
            ) from error


AREAS = ("corpora", "quarantine")
"""Folders of a store in which versions of corpora lie."""

SPLITS = ("train", "dev", "test")
