"""A compressed tar becomes a plain one on disk, once, so that any member can be reached.

Before anything is written the space is compared with what is needed at least, on the way with what is still to
come; a progress line tells bytes, rate and time left. `light` keeps names, texts and the beginning of each sound
and leaves holes for the rest: for questions that open no sound. Of a stream that was cut short what came before
the cut is kept; of one whose checksum or coding is wrong it is said that nothing may be taken.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import shutil
import zlib
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa

from corpora.errors import SourceError
from corpora.sources import archive as archive_reader
from corpora.sources.archive import MAX_RATIO
from corpora.sources.names import SOUND
from corpora.sources.tar_headers import Entry, TarWalk
from store.console import Progress
from store.errors import StoreError

SPOILT = "the compressed stream is damaged"
_CHUNK = 1 << 20
_HEAD = 4096  # bytes of each sound that a light copy keeps
_RESERVE = 64 << 20  # bytes that stay free on the disk
_LOOK_EVERY = 64 << 20
_TOLD_FROM = 32 << 20  # smaller archives are unpacked before anybody could read a progress line
Unpacker = Callable[[BinaryIO], io.BufferedIOBase]
UNPACKERS: dict[bytes, Unpacker] = {
    b"\x1f\x8b": lambda stream: cast(io.BufferedIOBase, gzip.GzipFile(fileobj=stream)),
    b"BZh": lambda stream: cast(io.BufferedIOBase, bz2.BZ2File(stream)),
    b"\xfd7zXZ": lambda stream: cast(io.BufferedIOBase, lzma.LZMAFile(stream)),  # noqa: SIM115
    b"\x28\xb5\x2f\xfd": lambda stream: io.BufferedReader(pa.CompressedInputStream(stream, "zstd")),
}


def gigabytes(count: int) -> str:
    """`23.05 GB (23049477885 bytes)`."""
    return f"{count / 1e9:.2f} GB ({count} bytes)"


def require_space(archives: Sequence[Path], folder: Path) -> None:
    """Compare the free space with the packed size: speech seldom gets smaller by unpacking.

    Raises:
        StoreError: there is not enough; says how much is needed and free.
    """
    needed = sum(archive.stat().st_size for archive in archives)
    if needed + _RESERVE > _free(folder):
        raise _no_space(", ".join(archive.name for archive in archives), folder, needed)


def _free(folder: Path) -> int:
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _no_space(what: str, folder: Path, needed: int) -> StoreError:
    return StoreError(
        f"{what} must be unpacked once into {folder}: at least {gigabytes(needed)} are needed there, "
        f"{gigabytes(_free(folder))} are free. Free some space, put the store on a larger disk, or unpack it "
        "yourself and name the folder as the source"
    )


@dataclass
class _Unpacking:
    """One archive on its way to a plain tar."""

    archive: Path
    stream: io.BufferedIOBase
    packed: BinaryIO
    out: BinaryIO
    progress: Progress | None
    written: int = 0
    looked: int = 0

    def copy(self, size: int | None, hole: bool = False) -> int:
        """Copy so many bytes (None = all there are); with `hole` they are read and not written."""
        begun = self.written
        while size is None or self.written - begun < size:
            wanted = _CHUNK if size is None else min(_CHUNK, size - (self.written - begun))
            chunk = self.stream.read1(wanted)
            if not chunk:
                break
            self._count(len(chunk))
            if hole:
                self.out.seek(len(chunk), os.SEEK_CUR)
            else:
                self.out.write(chunk)
        return self.written - begun

    def read(self, size: int) -> bytes:
        """The next bytes, which are kept; fewer at the end. For `TarWalk`."""
        begun = self.out.tell()
        copied = self.copy(size)
        self.out.flush()
        return os.pread(self.out.fileno(), copied, begun)

    def skip(self, size: int, entry: Entry | None) -> int:
        """Copy the data of a member, of sound the beginning only and a hole for the rest. For `TarWalk`."""
        sound = entry is not None and entry.kind == "file" and SOUND.search(entry.name) is not None
        kept = self.copy(min(size, _HEAD) if sound else size)
        return kept + (self.copy(size - kept, hole=True) if kept < size else 0)

    def _count(self, more: int) -> None:
        self.written += more
        total = self.archive.stat().st_size if self.written - self.looked >= _CHUNK else 0
        if not total:
            return
        limit = min(total * MAX_RATIO + (1 << 24), archive_reader.MAX_UNPACKED_BYTES)
        if self.written > limit:
            raise SourceError(
                f"{self.archive} unpacks to more than {limit} bytes ({MAX_RATIO} times its size, or the "
                "limit for any archive): refused"
            )
        read = self.packed.tell()
        if self.progress is not None:
            self.progress.transferred(read, total)
        if self.written // _LOOK_EVERY != self.looked // _LOOK_EVERY:
            self._look(read, total)
        self.looked = self.written

    def _look(self, read: int, total: int) -> None:
        """Stop before the disk is full, and as soon as the rest is known not to fit."""
        folder = Path(self.out.name).parent
        taken = Path(self.out.name).stat().st_blocks * 512
        left = taken * max(total - read, 0) // max(read, 1) if read * 10 > total else 0
        if left + _RESERVE > _free(folder):
            raise _no_space(self.archive.name, folder, taken + max(left, _RESERVE))


def unpack_to(archive: Path, unpack: Unpacker, target: Path, light: bool = False) -> str:
    """Unpack a compressed tar to `target`; the sentence about the damage, or "".

    Raises:
        SourceError: it unpacks to more than `MAX_RATIO` times its size. StoreError: it does not fit on the disk.
    """
    with ExitStack() as opened:
        packed = opened.enter_context(archive.open("rb"))
        out = opened.enter_context(target.open("w+b"))
        progress = None
        if archive.stat().st_size >= _TOLD_FROM:
            what = "looking through" if light else "unpacking"
            progress = opened.enter_context(Progress(f"{what} {archive.name}", every_s=10.0))
        stream = opened.enter_context(unpack(packed))
        work = _Unpacking(archive, stream, packed, out, progress)
        try:
            if light:
                deque(TarWalk(work), maxlen=0)
            work.copy(None)
        except EOFError as error:
            return f"the compressed stream ends after {work.written} bytes ({error}); copy the archive again"
        except (zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
            if work.written and str(error).startswith(
                "Not a gzipped file"
            ):  # what came before has kept its sums
                return (
                    f"the compressed stream ends after {work.written} bytes and what stands behind it is no gzip: bytes "
                    "put behind it, or a further part whose beginning is damaged"
                )
            return _spoilt(error, work.written)
        except OSError as error:
            if error.errno is not None:
                raise
            return _spoilt(error, work.written)
        finally:
            out.truncate(max(work.written, out.tell()))
    return ""


def _spoilt(error: Exception, written: int) -> str:
    return (
        f"{SPOILT} ({error}, {written} bytes unpacked): bytes were changed and nothing tells in which member, so "
        "none is taken; copy the archive again"
    )
