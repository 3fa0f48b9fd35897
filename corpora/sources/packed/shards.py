"""A folder with packed shards, seen with what is inside: Parquet files with sound, tars of a Shar, NeMo or WebDataset.

The folder is one of a disk or one below a URL. `is_packed` asks for names only and stops at the first sound file: a folder
of plain recordings is none.
"""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from corpora.errors import SourceError
from corpora.reading import held_path
from corpora.sources.folder import DirectoryReader
from corpora.sources.names import SOUND
from corpora.sources.packed.parquet import ParquetSound
from corpora.sources.s3 import RemoteReader, fetch_archive
from corpora.sources.source import Member, tree_identity, tree_stamp
from corpora.sources.tars import TarReader
from corpora.utterance import Rejection

SHAR_CUTS = re.compile(r"(?:^|/)cuts\.(\d+)\.jsonl(?:\.gz)?$")
_PARQUET = re.compile(r"\.parquet$")
_NEMO_TAR = re.compile(r"(?:^|/)audio_\d+\.tar$")
_WEB_TAR = re.compile(r"\d{5,}\.tar$")  # train-000000.tar: WebDataset numbers with five or six digits
_INSIDE = "!/"


def is_packed(root: Path) -> bool:
    """Whether a folder holds Parquet files, a Shar, NeMo's or numbered tars, and no plain sound before."""
    for _, folders, names in os.walk(root):
        folders.sort()
        found = _shards_among(names)
        if found is not None:
            return found
    return False


def are_packed(names: Iterable[str]) -> bool:
    """`is_packed` for a listing: names with their folders."""
    folders: dict[str, list[str]] = {}
    for name in names:
        folder, _, file = name.rpartition("/")
        folders.setdefault(folder, []).append(file)
    found = (_shards_among(folders[folder]) for folder in sorted(folders))
    return next((one for one in found if one is not None), False)


def _shards_among(names: Sequence[str]) -> bool | None:
    """Whether the first telling file of a folder is a shard; None where no file tells."""
    manifest = any("manifest" in name and name.endswith(".json") for name in names)
    for name in sorted(names):
        if SOUND.search(name):
            return False
        if _PARQUET.search(name) or SHAR_CUTS.search(name) or _WEB_TAR.search(name):
            return True
        if manifest and _NEMO_TAR.search(name):
            return True
    return None


class ShardReader(ABC):
    """What is inside the shards that `plain`, the reader of the folder they lie in, lists."""

    def __init__(self, plain: DirectoryReader | RemoteReader) -> None:
        self._plain = plain
        self.label, self.prefix = plain.label, plain.prefix
        self.damage, self.notes, self.litter = plain.damage, plain.notes, 0
        self._all: dict[str, Member] | None = None
        self._opened: tuple[str, ParquetSound | TarReader] | None = None

    def listing(self) -> dict[str, Member]:
        if self._all is None:
            plain = self._plain.listing()
            self.litter = self._plain.litter
            shar = any(SHAR_CUTS.search(name) for name in plain)
            self._all = {}
            for name, member in plain.items():
                inside = self._members_of(name, member, shar)
                if inside is None:
                    self._all[name] = member
                    continue
                for inner, one in inside.items():
                    full = f"{name}{_INSIDE}{inner}"
                    self._all[full] = Member(full, one.size, f"{member.stamp} {one.stamp}")
        return self._all

    def _members_of(self, name: str, member: Member, shar: bool) -> dict[str, Member] | None:
        """What a shard holds; None for a plain file, {} for one that cannot be read (told)."""
        tar = _NEMO_TAR.search(name) or _WEB_TAR.search(name) or (shar and name.endswith(".tar"))
        if not (tar or _PARQUET.search(name)):
            return None
        try:
            shard = self._shard(name)
            if isinstance(shard, TarReader):
                found = shard.listing()
                self.damage += shard.damage
                return dict(found)
            return shard.members(member.stamp) if shard.column else None
        except (SourceError, OSError) as error:
            self.damage.append(Rejection(f"{self.prefix}{name}", "source_unreadable", str(error)))
            return {}

    def _shard(self, name: str) -> ParquetSound | TarReader:
        if self._opened is None or self._opened[0] != name:
            self._opened = None
            self._opened = (name, self._open_shard(name))
        return self._opened[1]

    @abstractmethod
    def _open_shard(self, name: str) -> ParquetSound | TarReader:
        """The one shard that is open now: the one before may be closed."""

    def open(self, name: str) -> BinaryIO:
        outer, inside, inner = name.partition(_INSIDE)
        if not inside:
            return self._plain.open(name)
        shard = self._shard(outer)
        if isinstance(shard, TarReader):
            shard.listing()
        return shard.open(inner)

    def path(self, name: str) -> Path | None:
        return None if _INSIDE in name else self._plain.path(name)

    def place(self, name: str) -> list[int]:
        return [] if _INSIDE in name else self._plain.place(name)

    def adopt(self, places: Mapping[str, list[int]]) -> None:
        self._plain.adopt({name: raw for name, raw in places.items() if _INSIDE not in name})

    def identity(self) -> dict[str, str | int]:
        return tree_identity(self.label, self._plain.listing())

    def stamp(self) -> str:
        return tree_stamp(self._plain.listing())


class ShardFolderReader(ShardReader):
    """A folder of shards on a disk."""

    def __init__(self, root: Path, label: str, prefix: str) -> None:
        self._folder = DirectoryReader(root, label, prefix)
        super().__init__(self._folder)
        self._shard_file: BinaryIO | None = None  # open as long as its shard is read by its handle

    def _open_shard(self, name: str) -> ParquetSound | TarReader:
        if self._shard_file is not None:
            self._shard_file.close()
        self._shard_file = self._folder.open(name)
        path = held_path(self._shard_file.fileno(), self._folder.path(name) or self._folder.root)
        return ParquetSound(path, name) if _PARQUET.search(name) else TarReader(path, name, None, None)


class RemoteShardReader(ShardReader):
    """Shards below a URL: Parquet files are read in stretches where they lie, tars are copied once into the cache."""

    def __init__(self, plain: RemoteReader, spill_dir: Path | None) -> None:
        super().__init__(plain)
        self._remote, self._spill_dir = plain, spill_dir

    def _open_shard(self, name: str) -> ParquetSound | TarReader:
        if _PARQUET.search(name):
            return ParquetSound(self._remote.stream(name), name)
        return TarReader(fetch_archive(self._remote.url_of(name), self._spill_dir), name, None, None)
