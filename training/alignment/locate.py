"""Which words of a script were said where: the best way through two long rows of words, jumps allowed.

Both rows are numbers (equal words, equal numbers). Going on in both with the same word is worth a point; another word,
a word only heard, a word only written, and a jump to any other place of the script cost something. The answer is exact:
every place of the script is followed at once, a heard word at a time; every 256th row is kept and the way back is found
block by block. Time grows with heard times written words (a tenth of a nanosecond each), memory with their root.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Row = npt.NDArray[np.float32]
_BLOCK = 256
_EQUAL = 0.02  # scores of thirty-two bits that differ by less are the same


@dataclass(frozen=True)
class Costs:
    """What leaving the common way costs, in matched words."""

    other: float = 0.9  # another word was heard
    heard: float = 0.5  # a word that is not written
    written: float = 0.5  # a word that is not heard
    passing: float = 0.5  # the first of several such words: one long way round is better than two short ones
    jump: float = 9.0


@dataclass
class _Rows:
    """The two rows of words and a step of the recurrence."""

    heard: Ints
    written: Ints
    costs: Costs
    places: dict[int, Ints] = field(default_factory=dict)

    def __post_init__(self) -> None:
        order = np.argsort(self.written, kind="stable")
        words, starts = np.unique(self.written[order], return_index=True)
        parts = np.split(order, starts[1:])
        self.places = dict(zip(words.tolist(), parts, strict=True))
        self.ramp = (np.arange(len(self.written) + 1) * self.costs.written).astype(np.float32)

    def where(self, word: int) -> Ints:
        return self.places.get(int(word), np.zeros(0, np.int64))

    def step(self, row: Row, word: int) -> Row:
        """Scores after one more heard word; entry j = the first j written words lie behind."""
        places = self.where(word)
        now = row - np.float32(self.costs.heard)
        aside = row[:-1] - np.float32(self.costs.other)
        aside[places] = row[:-1][places] + np.float32(1)
        np.maximum(now[1:], aside, out=now[1:])
        if len(places):
            entered = row.max() - np.float32(self.costs.jump) + np.float32(1)
            now[places + 1] = np.maximum(now[places + 1], entered)
        passed = np.maximum.accumulate(now + self.ramp) - self.ramp - np.float32(self.costs.passing)
        np.maximum(now, passed, out=now)
        now -= now.max()  # only differences count; small numbers stay exact
        return now


def locate(heard: Ints, written: Ints, costs: Costs | None = None) -> Ints:
    """For every heard word its place in the script, or -1.

    Args:
        heard, written: words as numbers, int64.

    Returns:
        int64 [heard]; places of words that stand opposite each other, equal or not.
    """
    answer = np.full(len(heard), -1, np.int64)
    if len(heard) == 0 or len(written) == 0:
        return answer
    rows = _Rows(heard, written, costs or Costs())
    kept = [np.zeros(len(written) + 1, np.float32)]
    row = kept[0]
    for index, word in enumerate(heard):
        row = rows.step(row, int(word))
        if (index + 1) % _BLOCK == 0:
            kept.append(row)
    place = int(row.argmax())
    for block in range((len(heard) - 1) // _BLOCK, -1, -1):
        place = _back(
            rows, kept[block], (block * _BLOCK, min((block + 1) * _BLOCK, len(heard))), (place, answer)
        )
    return answer


def _back(rows: _Rows, first: Row, bounds: tuple[int, int], at: tuple[int, Ints]) -> int:
    """Walk one block backwards from a place after its last word; the place before its first."""
    start, stop = bounds
    place, answer = at
    table = [first]
    for index in range(start, stop):
        table.append(rows.step(table[-1], int(rows.heard[index])))
    for index in range(stop - 1, start - 1, -1):
        before, after = table[index - start], table[index - start + 1]
        place = _origin(rows, (before, after), int(rows.heard[index]), place)
        if place < 0:  # a jump: the best place before
            answer[index] = -place - 2
            place = int(before.argmax())
        elif place >= len(before):  # a pair
            place -= len(before)
            answer[index] = place
    return place


def _origin(rows: _Rows, pair: tuple[Row, Row], word: int, place: int) -> int:
    """Where a place was reached from: p (only heard), len + p (paired with p), -(p + 2) (jumped to p)."""
    before, after = pair
    costs = rows.costs
    score = float(after[place]) + _shift(rows, before, word)
    jumped = float(before.max()) - costs.jump + 1.0
    passing = costs.passing
    while place > 0:
        same = rows.written[place - 1] == word
        paired = float(before[place - 1]) + (1.0 if same else -costs.other)
        if abs(score - paired) < _EQUAL:
            return len(before) + place - 1
        if same and abs(score - jumped) < _EQUAL:
            return -(place - 1 + 2)
        if abs(score - (float(before[place]) - costs.heard)) < _EQUAL:
            return place
        place -= 1  # the word before was written and not heard
        score += costs.written + passing
        passing = 0.0
    return 0


def _shift(rows: _Rows, before: Row, word: int) -> float:
    """What `step` took off the row after it."""
    places = rows.where(word)
    best = before.max() - rows.costs.heard
    if len(before) > 1:
        best = max(best, float(before[:-1].max()) - rows.costs.other)
    if len(places):
        best = max(best, float(before[:-1][places].max()) + 1.0, float(before.max()) - rows.costs.jump + 1.0)
    return float(best)


def gathered(places: Ints, heard: Ints) -> Ints:
    """The same answer with every lone word beside its neighbours, where the same word was heard there too.

    Which of two equal words stands for a written one is all the same to the score; that neighbours stay together is not
    all the same to a reader.
    """
    answer = places.copy()
    _gather(answer, heard, step=-1)
    _gather(answer, heard, step=1)
    return answer


def _gather(answer: Ints, heard: Ints, step: int) -> None:
    """Move lone words against `step`'s direction of reading: with -1 from the end, towards what follows them."""
    placed = [int(index) for index in np.flatnonzero(answer >= 0)[::step]]
    last: int | None = None
    for index in placed:
        if last is not None:
            beside = last + step
            follows = answer[last] + step == answer[index]
            if follows and beside != index and answer[beside] < 0 and heard[beside] == heard[index]:
                ahead = index + step
                alone = not (0 <= ahead < len(answer) and answer[ahead] == answer[index] + step)
                if alone:
                    answer[beside], answer[index] = answer[index], -1
                    index = beside
        last = index
