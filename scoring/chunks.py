"""CTM against CTM: one channel divided into stretches where a pause of the reference meets one of the hypothesis.

The division is sclite's: at most 50 words of each side at first, backwards to the last pair of gaps that overlap,
doubled where there is none. It bounds the work and, with it, what may be aligned with what.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scoring.errors import ScoringError
from scoring.pairs import Pair, Pairing
from scoring.timed_pairing import marked_text
from scoring.transcripts import TimedWord, Transcripts

_FIRST_LENGTH = 50
_NEVER_S = 999999.99


def pair_chunks(reference: Transcripts, hypothesis: Transcripts) -> Pairing:
    """The stretches of every channel, called `recording-channel-0000` and so on.

    Raises:
        ScoringError: a channel is in one file only.
    """
    if set(reference.words) != set(hypothesis.words):
        side, path = next(
            (side, one.path)
            for one, other in ((reference, hypothesis), (hypothesis, reference))
            for side in one.words
            if side not in other.words
        )
        raise ScoringError(
            f"recording {side[0]!r} channel {side[1]!r} is in {path} only: CTM needs both sides"
        )
    result = Pairing()
    for (recording, channel), said in reference.words.items():
        speaker = f"{recording}-{channel}"
        for number, (mine, theirs) in enumerate(_chunks(said, hypothesis.words[recording, channel])):
            text, times = marked_text(mine)
            heard, heard_times = marked_text(theirs)
            result.pairs.append(
                Pair(
                    f"{speaker}-{number:04d}", speaker, text, heard, "", recording, channel,
                    times=(times, heard_times),
                )
            )  # fmt: skip
    return result


def _chunks(
    said: Sequence[TimedWord], heard: Sequence[TimedWord]
) -> list[tuple[Sequence[TimedWord], Sequence[TimedWord]]]:
    found = []
    first, second = 0, 0
    while first < len(said) or second < len(heard):
        length = _FIRST_LENGTH
        while (ends := _Search(said, heard, first, second).ends(length)) is None:
            length *= 2
        found.append((said[first : ends[0] + 1], heard[second : ends[1] + 1]))
        first, second = ends[0] + 1, ends[1] + 1
    return found


def _overlap_s(first: tuple[float, float], second: tuple[float, float]) -> float:
    """How long two spans overlap; below 0: how far they are apart."""
    if first[0] < second[0]:
        return min(first[1], second[1]) - second[0]
    return min(first[1], second[1]) - first[0]


@dataclass
class _Search:
    """Looks for the end of the stretch that begins at word `first` of one side and `second` of the other."""

    said: Sequence[TimedWord]
    heard: Sequence[TimedWord]
    first: int
    second: int

    def ends(self, length: int) -> tuple[int, int] | None:
        """Last words of both sides, or None if `length` words are too few to find a common pause."""
        last = (len(self.said) - 1, len(self.heard) - 1)
        if last[0] - self.first < length and last[1] - self.second < length:
            return last
        a, b = min(self.first + length, last[0]), min(self.second + length, last[1])
        while a >= self.first and self.said[a].in_alternation:
            a -= 1
        a, b = self._synchronised(a, b)
        while a > self.first and b > self.second:
            if _overlap_s(self._gap(self.said, a), self._gap(self.heard, b)) >= 0.0:
                return a, b
            a, b = self._moved(a, b)
        return (a, b) if a > self.first or b > self.second else None

    def _gap(self, words: Sequence[TimedWord], at: int) -> tuple[float, float]:
        return words[at].end_s, _NEVER_S if at == len(words) - 1 else words[at + 1].start_s

    def _apart(self, a: int, b: int) -> bool:
        one, other = _at(self.said, a), _at(self.heard, b)
        return _overlap_s((one.start_s, one.end_s), (other.start_s, other.end_s)) < 0.0

    def _later(self, a: int, b: int) -> float:
        """Above 0 if the reference's word begins later."""
        return _at(self.said, a).start_s - _at(self.heard, b).start_s

    def _synchronised(self, a: int, b: int) -> tuple[int, int]:
        """Both ends moved back until they are near in time."""
        again = True
        while again:
            again = False
            if self._later(a, b) > 0:
                while not again and a >= self.first and self._later(a, b) > 0 and self._apart(a, b):
                    a, again = self._before(a)
            elif self._later(a, b) < 0:
                while b >= self.second and self._later(a, b) < 0 and self._apart(a, b):
                    b -= 1
        return a, b

    def _before(self, a: int) -> tuple[int, bool]:
        """The reference's word before, over whole alternations, and whether there was one."""
        a -= 1
        skipped = False
        while a >= self.first and self.said[a].in_alternation:
            a -= 1
            skipped = True
        return a, skipped

    def _moved(self, a: int, b: int) -> tuple[int, int]:
        """One step back on the side that is later, the other drawn after it."""
        again = True
        while again:
            again = False
            if self._later(a, b) > 0:
                if a > self.first:
                    a, again = self._before(a)
                while not again and b >= self.second and self._later(a, b) < 0 and self._apart(a, b):
                    b -= 1
            else:
                if b > self.second:
                    b -= 1
                while not again and a >= self.first and self._later(a, b) > 0 and self._apart(a, b):
                    a, again = self._before(a)
        return a, b


_NO_WORD = TimedWord("", 0.0, 0.0)


def _at(words: Sequence[TimedWord], index: int) -> TimedWord:
    """A word; one before the first, if the stretch began there, is at 0."""
    return words[index] if 0 <= index < len(words) else _NO_WORD
