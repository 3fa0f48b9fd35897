"""The reader of a tar, plain or compressed, behind a `Source`.

Nothing is extracted: members are stretches of the plain tar. A compressed tar is unpacked once to a plain one
in the spill folder (unpacking.py), because its members cannot be reached otherwise; that costs disk, not memory. Of
a stream that was cut short what came before the cut is kept; of one whose checksum or coding is wrong nothing is,
because no member of it can be trusted and most have no checksum of their own.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from corpora.errors import SourceError
from corpora.sources.archive import ArchiveReader
from corpora.sources.encodings_of_names import readable_names
from corpora.sources.source import Member
from corpora.sources.tar_headers import BLOCK, Entry, TarWalk
from corpora.sources.unpacking import SPOILT, Unpacker, require_space, unpack_to
from store.writing import drop_leftovers, explain_write, temporary_beside

_NOT_READ = {
    "sparse file": "sparse file, which is not read: pack it anew with its holes filled (GNU tar without -S)",
    "other": "device or other special file",
}


class _Slice(io.RawIOBase):
    """A stretch of an open file as a seekable stream of its own."""

    def __init__(self, stream: BinaryIO, start: int, size: int) -> None:
        self._stream, self._start, self._size, self._at = stream, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = max(0, offset + {0: 0, 1: self._at, 2: self._size}[whence])
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        self._stream.seek(self._start + self._at)
        data = self._stream.read(max(0, min(len(buffer), self._size - self._at)))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()


class _PlainBlocks:
    """A plain tar for `TarWalk`: data of members is passed over unread."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._size = os.fstat(stream.fileno()).st_size

    def read(self, size: int) -> bytes:
        return self._stream.read(size)

    def skip(self, size: int, entry: Entry | None) -> int:
        begun = self._stream.tell()
        return self._stream.seek(min(self._size, begun + size)) - begun


