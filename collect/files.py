"""Sound on the disk, named by its content; uploads that grow piece by piece.

    sound/<campaign>/ab/<sha256>.flac      written to a temporary name, fsynced, renamed before the row is committed
    uploads/<voice>/<take>.part            what has arrived of a recording so far

A file whose row was never committed is an orphan: `drop_orphans` removes it. This module knows no table.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from collect.errors import ConflictError, NotFoundError, StorageError, TooLargeError, TooManyError
from collect.settings import Limits
from store.errors import StoreError
from store.writing import write_bytes_atomic

_TAKE = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_STALE_S = 24 * 3600.0


def checked_take(take: str) -> str:
    """A take's id, which is a UUID in lower case: it names a file.

    Raises:
        NotFoundError: it is something else.
    """
    if not _TAKE.fullmatch(take):
        raise NotFoundError("this is no id of a recording")
    return take


class SoundFiles:
    """The sound of all campaigns."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "sound"

    def path(self, campaign: str, sha256: str) -> Path:
        """Where a sound lies.

        Raises:
            NotFoundError: no hash.
        """
        if not _SHA256.fullmatch(sha256):
            raise NotFoundError("this is no hash of a sound")
        return self.folder / campaign / sha256[:2] / f"{sha256}.flac"

    def keep(self, campaign: str, flac: bytes) -> str:
        """Write a sound so that it stays; answers its hash.

        Raises:
            StorageError: the disk is full or cannot be written.
        """
        sha256 = hashlib.sha256(flac).hexdigest()
        path = self.path(campaign, sha256)
        try:
            if not path.is_file():
                write_bytes_atomic(path, flac)
        except StoreError as error:
            raise StorageError("nothing can be stored now: {cause}", cause=error) from error
        return sha256

    def drop(self, campaign: str, sha256s: Iterable[str]) -> int:
        """Remove sounds for good; answers how many there were."""
        dropped = 0
        for sha256 in sha256s:
            path = self.path(campaign, sha256)
            if path.is_file():
                path.unlink()
                dropped += 1
        return dropped

    def orphans(self, campaign: str, known: set[str], older_than_s: float = 3600.0) -> Iterator[Path]:
        """Sounds without a row that are not just being taken in, and left-over temporary files."""
        limit_s = time.time() - older_than_s
        for path in sorted((self.folder / campaign).glob("*/*")):
            if path.stem not in known and path.stat().st_mtime < limit_s:
                yield path

    def drop_orphans(self, campaign: str, known: set[str], older_than_s: float = 3600.0) -> int:
        """Remove what no row knows; answers how many files."""
        found = list(self.orphans(campaign, known, older_than_s))
        for path in found:
            path.unlink(missing_ok=True)
        return len(found)


class Uploads:
    """Recordings on their way. The size of a part is how far it came: the browser asks and goes on there."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.folder, self.limits = folder / "uploads", limits

    def path(self, voice: str, take: str) -> Path:
        """Where a take's part lies."""
        return self.folder / voice / f"{checked_take(take)}.part"

    def size(self, voice: str, take: str) -> int:
        """Bytes that have arrived; 0 for a take nobody knows yet."""
        path = self.path(voice, take)
        return path.stat().st_size if path.is_file() else 0

    def append(self, voice: str, take: str, offset: int, data: bytes) -> int:
        """Add a piece that begins at `offset`; answers the new size. A piece that is there already changes nothing.

        Raises:
            ConflictError: the piece does not begin where the part ends. TooLargeError: beyond the limit.
            TooManyError: too many recordings on their way. StorageError: the disk is full.
        """
        path, there = self.path(voice, take), self.size(voice, take)
        if offset + len(data) <= there:
            return there
        if offset != there:
            raise ConflictError(
                "the piece begins at {offset}, but {there} bytes are here: go on there",
                offset=offset,
                there=there,
            )
        if there + len(data) > self.limits.take_bytes:
            raise TooLargeError("a recording may have {most} MiB", most=self.limits.take_bytes >> 20)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not there and sum(1 for _ in path.parent.iterdir()) >= self.limits.open_uploads_per_voice:
                self._drop_oldest(path.parent)
            with path.open("ab") as stream:
                stream.write(data)
        except OSError as error:
            raise StorageError(
                "the recording cannot be stored now ({cause}); try again later", cause=error.strerror
            ) from error
        return there + len(data)

    def _drop_oldest(self, folder: Path) -> None:
        """Make room where a browser has left parts behind; who sends many at once has to wait."""
        oldest = min(folder.iterdir(), key=lambda path: path.stat().st_mtime)
        if time.time() - oldest.stat().st_mtime < 60:
            raise TooManyError("too many recordings are on their way at once", 30)
        oldest.unlink(missing_ok=True)

    def drop(self, voice: str, take: str) -> None:
        """Forget a part."""
        self.path(voice, take).unlink(missing_ok=True)

    def drop_stale(self) -> int:
        """Remove parts that nobody has gone on with for a day; answers how many."""
        limit_s, dropped = time.time() - _STALE_S, 0
        for path in self.folder.glob("*/*.part"):
            if path.stat().st_mtime < limit_s:
                path.unlink(missing_ok=True)
                dropped += 1
        return dropped
