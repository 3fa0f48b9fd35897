"""The readers behind a `Source`: a directory, a tar (plain or compressed) and a zip.

What they share: names are checked, links that leave the source and devices are refused and reported,
litter is counted. Kind is told by magic bytes, not by name. A tar that was cut short gives the members
that are whole and one rejection; a zip whose directory is missing gives nothing and says so.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from corpora.errors import SourceError
from corpora.sources import Member, Reader, is_litter, unsafe_name
from corpora.store import explain_write, sha256_file
from corpora.utterance import Rejection

MAX_RATIO = 1000  # unpacked bytes per packed byte: above it is a bomb, not speech
_CHUNK = 1 << 20
_UNPACKERS: dict[bytes, Callable[[Path], io.BufferedIOBase]] = {
    b"\x1f\x8b": lambda path: gzip.open(path, "rb"),  # noqa: SIM115
    b"BZh": lambda path: bz2.open(path, "rb"),  # noqa: SIM115
    b"\xfd7zXZ": lambda path: lzma.open(path, "rb"),  # noqa: SIM115
}


def file_stamp(status: os.stat_result) -> str:
    """Changes whenever the content may have changed: size, time of change, inode."""
    return f"{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}-{status.st_ino}"


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


class DirectoryReader:
    """A folder and everything below it; links are followed while they stay inside."""

    def __init__(self, root: Path, label: str, prefix: str) -> None:
        self.root, self.label, self.prefix = root, label, prefix
        self.damage: list[Rejection] = []
        self.litter = 0
        self._listing: dict[str, Member] | None = None

    def listing(self) -> dict[str, Member]:
        if self._listing is None:
            self._listing = {}
            inside = self.root.resolve()
            for folder, folders, names in os.walk(self.root, followlinks=True, onerror=self._unreadable):
                here = Path(folder)
                folders[:] = [d for d in sorted(folders) if self._enter(here / d, inside)]
                for name in names:
                    self._add(here / name, inside)
        return self._listing

    def _unreadable(self, error: OSError) -> None:
        where = self.prefix + Path(error.filename).relative_to(self.root).as_posix()
        self.damage.append(Rejection(where, "source_unreadable", f"folder cannot be read: {error.strerror}"))

    def _enter(self, path: Path, inside: Path) -> bool:
        relative = path.relative_to(self.root).as_posix()
        if is_litter(relative + "/"):
            self.litter += 1
            return False
        if not path.is_symlink():
            return True
        target = path.resolve()
        ok = target.is_relative_to(inside) and not path.absolute().is_relative_to(target)
        if not ok:
            self.damage.append(
                Rejection(self.prefix + relative, "unsafe_member", "link that leaves the source")
            )
        return ok

    def _add(self, path: Path, inside: Path) -> None:
        relative = path.relative_to(self.root).as_posix()
        reason = unsafe_name(relative)
        if path.is_symlink() and not path.resolve().is_relative_to(inside):
            reason = "link that leaves the source"
        elif reason is None and not path.is_file():
            reason = "not a regular file (broken link, device or socket)"
        if reason is not None:
            self.damage.append(Rejection(self.prefix + relative, "unsafe_member", reason))
        elif is_litter(relative):
            self.litter += 1
        elif self._listing is not None:
            status = path.stat()
            self._listing[relative] = Member(relative, status.st_size, file_stamp(status))

    def open(self, name: str) -> BinaryIO:
        return (self.root / name).open("rb")

    def path(self, name: str) -> Path | None:
        return self.root / name

    def identity(self) -> dict[str, str | int]:
        members = sorted(self.listing().items())
        text = "\n".join(f"{name}\t{member.size}" for name, member in members)
        size = sum(member.size for _, member in members)
        return {
            "name": self.label,
            "bytes": size,
            "listing_sha256": hashlib.sha256(text.encode()).hexdigest(),
        }

    def stamp(self) -> str:
        text = "\n".join(f"{name}\t{member.stamp}" for name, member in sorted(self.listing().items()))
        return hashlib.sha256(text.encode()).hexdigest()


class _ArchiveReader:
    """What tar and zip share."""

    def __init__(self, archive: Path, label: str) -> None:
        self.archive, self.label, self.prefix = archive, label, f"{label}!/"
        self.damage: list[Rejection] = []
        self.litter = 0
        self._stamp = file_stamp(archive.stat())
        self._sha256 = ""

    def stamp(self) -> str:
        return self._stamp

    def identity(self) -> dict[str, str | int]:
        self._sha256 = self._sha256 or sha256_file(self.archive)
        return {"name": self.label, "bytes": self.archive.stat().st_size, "sha256": self._sha256}

    def path(self, name: str) -> Path | None:
        return None

    def _refuse(self, name: str, reason: str) -> None:
        self.damage.append(Rejection(f"{self.prefix}{name}", "unsafe_member", reason))

    def _whole(self, reason: str) -> None:
        self.damage.append(Rejection(self.label, "archive_truncated", reason))

    def _keeps(self, name: str) -> bool:
        """Check one name; refuse or count it when it must not be listed."""
        reason = unsafe_name(name)
        if reason is not None:
            self._refuse(name, reason)
        elif is_litter(name):
            self.litter += 1
        return reason is None and not is_litter(name)


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


class TarReader(_ArchiveReader):
    """A tar; a compressed one is unpacked once to a plain tar in the spill folder."""

    def __init__(
        self,
        archive: Path,
        label: str,
        unpack: Callable[[Path], io.BufferedIOBase] | None,
        spill_dir: Path | None,
    ) -> None:
        super().__init__(archive, label)
        self._unpack = unpack
        self._spill_dir = spill_dir
        self._plain = archive
        self._listing: dict[str, Member] | None = None
        self._spans: dict[str, tuple[int, int]] = {}

    def _spill(self) -> Path:
        """The plain tar of a compressed one; a cut or damaged stream gives what came before the damage."""
        folder = self._spill_dir or Path(os.environ.get("TMPDIR", "/tmp"))
        key = hashlib.sha256(f"{self.archive.resolve()} {self._stamp}".encode()).hexdigest()[:24]
        target, note = folder / f"{key}.tar", folder / f"{key}.damage"
        if not target.exists() and self._unpack is not None:
            with explain_write(target):
                folder.mkdir(parents=True, exist_ok=True)
                _drop_dead(folder, key)
                temporary = folder / f".{key}.{os.getpid()}.tmp"
                try:
                    damage = _unpack_to(self.archive, self._unpack, temporary)
                    if damage:
                        note.write_text(damage)
                    temporary.replace(target)
                finally:
                    temporary.unlink(missing_ok=True)
        if note.exists():
            self._whole(note.read_text())
        return target

    def listing(self) -> dict[str, Member]:
        if self._listing is None:
            self._plain = self._spill() if self._unpack else self.archive
            self._listing = {}
            try:
                with tarfile.open(self._plain, "r:") as tar:
                    self._index(tar)
            except (tarfile.TarError, EOFError, ValueError) as error:
                if not self._listing:
                    cause = self.damage[0].reason if self.damage else str(error)
                    raise SourceError(
                        f"{self.archive} is no readable tar ({cause}); copy it again"
                    ) from error
                self._whole(f"the tar is damaged after {len(self._listing)} members ({error}); copy it again")
        return self._listing

    def _index(self, tar: tarfile.TarFile) -> None:
        size = self._plain.stat().st_size
        links: list[tuple[str, str]] = []
        for info in tar:
            name = info.name.removeprefix("./")
            if info.isdir() or not self._keeps(name):
                continue
            if info.issym() or info.islnk():
                base = PurePosixPath(name).parent if info.issym() else PurePosixPath()
                links.append((name, os.path.normpath(base / info.linkname)))
            elif not info.isfile():
                self._refuse(name, "device or other special file")
            elif info.offset_data + info.size > size:
                self._whole(f"{name} and what follows are missing: the archive was cut short; copy it again")
            else:
                self._put(name, info.offset_data, info.size)
        for name, target in links:
            if target in self._spans:
                self._put(name, *self._spans[target])
            else:
                self._refuse(name, f"link to {target}, which is not in the archive")

    def _put(self, name: str, offset: int, size: int) -> None:
        self._spans[name] = (offset, size)
        if self._listing is not None:
            self._listing[name] = Member(name, size, f"{self._stamp}@{offset}+{size}")

    def open(self, name: str) -> BinaryIO:
        return cast(BinaryIO, io.BufferedReader(_Slice(self._plain.open("rb"), *self._spans[name])))


def _drop_dead(folder: Path, key: str) -> None:
    """Remove what a killed process was unpacking: its number stands in the name."""
    for path in folder.glob(f".{key}.*.tmp"):
        if not Path(f"/proc/{path.name.split('.')[2]}").exists():
            path.unlink(missing_ok=True)


def _unpack_to(archive: Path, unpack: Callable[[Path], io.BufferedIOBase], target: Path) -> str:
    """Unpack to `target`; the sentence about the damage, or "".

    Raises:
        SourceError: it unpacks to more than `MAX_RATIO` times its size.
    """
    limit = archive.stat().st_size * MAX_RATIO + (1 << 24)
    written = 0
    with target.open("wb") as out:
        try:
            with unpack(archive) as stream:
                while chunk := stream.read1(_CHUNK):
                    written += len(chunk)
                    if written > limit:
                        target.unlink()
                        raise SourceError(
                            f"{archive} unpacks to more than {MAX_RATIO} times its size: refused"
                        )
                    out.write(chunk)
        except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
            return f"the compressed stream ends after {written} bytes ({error}); copy the archive again"
        except OSError as error:
            if error.errno is not None:
                raise
            return f"the compressed stream breaks after {written} bytes ({error}); copy the archive again"
    return ""


class ZipReader(_ArchiveReader):
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
            for info in self._zip.infolist():
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