class TarReader(ArchiveReader):
    """A tar; a compressed one is unpacked once to a plain tar in the spill folder."""

    def __init__(
        self,
        archive: Path,
        label: str,
        unpack: Unpacker | None,
        spill_dir: Path | None,
    ) -> None:
        super().__init__(archive, label)
        self._unpack = unpack
        self._spill_dir = spill_dir
        self._plain = archive
        self._spoilt = False
        self._listing: dict[str, Member] | None = None
        self._spans: dict[str, tuple[int, int]] = {}

    def spill_place(self) -> Path | None:
        """Where the plain tar will lie that is still to be unpacked; None where nothing is."""
        target = self._target()
        return None if self._unpack is None or target.exists() else target

    def _target(self) -> Path:
        folder = self._spill_dir or Path(os.environ.get("TMPDIR", "/tmp"))
        made_of = f"{self.archive.resolve()} {self._stamp}{' light' if self.light else ''}"
        return folder / f"{hashlib.sha256(made_of.encode()).hexdigest()[:24]}.tar"

    def _spill(self) -> Path:
        """The plain tar of a compressed one; a stream that was cut gives what came before the cut."""
        target = self._target()
        folder, note = target.parent, target.with_suffix(".damage")
        if not target.exists() and self._unpack is not None:
            with explain_write(target):
                folder.mkdir(parents=True, exist_ok=True)
                drop_leftovers(folder, target.name)
                temporary = temporary_beside(target)
                try:
                    if not self.light:
                        require_space([self.archive], folder)
                    damage = unpack_to(self.archive, self._unpack, temporary, self.light)
                    if damage:
                        note.write_text(damage)
                    temporary.replace(target)
                finally:
                    temporary.unlink(missing_ok=True)
        if note.exists():
            said = note.read_text()
            self._spoilt = said.startswith(SPOILT)
            self._whole(said)
        return target

    def listing(self) -> dict[str, Member]:
        if self._listing is None:
            self._plain = self._spill() if self._unpack else self.archive
            self._listing = {}
            if self._spoilt:
                return self._listing
            with self._plain.open("rb") as stream:
                self._index(TarWalk(_PlainBlocks(stream)))
            self._name_readably()
        return self._listing

    def _name_readably(self) -> None:
        """Members whose names are not UTF-8 get names that people and files can bear."""
        names = readable_names(self._spans)
        for name, better in names.items():
            offset, size = self._spans.pop(name)
            if self._listing is not None:
                del self._listing[name]
            self._put(better, offset, size)

    def _plain_is_there(self) -> bool:
        return self._plain != self.archive and self._plain.exists()

    def _index(self, walk: TarWalk) -> None:
        links: list[tuple[str, str]] = []
        for number, entry in enumerate(walk, 1):
            self._count(number, entry.offset)
            name = entry.name.removeprefix("./")
            if entry.kind == "folder" or not self._keeps(name):
                continue
            if entry.kind in {"link", "hard link"}:
                base = PurePosixPath(name).parent if entry.kind == "link" else PurePosixPath()
                links.append((name, os.path.normpath(base / entry.link)))
            elif entry.kind != "file":
                self._refuse(name, _NOT_READ[entry.kind])
            else:
                self._replace(name, entry)
        self._judge(walk)
        for name, target in links:
            if target in self._spans:
                self._put(name, *self._spans[target])
            else:
                self._refuse(name, f"link to {target}, which is not in the archive")

    def _replace(self, name: str, entry: Entry) -> None:
        """List a member; of two of one name the later is read, as tar itself does, and the other is told."""
        before = self._spans.get(name)
        if before is not None and not self._same_bytes(before, (entry.offset, entry.size)):
            self._tell_twin(name, "tar")
        self._put(name, entry.offset, entry.size)

    def _same_bytes(self, one: tuple[int, int], other: tuple[int, int]) -> bool:
        digests = []
        for span in (one, other):
            with io.BufferedReader(_Slice(self._plain.open("rb"), *span)) as stream:
                digests.append(hashlib.file_digest(stream, "sha256").digest())
        return digests[0] == digests[1]

    def _judge(self, walk: TarWalk) -> None:
        """Tell how the archive ends, and leave out the members that damage may have reached."""
        self.notes += [f"{self.label}: {note}" for note in walk.notes]
        if walk.damage and not (walk.open_end and self.damage):
            self._tell_damage(walk)
        for entry, if_zeros in walk.doubted:
            self._doubt(entry, if_zeros)

    def _tell_damage(self, walk: TarWalk) -> None:
        if not self._spans and not self.damage:
            raise SourceError(f"{self.label} is no readable tar ({walk.damage}); copy it again")
        self._whole(f"{walk.damage}; copy it again (whole members before it: {len(self._spans)})")

    def _doubt(self, entry: Entry, if_zeros: bool) -> None:
        """Leave out a member that ends where no writer ends; `if_zeros`: only where its own data ends in zeros too."""
        name = entry.name.removeprefix("./")
        span = self._spans.get(name)
        if span != (entry.offset, entry.size):
            return
        if entry.offset + entry.size <= self._plain.stat().st_size:
            if if_zeros and not self._ends_in_zeros(span):
                return
            self._whole(f"{name} stands before the damage and may be what is damaged: it is not taken")
        del self._spans[name]
        if self._listing is not None:
            del self._listing[name]

    def _ends_in_zeros(self, span: tuple[int, int]) -> bool:
        with self._plain.open("rb") as stream:
            stream.seek(span[0] + max(0, span[1] - BLOCK))
            return not any(stream.read(min(span[1], BLOCK)))

    def _put(self, name: str, offset: int, size: int) -> None:
        self._spans[name] = (offset, size)
        if self._listing is not None:
            self._listing[name] = Member(name, size, f"{self._stamp}@{offset}+{size}")

    def place(self, name: str) -> list[int]:
        return list(self._spans[name])

    def adopt(self, places: Mapping[str, list[int]]) -> None:
        if self._listing is None:
            self._spans = {name: (offset, size) for name, (offset, size) in places.items()}

    def open(self, name: str) -> BinaryIO:
        if self._unpack is not None and not self._plain_is_there():
            self._plain = self._spill()
        return cast(BinaryIO, io.BufferedReader(_Slice(self._plain.open("rb"), *self._spans[name])))
