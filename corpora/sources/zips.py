"""Which reader a source needs, told by magic bytes and not by name; and the reader of a zip.

A tar that was cut short gives the members that are whole and one rejection; a zip whose directory is missing
gives nothing and says so. Limits on members, total size and ratio stand in archive_reader.py.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import tempfile
import zipfile
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO, cast

from corpora.errors import SourceError
from corpora.sources.archive import MAX_RATIO, ArchiveReader
from corpora.sources.encodings_of_names import decoded_names
from corpora.sources.folder import file_stamp
from corpora.sources.source import Member

_IN_MEMORY = 64 << 20
_READ = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}
_NOT_READ = {9: "Deflate64 (Windows does so from 2 GB)", 93: "Zstandard", 95: "XZ", 98: "PPMd"}


def _repair_names(zipped: zipfile.ZipFile) -> None:
    """Names in the encoding they were written in; Python takes what is not marked as UTF-8 for cp437."""
    odd = [i for i in zipped.infolist() if not i.flag_bits & 0x800 and not i.filename.isascii()]
    raw = [info.filename.encode("cp437") for info in odd]
    for info, name in zip(odd, decoded_names(raw), strict=True):
        info.filename = name
        zipped.NameToInfo[name] = info


class ZipReader(ArchiveReader):
    """A zip; members are read whole (long ones to a file), so a stored CRC that does not fit is an error."""

    def __init__(self, archive: Path, label: str) -> None:
        super().__init__(archive, label)
        try:
            self._zip = zipfile.ZipFile(self._stream())
            _repair_names(self._zip)
        except (
            Exception
        ) as error:  # zipfile lets through whatever its own reading of numbers and names raises
            raise SourceError(f"{archive} is a damaged zip ({error}); copy it again") from error
        self._infos: dict[str, zipfile.ZipInfo] = {}
        self._listing: dict[str, Member] | None = None

    def _stream(self) -> Path | BinaryIO:
        return self.archive

    def listing(self) -> dict[str, Member]:
        if self._listing is None:
            self._listing = {}
            infos = self._zip.infolist()
            self._count(len(infos), sum(info.file_size for info in infos))
            for info in infos:
                if not info.is_dir() and self._keeps(info.filename) and self._sane(info):
                    stamp = f"{info.CRC:08x}-{info.file_size}"
                    twin = self._listing.get(info.filename)
                    if twin is not None and twin.stamp != stamp:
                        self._tell_twin(info.filename, "zip")
                    self._infos[info.filename] = info
                    self._listing[info.filename] = Member(info.filename, info.file_size, stamp)
        return self._listing

    def _sane(self, info: zipfile.ZipInfo) -> bool:
        kind = (info.external_attr >> 16) & 0o170000
        method = _NOT_READ.get(info.compress_type, f"method {info.compress_type}")
        reason = ""
        if info.compress_type not in _READ:
            reason = (
                f"packed with {method}, which is not read: unpack it, or pack it anew as plain zip or tar"
            )
        elif kind not in (0, 0o100000):
            reason = "link, device or other special file"
        elif info.flag_bits & 1:
            reason = "encrypted; ask for the archive without a password"
        elif info.file_size > MAX_RATIO * max(info.compress_size, 1) + (1 << 20):
            reason = f"unpacks to more than {MAX_RATIO} times its size"
        if reason:
            self._refuse(info.filename, reason)
        return not reason

    def open(self, name: str) -> BinaryIO:
        info = self._infos[name]
        try:
            if info.file_size <= _IN_MEMORY:
                return io.BytesIO(self._zip.read(info))
            spill = tempfile.TemporaryFile(prefix="speechmill-")  # noqa: SIM115 - the caller closes it
            with self._zip.open(info) as member:
                shutil.copyfileobj(member, spill, 1 << 20)
            spill.seek(0)
            return cast(BinaryIO, spill)
        except OSError as error:
            if error.errno is not None:  # the disk's, not the packer's
                raise
            raise SourceError(f"{self.label}!/{name} is damaged in the zip: {error}") from error
        except Exception as error:  # bz2, lzma and zlib have errors of their own
            raise SourceError(f"{self.label}!/{name} is damaged in the zip: {error}") from error

    def place(self, name: str) -> list[int]:
        return []

    def adopt(self, places: Mapping[str, list[int]]) -> None:
        if self._listing is None:
            self._infos = {name: self._zip.getinfo(name) for name in places}


class SplitZipReader(ZipReader):
    """A zip cut into `name.zip.001`, `name.zip.002`, …, read as if the parts were one file."""

    def __init__(self, first: Path, label: str) -> None:
        self._parts = [first]
        while (following := first.with_suffix(f".{len(self._parts) + 1:03d}")).is_file():
            self._parts.append(following)
        try:
            super().__init__(first, label)
        except SourceError as error:
            raise SourceError(
                f"{first} and the {len(self._parts) - 1} parts after it are no whole zip: is the last one missing?"
            ) from error
        self._stamp = " ".join(file_stamp(part.stat()) for part in self._parts)

    def _stream(self) -> BinaryIO:
        return JoinedParts(self._parts).buffered()

    def identity(self) -> dict[str, str | int]:
        digest = hashlib.sha256()
        for part in self._parts:
            with part.open("rb") as stream:
                while chunk := stream.read(1 << 20):
                    digest.update(chunk)
        size = sum(part.stat().st_size for part in self._parts)
        return {"name": self.label, "bytes": size, "sha256": digest.hexdigest()}


class JoinedParts(io.RawIOBase):
    """A seekable stream over several files in their order."""

    def __init__(self, parts: Sequence[Path]) -> None:
        super().__init__()
        self._streams = [part.open("rb") for part in parts]
        self._ends = list(accumulate(part.stat().st_size for part in parts))
        self._at = 0

    def buffered(self) -> BinaryIO:
        """The same with a buffer, as libraries expect it."""
        return cast(BinaryIO, io.BufferedReader(self))

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._ends[-1]}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        number = bisect_right(self._ends, self._at)
        if number == len(self._ends):
            return 0
        start = self._ends[number - 1] if number else 0
        self._streams[number].seek(self._at - start)
        data = self._streams[number].read(min(len(buffer), self._ends[number] - self._at))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        for stream in self._streams:
            stream.close()
        super().close()
