"""A source as a worker sees it: the members of its own work, known from the plan, read once from where they lie.

Nothing is listed and nothing is decided here.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from corpora.sources.source import Member, Reader, Source

HELD_BYTES = 40 << 20
_CHUNK = 1 << 20


class PlannedSource(Source):
    """A source of which some members are known from a plan; the rest is listed only when asked for.

    Workers use it: what they hold then does not grow with the source. Members that were hashed (`pieces`) stay in
    memory, up to `HELD_BYTES` together, until they are read: every file is read from its disk or server once.
    """

    def __init__(
        self, readers: Sequence[Reader], spill_dir: Path | None, entries: Sequence[list[Any]]
    ) -> None:
        self._readers = list(readers)
        self._spill_dir = spill_dir
        self._members = {}
        self._whole: Source | None = None
        self._held: dict[str, bytes] = {}
        self._room = HELD_BYTES
        places: list[dict[str, list[int]]] = [{} for _ in readers]
        for name, at, inner, size, stamp, place in entries:
            places[at][inner] = place
            self._members[name] = (readers[at], inner, Member(name, size, stamp))
        for reader, known in zip(readers, places, strict=True):
            reader.adopt(known)

    def _listed(self) -> Source:
        if self._whole is None:
            self._whole = Source(self._readers, self._spill_dir)
        return self._whole

    def members(self) -> list[Member]:
        return self._listed().members()

    def names_matching(self, pattern: str | re.Pattern[str]) -> list[str]:
        return self._listed().names_matching(pattern)

    def __contains__(self, name: str) -> bool:
        return name in self._members or name in self._listed()

    def _entry(self, name: str) -> tuple[Reader, str, Member]:
        return self._members.get(name) or self._listed()._entry(name)

    def pieces(self, name: str) -> Iterator[bytes]:
        """All bytes of a member in order, for who hashes them before they are read.

        Raises:
            SourceError, OSError, EOFError, ValueError: it is not there or cannot be read.
        """
        if name in self._held or self.member(name).size > self._room:
            with self.open(name) as stream:
                while chunk := stream.read(_CHUNK):
                    yield chunk
            return
        data = super().read_bytes(name)
        self._held[name] = data
        self._room -= len(data)
        yield data

    def open(self, name: str) -> BinaryIO:
        held = self._held.get(name)
        return super().open(name) if held is None else io.BytesIO(held)

    def read_bytes(self, name: str) -> bytes:
        held = self._held.pop(name, None)
        if held is None:
            return super().read_bytes(name)
        self._room += len(held)
        return held
