"""Ogg page by page: every page has a sum and a number, and a lost, changed or doubled one shows in them.

Decoders pass over damaged pages in silence, and everything behind them is then at another time. So all pages are
walked here: capture pattern, size, CRC-32, number within their stream, first and last page of every stream. Vorbis,
Opus, Speex, FLAC and films lie in the same pages. Nothing is decoded.
"""

from __future__ import annotations

import mmap
import zlib
from dataclasses import dataclass, field

from corpora.errors import AudioError

Bytes = bytes | mmap.mmap
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_HEAD = 27
_CONTINUED, _FIRST, _LAST = 1, 2, 4


@dataclass
class _Stream:
    number: int  # of its last page
    ended: bool = False


@dataclass
class _Walk:
    """What is known after some pages."""

    streams: dict[bytes, _Stream] = field(default_factory=dict)
    in_heads: bool = False


def check_ogg(data: Bytes) -> tuple[str, ...]:
    """Prove every page of an Ogg file.

    Returns:
        Flags: `foreign_bytes_at_end`.

    Raises:
        AudioError: a page is damaged, lost, doubled, out of order or cut off; says which and where.
    """
    at, walk, pages = 0, _Walk(), 0
    while at < len(data):
        end = _page_end(data, at)
        if end is None:
            if pages and data.find(b"OggS", at) < 0 and all(s.ended for s in walk.streams.values()):
                return ("foreign_bytes_at_end",)
            raise _damage(at, pages, "there is no Ogg page where one should begin")
        if end > len(data):
            raise AudioError(
                "audio_truncated", f"page {pages + 1} of the Ogg at byte {at} is not whole: cut short"
            )
        page = bytes(data[at:end])
        if _crc(page) != int.from_bytes(page[22:26], "little"):
            raise _damage(at, pages, "its checksum does not agree")
        _follow(walk, page, at, pages)
        at, pages = end, pages + 1
    open_streams = [stream for stream in walk.streams.values() if not stream.ended]
    if open_streams:
        raise AudioError("audio_truncated", "the Ogg stream has no last page: cut short")
    return ()


def _damage(at: int, pages: int, what: str) -> AudioError:
    return AudioError("audio_corrupt", f"page {pages + 1} of the Ogg, at byte {at}: {what}: damaged")


def _page_end(data: Bytes, at: int) -> int | None:
    """Where the page at `at` ends, perhaps behind the file's end; None where none begins."""
    head = data[at : at + _HEAD]
    if head[:4] != b"OggS"[: len(head)] or (len(head) > 4 and head[4] != 0):
        return None
    if len(head) < _HEAD:
        return at + _HEAD
    segments = data[at + _HEAD : at + _HEAD + head[26]]
    return at + _HEAD + head[26] + sum(segments)


def _crc(page: bytes) -> int:
    """Ogg's CRC-32: zlib's with all bits mirrored, from 0 and without the last inversion."""
    mirrored = (page[:22] + bytes(4) + page[26:]).translate(_MIRRORED)
    register = zlib.crc32(mirrored, 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{register:032b}"[::-1], 2)


def _follow(walk: _Walk, page: bytes, at: int, pages: int) -> None:
    """Compare a page's number and marks with the pages of its stream before."""
    kind, serial = page[5], page[14:18]
    number = int.from_bytes(page[18:22], "little")
    stream = walk.streams.get(serial)
    if kind & _FIRST:
        if stream is not None and not stream.ended:
            raise _damage(at, pages, "a stream begins a second time")
        if not walk.in_heads:
            if any(not other.ended for other in walk.streams.values()):
                raise _damage(at, pages, "a stream begins in the middle of others")
            if walk.streams:
                reason = f"a further recording begins at byte {at} of the Ogg: split the file, or join them by a program"
                raise AudioError("audio_corrupt", reason)
        walk.in_heads = True
        walk.streams[serial] = _Stream(number, bool(kind & _LAST))
        return
    walk.in_heads = False
    if stream is None:
        raise _damage(at, pages, "the beginning of its stream is missing")
    if stream.ended:
        raise _damage(at, pages, "it follows the last page of its stream")
    if number != stream.number + 1:
        raise _damage(
            at, pages, f"it has the number {number}, {stream.number + 1} should come: pages are missing"
        )
    stream.number, stream.ended = number, bool(kind & _LAST)
