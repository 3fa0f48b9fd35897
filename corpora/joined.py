"""Files that were cut into parts, read as one; nothing is copied."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO, cast


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
