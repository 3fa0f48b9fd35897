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
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, cast

from corpora.archive_reader import MAX_RATIO, ArchiveReader
from corpora.directories import DirectoryReader, file_stamp
from corpora.errors import SourceError
from corpora.joined import JoinedParts
from corpora.member_names import decoded_names
from corpora.sources import Member, Reader
from corpora.tar_headers import is_tar
from corpora.tars import TarReader
from corpora.unpacking import UNPACKERS

_IN_MEMORY = 64 << 20
_READ = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}
_NOT_READ = {9: "Deflate64 (Windows does so from 2 GB)", 93: "Zstandard", 95: "XZ", 98: "PPMd"}
_ELSEWHERE = {b"7z\xbc\xaf\x27\x1c": "7z", b"Rar!\x1a\x07": "RAR"}


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
    for magic, kind in _ELSEWHERE.items():
        if head.startswith(magic):
            raise SourceError(
                f"{path} is a {kind} archive, which is not read: unpack it, or pack it as zip or tar"
            )
    if head.startswith(b"PK") and path.suffix == ".001":
        return SplitZipReader(path, label)
    if head.startswith(b"PK") and zipfile.is_zipfile(path):
        return ZipReader(path, label)
    if head.startswith(b"PK"):
        raise SourceError(
            f"{path} is a zip without its directory: it was cut short; copy or download it again"
        )
    for magic, unpack in UNPACKERS.items():
        if head.startswith(magic):
            return TarReader(path, label, unpack, spill_dir)
    if is_tar(head):
        return TarReader(path, label, None, spill_dir)
    looks = (
        "an HTML page (a server's error, saved under this name)" if b"<html" in head.lower() else "no archive"
    )
    raise SourceError(f"{path} looks like {looks}; wanted: a folder, tar (also gz, bz2, xz, zst) or zip")


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
