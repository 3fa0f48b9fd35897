"""The sum over an MP3's frames that LAME and FFmpeg leave in the first one, and the length beside it.

It proves every byte of the music, as the MD5 of a FLAC does. The tag's sum over itself is not asked: writers reckon it
in ways of their own. The sum is CRC-16 (polynomial 0x8005, bits mirrored), taken here over many stretches at once and
joined: it costs a tenth of decoding. Nothing is decoded.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from corpora.errors import AudioError

Bytes = bytes | mmap.mmap
Words = npt.NDArray[np.uint16]
_STRETCH = 128  # bytes summed one after the other; stretches stand side by side
_MOST_BYTES = 256 << 20
_TAG_BYTES = 36  # from the encoder's name to the tag's own sum
_LENGTH_AT, _MUSIC_SUM_AT = 28, 32


@dataclass(frozen=True)
class Mp3Proof:
    """What the tag proves: `length` is exact, shorter, longer or unknown (no such tag)."""

    length: str = "unknown"
    flags: tuple[str, ...] = ()


def check_sum(data: Bytes, start: int, first_bytes: int, end: int) -> Mp3Proof:
    """Compare the music with the tag in its first frame.

    Args:
        start, first_bytes, end: the first frame, its size, and where the last one ends.

    Raises:
        AudioError: the music has the stated length and not the stated sum: its bytes were changed.
    """
    frame = bytes(data[start : start + first_bytes])
    at = _encoder_at(frame)
    if at is None:
        return Mp3Proof()
    stated, found = _number(frame, at + _LENGTH_AT, 4), end - start
    if stated == 0 or stated <= first_bytes:
        return Mp3Proof()
    if found != stated:
        return Mp3Proof("longer", ("longer_than_stated",)) if found > stated else Mp3Proof("shorter")
    if found > _MOST_BYTES:
        return Mp3Proof("exact")
    if crc16(data[start + first_bytes : end]) != _number(frame, at + _MUSIC_SUM_AT, 2):
        raise AudioError(
            "audio_corrupt", "the frames do not have the sum that the MP3's own tag states: damaged"
        )
    return Mp3Proof("exact")


def _number(frame: bytes, at: int, size: int) -> int:
    return int.from_bytes(frame[at : at + size], "big")


def _encoder_at(frame: bytes) -> int | None:
    """Where the encoder's name stands, behind the fields of the Xing or Info tag; None without it."""
    tag = max(frame.find(b"Xing", 0, 64), frame.find(b"Info", 0, 64))
    if tag < 0 or len(frame) < tag + 8:
        return None
    has = frame[tag + 7]
    at = tag + 8 + 4 * (has & 1) + 4 * (has >> 1 & 1) + 100 * (has >> 2 & 1) + 4 * (has >> 3 & 1)
    return at if len(frame) >= at + _TAG_BYTES and frame[at : at + 3] in {b"LAM", b"Lav"} else None


def crc16(data: bytes) -> int:
    """CRC-16 (polynomial 0x8005, mirrored, from 0) of some bytes."""
    rows = 1 << max(0, (-(-len(data) // _STRETCH) - 1).bit_length())
    filled = np.zeros(rows * _STRETCH, dtype=np.uint8)
    filled[len(filled) - len(data) :] = np.frombuffer(data, dtype=np.uint8)  # zeros in front change nothing
    table, columns = _byte_table(), np.ascontiguousarray(filled.reshape(rows, _STRETCH).T)
    sums: Words = np.zeros(rows, dtype=np.uint16)
    for column in columns:
        sums = table[(sums ^ column) & 0xFF] ^ (sums >> 8)
    level = 0
    while len(sums) > 1:
        low, high = _shift_tables(level)
        sums = low[sums[0::2] & 0xFF] ^ high[sums[0::2] >> 8] ^ sums[1::2]
        level += 1
    return int(sums[0])


@lru_cache(maxsize=1)
def _byte_table() -> Words:
    """What a byte makes of a sum's lower half."""
    table: Words = np.arange(256, dtype=np.uint16)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ 0xA001, table >> 1).astype(np.uint16)
    return table


@lru_cache(maxsize=40)
def _shift_tables(level: int) -> tuple[Words, Words]:
    """What 2^level stretches of zeros make of a sum, for its lower and its upper byte."""
    every: Words = np.arange(256, dtype=np.uint16)
    low, high = every, (every << 8).astype(np.uint16)
    if level == 0:
        table = _byte_table()
        for _ in range(_STRETCH):
            low, high = (table[half & 0xFF] ^ (half >> 8) for half in (low, high))
        return low, high
    below = _shift_tables(level - 1)
    low, high = (below[0][half & 0xFF] ^ below[1][half >> 8] for half in below)
    return low, high
