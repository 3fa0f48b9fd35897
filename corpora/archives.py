"""Which reader a source needs, told by magic bytes and not by name; and the reader of a zip.

A tar that was cut short gives the members that are whole and one rejection; a zip whose directory is missing
gives nothing and says so. Limits on members, total size and ratio stand in archive_reader.py.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

from corpora.archive_reader import MAX_RATIO, ArchiveReader
from corpora.directories import DirectoryReader
from corpora.errors import SourceError
from corpora.sources import Member, Reader
from corpora.tars import TarReader

_UNPACKERS: dict[bytes, Callable[[Path], io.BufferedIOBase]] = {
    b"\x1f\x8b": lambda path: gzip.open(path, "rb"),  # noqa: SIM115
    b"BZh": lambda path: bz2.open(path, "rb"),  # noqa: SIM115
    b"\xfd7zXZ": lambda path: lzma.open(path, "rb"),  # noqa: SIM115
}


def open_reader(path: Path, label: str, several: bool, spill_dir: Path | None) -> Reader:
    """The reader for one folder or archive.

    Raises:
        SourceError: missing, unreadable, empty or of no kind we know; says what it looks like.
    """
    try:
        if path.is_dir():
            return DirectoryReader(path, label, f"{label}/" if several else "")
        with path.open("rb") as stream:
            head = stream.read(512)
    except FileNotFoundError as error:
        raise SourceError(f"{path} does not exist: a wrong path, or a disk that is not mounted?") from error
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}; check the permissions") from error
    if not head:
        raise SourceError(f"{path} is empty (0 bytes): the download or the copy failed")
    if head.startswith(b"PK") and zipfile.is_zipfile(path):
        return ZipReader(path, label)
    if head.startswith(b"PK"):
        raise SourceError(
            f"{path} is a zip without its directory: it was cut short; copy or download it again"
        )
    for magic, unpack in _UNPACKERS.items():
        if head.startswith(magic):
            return TarReader(path, label, unpack, spill_dir)
    if tarfile.is_tarfile(path):
        return TarReader(path, label, None, spill_dir)
    looks = (
        "an HTML page (a server's error, saved under this name)" if b"<html" in head.lower() else "no archive"
    )
    raise SourceError(f"{path} looks like {looks}; wanted: a folder, tar, tar.gz, tar.bz2, tar.xz or zip")


class ZipReader(ArchiveReader):
    """A zip; members are read whole into memory, so a stored CRC that does not fit is an error."""

    def __init__(self, archive: Path, label: str) -> None:
        super().__init__(archive, label)
        try:
            self._zip = zipfile.ZipFile(archive)
        except (zipfile.BadZipFile, OSError) as error:
            raise SourceError(f"{archive} is a damaged zip ({error}); copy it again") from error
        self._infos: dict[str, zipfile.ZipInfo] = {}
        self._listing: dict[str, Member] | None = None

    def listing(self) -> dict[str, Member]:
        if self._listing is None:
            self._listing = {}
            infos = self._zip.infolist()
            self._count(len(infos), sum(info.file_size for info in infos))
            for info in infos:
                if not info.is_dir() and self._keeps(info.filename) and self._sane(info):
                    stamp = f"{info.CRC:08x}-{info.file_size}"
                    self._infos[info.filename] = info
                    self._listing[info.filename] = Member(info.filename, info.file_size, stamp)
        return self._listing

    def _sane(self, info: zipfile.ZipInfo) -> bool:
        kind = (info.external_attr >> 16) & 0o170000
        reason = ""
        if kind not in (0, 0o100000):
            reason = "link, device or other special file"
        elif info.flag_bits & 1:
            reason = "encrypted; ask for the archive without a password"
        elif info.file_size > MAX_RATIO * max(info.compress_size, 1) + (1 << 20):
            reason = f"unpacks to more than {MAX_RATIO} times its size"
        if reason:
            self._refuse(info.filename, reason)
        return not reason

    def open(self, name: str) -> BinaryIO:
        try:
            return io.BytesIO(self._zip.read(self._infos[name]))
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
            raise SourceError(f"{self.label}!/{name} is damaged in the zip: {error}") from error

    def place(self, name: str) -> list[int]:
        return []

    def adopt(self, places: Mapping[str, list[int]]) -> None:
        if self._listing is None:
            self._infos = {name: self._zip.getinfo(name) for name in places}
