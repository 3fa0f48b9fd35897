"""The documents of a tar as streams, one after the other; the archive proves its end by the walk over its headers."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from corpora.sources.tar_headers import Entry, TarWalk
from lm.errors import TextSourceError

_CHUNK = 1 << 20


class _TarStream(io.RawIOBase):
    """A tar as one forward stream: `Blocks` for its walk, and between two headers the bytes of the member."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self._stream, self._left = stream, 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes of the tar itself; fewer at the end."""
        return self._stream.read(size)

    def skip(self, size: int, entry: Entry | None) -> int:
        """Pass over what nobody read of a member; how many bytes of it and its padding there were."""
        read = 0 if entry is None else entry.size - self._left
        left, self._left = size - read, 0
        while left > 0 and (chunk := self._stream.read(min(left, _CHUNK))):
            left -= len(chunk)
        return size - left

    def member(self, entry: Entry) -> io.BufferedReader:
        """The bytes of the member whose header was read last."""
        self._left = entry.size
        return io.BufferedReader(_Member(self), buffer_size=1 << 20)

    def take(self, size: int) -> bytes:
        """The next bytes of the member; b"" at its end, and where the tar ends in it."""
        data = self._stream.read(min(size, self._left))
        self._left -= len(data)
        return data


class _Member(io.RawIOBase):
    """One member of a `_TarStream`."""

    def __init__(self, tar: _TarStream) -> None:
        self._tar = tar

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fills the buffer with the next bytes; 0 at the end."""
        data = self._tar.take(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def members(name: str, stream: io.BufferedReader) -> Iterator[tuple[str, io.BufferedReader]]:
    """The documents of a tar, read as one forward stream, in the archive's own order.

    Raises TextSourceError where the tar does not end as a tar ends: texts would be missing without a word.
    """
    tar = _TarStream(stream)
    walk = TarWalk(tar)
    for entry in walk:
        document = tar.member(entry)
        if entry.kind == "file" and not Path(entry.name).name.startswith("."):
            yield f"{name}!/{entry.name}", document
    if walk.damage:
        raise TextSourceError(f"{name} is a damaged tar: {walk.damage}; copy it again")
