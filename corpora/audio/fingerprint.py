"""A fingerprint of a recording's sound that survives another codec, level, rate or a little cutting.

128 bits: in 16 steps through the recording and between 8 neighbouring bands from 200 to 3400 Hz, whether the
balance of the two bands rises or falls (the idea of Haitsma and Kalker, ISMIR 2002, stretched over the whole
recording; computed in C++, native/sound.py). Two takes of one sentence differ in about half of the bits, a copy
in few. It finds most copies, not all: what proves that two sounds are equal is the hash of their samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from native import FlacError, flac, sound

VERSION = 2  # fingerprints of another version are not comparable; 1, where nobody says
UNKNOWN = "0" * 32  # near to nothing
NEAR_BITS = 20  # at most so many of the 128 differ between copies

Words = npt.NDArray[np.uint64]
Seconds = npt.NDArray[np.float32]
_LONGEST_S = 1e7  # no recording is longer
_ROUNDED_S = 0.001  # more than is lost where piece and length stand in one number


@dataclass(frozen=True)
class Lengths:
    """Seconds of the rows of two tables, and by what share of the second a pair may differ; looked at a little wider."""

    first_s: Seconds
    second_s: Seconds
    share: float


def fingerprint(samples: npt.NDArray[np.int16], sample_rate_hz: int) -> str:
    """The fingerprint as 32 hex digits.

    Args:
        samples: int16 `[n]`, n ≥ 1, mono.
    """
    return sound.figures(np.ascontiguousarray(samples), sample_rate_hz).fingerprint


def fingerprint_of_stored(stored: bytes) -> str:
    """The fingerprint of a row's sound, for rows whose own is of another version; zeros where it is damaged."""
    try:
        decoded = flac.decode(stored)
    except FlacError:
        return UNKNOWN
    return fingerprint(decoded.samples[:, 0], decoded.sample_rate_hz) if len(decoded.samples) else UNKNOWN


def as_words(hex_text: str) -> tuple[int, int]:
    """A fingerprint as two unsigned 64-bit numbers."""
    return int(hex_text[:16], 16), int(hex_text[16:], 16)


def near_pairs(
    first: Words, second: Words, lengths: Lengths | None = None
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Rows of two tables whose fingerprints differ in at most `NEAR_BITS` bits and share a 16-bit piece.

    Args:
        first, second: `[n, 2]` fingerprints as words.
        lengths: only pairs of about one length are looked at; None = all.

    Returns:
        Row numbers in `first` and in `second`, each pair once, in ascending order.
    """
    found: list[npt.NDArray[np.intp]] = []
    for word in range(2):
        for shift in range(0, 64, 16):
            piece = np.uint64(shift)
            left = (first[:, word] >> piece) & np.uint64(0xFFFF)
            right = (second[:, word] >> piece) & np.uint64(0xFFFF)
            found.append(_same_piece((first, second), (left, right), lengths))
    pairs = np.unique(np.concatenate(found), axis=0)
    return pairs[:, 0], pairs[:, 1]


def _same_piece(
    tables: tuple[Words, Words], pieces: tuple[Words, Words], lengths: Lengths | None
) -> npt.NDArray[np.intp]:
    """Pairs `[m, 2]` of rows with an equal piece that are near as a whole.

    Sounds that begin or end with silence all share a piece: without `lengths` every one is laid beside every other.
    """
    first, second = tables
    left, right = (piece.astype(np.float64) * _LONGEST_S for piece in pieces)
    low = high = right
    if lengths is not None:
        wanted = lengths.second_s.astype(np.float64)
        left = left + lengths.first_s
        low = right + wanted * (1 - lengths.share) - _ROUNDED_S
        high = right + wanted * (1 + lengths.share) + _ROUNDED_S
    order = np.argsort(left, kind="stable")
    begin = np.searchsorted(left[order], low, side="left")
    end = np.searchsorted(left[order], high, side="right")
    found = []
    for rows in np.array_split(np.arange(len(second)), max(1, int((end - begin).sum()) // 2_000_000)):
        lengths_of = (end - begin)[rows]
        b = np.repeat(rows, lengths_of)
        starts = np.repeat(begin[rows] - np.concatenate(([0], np.cumsum(lengths_of)[:-1])), lengths_of)
        a = order[starts + np.arange(len(b))]
        differ = np.bitwise_count(first[a] ^ second[b]).sum(axis=1)
        near = differ <= NEAR_BITS
        found.append(np.stack([a[near], b[near]], axis=1))
    return np.concatenate(found)
