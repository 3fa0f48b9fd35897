"""Stretches of any length through a network that hears some seconds at a time, without losing a word at a seam.

A stretch is cut into windows that overlap by three seconds. Where two windows overlap both have said what they hear;
the seam lies where they agree best, and what is joined are log-probabilities, so the search never sees a seam. Which
windows there are depends on the stretch's length alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from training.network.features import Float

WINDOW = 600  # frames heard at once
OVERLAP = 150  # frames that two neighbours share
_STEP = WINDOW - OVERLAP
_EDGE = OVERLAP // 5  # frames at either end of the overlap where one of the two has hardly any context
_AGREE = 6  # frames on either side of a seam that should agree
CONTEXT = 8  # frames before and behind a stretch that are heard with it and not kept: at its very ends a network babbles


@dataclass
class Stretch:
    """Frames [start, stop) of a sound; `stop` is None while somebody still speaks.

    Attributes:
        before, after: how many of them, at either end, are heard for context only.
    """

    start: int
    stop: int | None = None
    before: int = 0
    after: int = 0
    whole: bool = False  # heard in one piece when it has ended, however long
    planned: int = 0  # windows handed out
    answered: int = 0
    _joined: list[Float] = field(default_factory=list)
    _open: Float | None = None  # what the newest window said; its first `_settled` frames are joined already
    _settled: int = 0
    _waiting: dict[int, Float] = field(default_factory=dict)

    @property
    def next_start(self) -> int:
        """Frame where the next window begins; earlier ones are not asked for again."""
        return self.start if self.whole else self.start + self.planned * _STEP

    @property
    def first(self) -> int:
        """The first frame that is kept."""
        return self.start + self.before

    def due(self, sure_until: int) -> list[tuple[int, int, int]]:
        """Windows that can be heard now: number, and frames [start, stop) of the sound.

        Args:
            sure_until: frames before this one belong to the stretch in any case.
        """
        if self.whole:
            return self._all()
        found: list[tuple[int, int, int]] = []
        while True:
            begin = self.next_start
            if self.stop is None:
                if begin + WINDOW > sure_until:
                    return found
                window = (self.planned, begin, begin + WINDOW)
            else:
                covered = begin + OVERLAP if self.planned else begin
                if covered >= self.stop:
                    return found
                window = (self.planned, begin, min(begin + WINDOW, self.stop))
            found.append(window)
            self.planned += 1

    def _all(self) -> list[tuple[int, int, int]]:
        if self.stop is None or self.planned or self.stop <= self.start:
            return []
        self.planned = 1
        return [(0, self.start, self.stop)]

    @property
    def complete(self) -> bool:
        """Whether all of it was heard."""
        return self.stop is not None and self.answered == self.planned

    def answer(self, number: int, log_probs: Float) -> None:
        """What the network says of window `number`; windows may be answered in any order."""
        self._waiting[number] = log_probs
        while self.answered in self._waiting:
            self._join(self._waiting.pop(self.answered))
            self.answered += 1

    def log_probs(self) -> Float:
        """float32 [frames, labels] of all that was heard and is kept."""
        parts = [*self._joined, *([] if self._open is None else [self._open[self._settled :]])]
        heard = np.concatenate(parts) if parts else np.zeros((0, 0), np.float32)
        return heard[self.before : len(heard) - self.after]

    def _join(self, newer: Float) -> None:
        if self._open is not None:
            seam = seam_of(self._open[_STEP:], newer[: len(self._open) - _STEP])
            self._joined.append(self._open[self._settled : _STEP + seam])
            self._settled = seam
        self._open = newer


def seam_of(older: Float, newer: Float) -> int:
    """The frame of an overlap where two windows agree best.

    Args:
        older, newer: log-probabilities of the same frames, float32 [frames, labels].
    """
    frames = min(len(older), len(newer))
    apart = np.abs(np.exp(older[:frames]) - np.exp(newer[:frames])).sum(axis=1)
    width = 2 * _AGREE + 1
    padded = np.pad(apart, _AGREE, constant_values=2.0)
    around = np.convolve(padded, np.ones(width), mode="valid")
    edge = min(_EDGE, frames // 3)
    inside = around[edge : frames - edge]
    return edge + int(np.argmin(inside)) if len(inside) else frames // 2
