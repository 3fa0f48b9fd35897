"""Believed words become segments that may be learnt from: in the script's order, cut at silences, at most 15 s.

A segment holds exactly what is said between its cuts: it ends where a word is doubtful, not written, or not the next
of the script. Knows no sound.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from training.alignment.judge import Placed
from training.alignment.listening import TimedWord

LONGEST_FRAMES = 700  # 14 s, and a margin on either side
_PAUSE_FRAMES = 50  # a second: two sentences, two segments
_LETTERS = 4  # fewer between two doubtful words may fit by chance, unless they fit well
_VERY_WELL, _WELL = -0.1, -0.5
_SHORT, _SHORT_WELL = 3, -0.3  # letters, and how well a word of so few must be borne
_AROUND = 3  # words to either side in which a lone one needs a neighbour of the script, at most one word further there
_FAR = 1 << 30
_BESIDE = 2  # words of the script to a neighbour that a word may be borne less well for
_COMPANY = 4  # words to either side; where most of them are not believed, somebody says something else,
_FOREIGN_LETTERS = 12  # and a run must be this long: the son, in the, and such stand in every text


@dataclass(frozen=True)
class Passage:
    """Words that follow each other in sound and script; script words [first, stop)."""

    words: tuple[TimedWord, ...]
    first: int

    @property
    def stop(self) -> int:
        """The script's word after the last."""
        return self.first + len(self.words)

    @property
    def score(self) -> float:
        """The least of its words' scores."""
        return min(word.score for word in self.words)


def passages(placed: Sequence[Placed]) -> list[Passage]:
    """All passages, in the order of the sound."""
    found: list[Passage] = []
    for run in _runs(placed):
        first = run[0].place
        for words in _short([one.word for one in run]):
            found.append(Passage(tuple(words), first))
            first += len(words)
    return found


def _runs(placed: Sequence[Placed]) -> Iterable[list[Placed]]:
    """Unbroken runs of believed words."""
    run: list[Placed] = []
    for index, one in enumerate([*placed, None]):
        last = run[-1] if run else None
        if one is not None and last is not None and _follows(last, one):
            run.append(one)
            continue
        if run and _enough(run, placed, index):
            yield run
        run = [one] if one is not None and one.sure else []


def _follows(last: Placed, one: Placed) -> bool:
    near = one.stretch == last.stretch and one.word.start - last.word.stop < _PAUSE_FRAMES
    return one.sure and near and one.place == last.place + 1 and not one.skipped


def _enough(run: Sequence[Placed], placed: Sequence[Placed], stop: int) -> bool:
    """Whether a run that ends before `placed[stop]` cannot be chance.

    Long enough, or short, well borne and among its neighbours of the script. Where others are not believed around it, it
    must be longer, or several words beside those neighbours.
    """
    start = stop - len(run)
    letters = sum(len(one.word.word) for one in run)
    several = len(run) > 1 and letters >= _LETTERS
    away = _away(run, placed, start, stop)
    if letters < _FOREIGN_LETTERS and _among_strangers(run, placed, start, stop):
        return several and away <= _AROUND + 1
    least = min(one.word.score for one in run)
    well = _SHORT_WELL if letters <= _SHORT else _WELL
    return several or (away <= _BESIDE and least >= well) or (away <= _AROUND + 1 and least >= _VERY_WELL)


def _away(run: Sequence[Placed], placed: Sequence[Placed], start: int, stop: int) -> int:
    """How many words of the script a run is from the nearest believed one, of those heard right before and behind it."""
    before = [one for one in placed[max(0, start - _AROUND) : start] if one.sure]
    after = [one for one in placed[stop : stop + _AROUND] if one.sure]
    ways = [run[0].place - one.place for one in before if one.stretch == run[0].stretch]
    ways += [one.place - run[-1].place for one in after if one.stretch == run[0].stretch]
    return min((way for way in ways if way > 0), default=_FAR)


def _among_strangers(run: Sequence[Placed], placed: Sequence[Placed], start: int, stop: int) -> bool:
    """Whether most of what is heard around a run, in its stretch, is not of the script."""
    around = [*placed[max(0, start - _COMPANY) : start], *placed[stop : stop + _COMPANY]]
    company = [one.sure for one in around if one.stretch == run[0].stretch]
    return len(company) >= _AROUND and 2 * sum(company) < len(company)


def _short(words: list[TimedWord]) -> list[list[TimedWord]]:
    """Parts that are short enough, cut at the longest silences."""
    if len(words) < 2 or words[-1].stop - words[0].start <= LONGEST_FRAMES:
        return [words]
    gaps = [later.start - earlier.stop for earlier, later in pairwise(words)]
    middle = len(gaps) / 2
    place = max(range(len(gaps)), key=lambda index: (gaps[index], -abs(index + 0.5 - middle))) + 1
    return [*_short(words[:place]), *_short(words[place:])]
