"""Which sounds are near copies of others, by their fingerprints, in time and memory that grow with their number.

Two fingerprints are near where at most `NEAR_BITS` of their 128 bits differ (in proportion where both are silent in a
piece: silence is like any other) and they share a 16-bit piece of sound. Sounds of about one length that share a piece
are compared. Where thousands share one (a jingle, a tone, a click before each), it tells nothing: those sounds are
compared with the ones that are one bit away in another piece, which finds every copy of up to 13 differing bits
besides; who may have a farther one is counted as not compared with all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpora.audio.fingerprint import NEAR_BITS

SAME_LENGTH = 0.03  # of the length of the one that is asked about
_BIN = float(np.log1p(SAME_LENGTH))
_BINS_APART = 2  # of sounds of about one length: their logarithms differ by up to 1.04 bins
_BINS = 1024
_SHORTEST_S = 0.5
_MOST = 1000  # sounds of one length and piece that are compared with one
_MOST_PROBED = 64  # the same, one bit away
_AT_ONCE = 1_000_000  # pairs in memory
_PIECES, _PIECE_BITS = 8, 16

Words = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.int64]
Marks = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Sounds:
    """Arrays of equal length: fingerprints `[n, 2]` as words, seconds, hashes of what is said."""

    prints: Words
    seconds: npt.NDArray[np.float32]
    text: npt.NDArray[np.uint64]


@dataclass(frozen=True)
class NearPairs:
    """Rows of two tables of fingerprints, each pair once, in ascending order.

    Attributes:
        compared: how many pairs were looked at.
        unfinished: by row of the second table: whether not all of its pairs were.
    """

    first: Rows
    second: Rows
    compared: int
    unfinished: Marks


@dataclass(frozen=True)
class NearCopies:
    """By sound that was asked about: a near copy says the same, one says something else, not all were compared."""

    same: Marks
    other: Marks
    unfinished: Marks
    compared: int = 0


def near_copies(learnt: Sounds, asked: Sounds) -> NearCopies:
    """Which of `asked` have a near copy of about their length in `learnt`; equal fingerprints are compared once."""
    same, other = np.zeros(len(asked.text), bool), np.zeros(len(asked.text), bool)
    if len(learnt.text) == 0 or len(asked.text) == 0:
        return NearCopies(same, other, np.zeros(len(asked.text), bool))
    kinds, kind_of = _kinds(learnt)
    wanted, wanted_of = _kinds(asked)
    pairs = near_pairs(kinds.prints, wanted.prints, (kinds.seconds, wanted.seconds))
    held = _Held.of(learnt, kind_of)
    order = np.argsort(wanted_of, kind="stable")  # the sounds of each kind, side by side
    begin = np.searchsorted(wanted_of[order], pairs.second, side="left")
    count = np.searchsorted(wanted_of[order], pairs.second, side="right") - begin
    for part in _chunks(count):
        rows = order[_spread(begin[part], count[part])]
        kind = np.repeat(pairs.first[part], count[part])
        alike, all_of_them = held.counts(kind, asked, rows)
        same[rows[alike > 0]] = True
        other[rows[all_of_them > alike]] = True
    return NearCopies(same, other, pairs.unfinished[wanted_of], pairs.compared)


def _kinds(sounds: Sounds) -> tuple[Sounds, Rows]:
    """Sounds of which no two have one fingerprint and one bin of length, and which of them each row is."""
    table = np.column_stack([sounds.prints, bins_of(sounds.seconds).astype(np.uint64)])
    _, first, kind_of = np.unique(table, axis=0, return_index=True, return_inverse=True)
    return Sounds(sounds.prints[first], sounds.seconds[first], sounds.text[first]), kind_of.reshape(-1)


@dataclass(frozen=True)
class _Held:
    """How many sounds of a kind have a length between two others, all of them and by text: keys in ascending order."""

    lengths: npt.NDArray[np.float64]
    texts: npt.NDArray[np.uint64]
    groups: Rows
    all_keys: Rows
    text_keys: Rows

    @classmethod
    def of(cls, learnt: Sounds, kind_of: Rows) -> _Held:
        lengths, place = np.unique(learnt.seconds.astype(np.float64), return_inverse=True)
        texts, text = np.unique(learnt.text, return_inverse=True)
        groups, group = np.unique(kind_of * len(texts) + text, return_inverse=True)
        width = len(lengths) + 1
        return cls(lengths, texts, groups, np.sort(kind_of * width + place), np.sort(group * width + place))

    def counts(self, kind: Rows, asked: Sounds, rows: Rows) -> tuple[Rows, Rows]:
        """Sounds of a kind of about the length of a row: those that say the same, and all."""
        seconds, width = asked.seconds[rows].astype(np.float64), len(self.lengths) + 1
        low = np.searchsorted(self.lengths, seconds * (1 - SAME_LENGTH), side="left")
        high = np.searchsorted(self.lengths, seconds * (1 + SAME_LENGTH), side="right")
        text = np.minimum(np.searchsorted(self.texts, asked.text[rows]), len(self.texts) - 1)
        wanted = kind * len(self.texts) + text
        group = np.minimum(np.searchsorted(self.groups, wanted), len(self.groups) - 1)
        is_said = (self.texts[text] == asked.text[rows]) & (self.groups[group] == wanted)

        def between(keys: Rows, of: Rows) -> Rows:
            found: Rows = np.searchsorted(keys, of * width + high) - np.searchsorted(keys, of * width + low)
            return found

        return np.where(is_said, between(self.text_keys, group), 0), between(self.all_keys, kind)


def bins_of(seconds: npt.NDArray[np.float32]) -> Rows:
    """Bins of length, each 3 % wider than the one before."""
    longer = np.maximum(seconds.astype(np.float64), _SHORTEST_S) / _SHORTEST_S
    bins: Rows = np.minimum(np.log(longer) / _BIN, _BINS - 2 * _BINS_APART).astype(np.int64)
    return bins + _BINS_APART


def near_pairs(
    first: Words,
    second: Words,
    seconds: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]] | None = None,
) -> NearPairs:
    """Rows of two tables whose fingerprints are near; with `seconds` of both only those of about one length.

    Args:
        first, second: `[n, 2]` fingerprints as words, none of them twice with one length in a table.
    """
    bins = (np.zeros(len(first), np.int64), np.zeros(len(second), np.int64))
    if seconds is not None:
        bins = bins_of(seconds[0]), bins_of(seconds[1])
    search = _Search(first, second, *bins)
    unfinished = np.zeros(len(second), bool)
    for place in range(_PIECES):
        rows = np.flatnonzero(search.asked_pieces[:, place])
        unfinished[search.compare_with(place, rows, search.asked_pieces[rows, place], _MOST)] = True
    crowded = np.flatnonzero(unfinished)
    for place in range(_PIECES if len(crowded) else 0):
        for bit in range(_PIECE_BITS):
            pieces = search.asked_pieces[crowded, place] ^ (1 << bit)
            there = pieces != 0
            search.compare_with(place, crowded[there], pieces[there], _MOST_PROBED)
    pairs = np.unique(np.concatenate(search.found), axis=0)
    return NearPairs(pairs[:, 0], pairs[:, 1], search.compared, unfinished)


class _Search:
    """Pairs of two tables as they are found."""

    def __init__(self, first: Words, second: Words, first_bins: Rows, second_bins: Rows) -> None:
        self._first, self._second, self._bins = first, second, second_bins
        pieces, self.asked_pieces = _pieces(first), _pieces(second)
        self._sound, self._asked_sound = pieces != 0, self.asked_pieces != 0
        keys = pieces * _BINS + first_bins[:, None]
        self._order = np.argsort(keys, axis=0, kind="stable")
        self._keys = np.take_along_axis(keys, self._order, axis=0)
        self.found: list[Rows] = [np.zeros((0, 2), np.int64)]
        self.compared = 0

    def compare_with(self, place: int, rows: Rows, pieces: Rows, most: int) -> Rows:
        """Compare rows of the second table with those of the first that have a piece there; who has too many is answered."""
        keys, lowest = self._keys[:, place], pieces * _BINS + self._bins[rows] - _BINS_APART
        begin = np.searchsorted(keys, lowest, side="left")
        count = np.searchsorted(keys, lowest + 2 * _BINS_APART, side="right") - begin
        crowded = count > most
        rows_left, begin, count = rows[~crowded], begin[~crowded], count[~crowded]
        for part in _chunks(count):
            a = self._order[_spread(begin[part], count[part]), place]
            b = np.repeat(rows_left[part], count[part])
            near = self._are_near(a, b)
            self.found.append(np.stack([a[near], b[near]], axis=1))
            self.compared += len(a)
        return rows[crowded]

    def _are_near(self, a: Rows, b: Rows) -> Marks:
        differ = np.bitwise_count(self._first[a] ^ self._second[b]).sum(axis=1).astype(np.int64)
        sound = (self._sound[a] | self._asked_sound[b]).sum(axis=1)
        near: Marks = differ * _PIECES <= NEAR_BITS * sound
        return near


def _pieces(words: Words) -> Rows:
    """The eight pieces of fingerprints, `[n, 8]`; 0 is silence."""
    shifts = np.arange(0, 64, _PIECE_BITS, dtype=np.uint64)
    return ((words[:, :, None] >> shifts) & np.uint64(0xFFFF)).reshape(-1, _PIECES).astype(np.int64)


def _chunks(count: Rows) -> list[slice]:
    """Parts of rows that have about `_AT_ONCE` pairs each."""
    ends = np.flatnonzero(np.diff(np.cumsum(count) // _AT_ONCE, prepend=0)) + 1
    edges = np.unique(np.concatenate(([0], ends, [len(count)])))
    return [slice(low, high) for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)]


def _spread(begin: Rows, count: Rows) -> Rows:
    """`begin`, `begin + 1`, … of each, `count` of them, one after the other."""
    before = np.concatenate(([0], np.cumsum(count)[:-1]))
    spread: Rows = np.arange(int(count.sum())) + np.repeat(begin - before, count)
    return spread
