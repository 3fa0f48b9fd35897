"""Which words of a script were really said, and when: only what script and sound agree on is let through.

A heard word that stands opposite the same word of the script is believed when the sound bears it: its letters are
nearly the likeliest, and nothing is skipped before it. Where the two differ the sound is asked a second time, with the
script's words in the place of those that were heard; they are taken when they fit as well. Everything else is named as
not spoken or not written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import Levenshtein

from training.alignment.listening import HeardStretch, Listening, TimedWord, timed_words
from training.alignment.locate import gathered, locate

Ints = npt.NDArray[np.int64]
_NEAR = 40  # words: how far off a neighbour that has a place may be
_SHORT = 3  # letters: to and the, in and it are told apart by a vowel that is hardly spoken
_TINY = 2  # letters: at and by are one sound that may belong to its neighbour, so both must be heard
_PASSED_OVER = 2  # words that a second look puts where fewer were heard


@dataclass(frozen=True)
class Limits:
    """What is still believed, in nats.

    Attributes:
        score: of a word's letters, mean behind the likeliest.
        before: of what is skipped between two words, or between the letters of one, summed.
        frames, frames_a_letter: a word may last; a longer one is a word that was stretched over something else.
        faint: letters that the network thinks likely between two words, summed, without one of them being the likeliest.
        letter: of the least heard letter of a word of two.
        twice: frames of a letter that is said, left and said again.
        pause: frames between two letters of a word; behind a longer one the last letters are those of another word.
        silent: frames between two words of a stretch, in which the detector hears speech and the network nothing.
        hemmed: by how much more the score may be passed by a word that was heard as it is written, between words that are
            believed and are its neighbours in sound and script.
        worse: how much worse in all the script's words may fit than those that were heard, a word.
    """

    score: float = -1.0
    before: float = -4.0
    faint: float = 0.6
    letter: float = -3.0
    twice: int = 10
    pause: int = 18
    silent: int = 25
    hemmed: float = 2.5
    worse: float = 1.0
    frames: int = 15
    frames_a_letter: int = 7


@dataclass(frozen=True)
class Placed:
    """A heard word.

    Attributes:
        place: in the script, -1 where it is not written.
        sure: whether the sound bears it.
        stretch: number of the stretch of speech.
        skipped: whether something else is said between the word before, or the stretch's beginning, and this one.
    """

    word: TimedWord
    place: int
    sure: bool
    stretch: int
    skipped: bool = False


def judge(listening: Listening, script: Sequence[str], limits: Limits | None = None) -> list[Placed]:
    """All heard words in order, with those of the script that were put in their place."""
    limits = limits or Limits()
    heard = [(word, number) for number, one in enumerate(listening.stretches) for word in one.words]
    numbers: dict[str, int] = {}
    written = np.array([numbers.setdefault(word, len(numbers)) for word in script], np.int64)
    said = np.array([numbers.get(word.word, -1) for word, _ in heard], np.int64)
    places = gathered(locate(said, written), said)
    placed = [
        Placed(word, int(place) if place >= 0 and script[place] == word.word else -1, False, number)
        for (word, number), place in zip(heard, places, strict=True)
    ]
    return settled(_second_look(placed, listening, script, limits), script, limits)


def settled(placed: Sequence[Placed], script: Sequence[str], limits: Limits) -> list[Placed]:
    """The same words, each with what is believed of it: by itself, and by what stands beside it in sound and script."""
    placed = [
        replace(one, sure=one.place >= 0 and borne(one.word, limits), skipped=_skipped(before, one, limits))
        for one, before in zip(placed, [None, *placed], strict=False)
    ]
    placed = [
        replace(one, sure=one.sure and not _mistakable(placed, index, script))
        for index, one in enumerate(placed)
    ]
    wider = replace(limits, score=limits.hemmed * limits.score)  # not `before`: another word may be inside
    return [
        replace(one, sure=True)
        if one.place >= 0 and not one.sure and borne(one.word, wider) and _hemmed(placed, index)
        else one
        for index, one in enumerate(placed)
    ]


def _skipped(before: Placed | None, one: Placed, limits: Limits) -> bool:
    """Whether something else is said before a word: other letters, or speech in which the network hears no letter."""
    if before is None or before.stretch != one.stretch:
        return one.word.before < limits.before
    unheard = one.word.start - before.word.stop > limits.silent  # longer pauses would part the stretch
    faint = one.word.faint > limits.faint
    return unheard or faint or one.word.before + before.word.after < limits.before


def _mistakable(placed: Sequence[Placed], index: int, script: Sequence[str]) -> bool:
    """Whether a word may just as well be its neighbour in the script: much alike, and passed over right beside it."""
    one = placed[index]
    if one.place < 0:
        return False
    for step in (-1, 1):
        at, place = index + step, one.place + step
        beside = placed[at] if 0 <= at < len(placed) else None
        passed = 0 <= place < len(script) and (beside is None or beside.place not in (-1, place))
        if passed and _alike(script[place], one.word.word):
            return True
    return False


def _alike(one: str, other: str) -> bool:
    """Whether a network may take one word for the other: a third of the letters, or short ones that begin alike."""
    if one == other:
        return False
    if max(len(one), len(other)) <= _SHORT:
        return one[0] == other[0]
    return Levenshtein.distance(one, other) <= len(other) // 3


def _hemmed(placed: Sequence[Placed], index: int) -> bool:
    """Whether a word's neighbours in the sound are those of the script and believed; a stretch's end is one, too."""
    one = placed[index]
    sides = []
    for step in (-1, 1):
        at = index + step
        beside = placed[at] if 0 <= at < len(placed) and placed[at].stretch == one.stretch else None
        if beside is None:
            continue
        later = beside if step > 0 else one
        sides.append(beside.sure and beside.place == one.place + step and not later.skipped)
    return bool(sides) and all(sides)


def _second_look(
    placed: list[Placed], listening: Listening, script: Sequence[str], limits: Limits
) -> list[Placed]:
    """Put the script's words where others were heard, or where one was passed over, if the sound bears them as well."""
    asked = _Asked(listening, script, limits)
    answer: list[Placed] = []
    index = 0
    while index < len(placed):
        stop = index
        while stop < len(placed) and placed[stop].place < 0 and placed[stop].stretch == placed[index].stretch:
            stop += 1
        before = next((one for one in reversed(answer[-_NEAR:]) if one.place >= 0), None)
        after = next((one for one in placed[stop : stop + _NEAR] if one.place >= 0), None)
        if stop > index or (
            answer and answer[-1].place >= 0
        ):  # else what was heard there has been asked about
            found, beside = asked.again(before, placed[index:stop], after)
            answer += found
            if beside is not None and stop < len(placed) and placed[stop] is after:
                placed[stop] = replace(after, word=_beside(after.word, beside))
        if stop == index:
            answer.append(placed[index])
        index = max(stop, index + 1)
    return answer


def _beside(word: TimedWord, again: TimedWord) -> TimedWord:
    """A word with what is skipped before it where others than were heard stand there."""
    return replace(word, before=again.before, faint=again.faint)


@dataclass(frozen=True)
class _Asked:
    """What a second look needs."""

    listening: Listening
    script: Sequence[str]
    limits: Limits

    def again(
        self, before: Placed | None, gap: Sequence[Placed], after: Placed | None
    ) -> tuple[list[Placed], TimedWord | None]:
        """What lies between two placed words: the script's words where the sound bears them, else what was heard.

        With it the word behind, aligned anew with them, where it is in the same stretch.
        """
        count = len(gap)
        bounds = []
        if before is not None and after is not None and (gap or before.stretch == after.stretch):
            between = (before.place + 1, after.place)
            bounds += [between] if 0 < between[1] - between[0] <= count + _PASSED_OVER else []
        low, high = 0, len(self.script)
        if before is not None and after is not None and before.place < after.place:
            low, high = before.place + 1, after.place  # what stands beyond has its place
        if gap and before is not None:
            bounds.append((before.place + 1, min(high, before.place + 1 + count)))
        if gap and after is not None:
            bounds.append((max(low, after.place - count), after.place))
        for first, last in dict.fromkeys(bounds):
            found = self._tried((before, after), gap, (first, last)) if first < last else None
            if found is not None:
                return found
        return list(gap), None

    def _tried(
        self, beside: tuple[Placed | None, Placed | None], gap: Sequence[Placed], places: tuple[int, int]
    ) -> tuple[list[Placed], TimedWord | None] | None:
        """The script's words of these places aligned anew, with a neighbour on either side where one is heard there."""
        first, last = places
        before, after = beside
        number = gap[0].stretch if gap else before.stretch if before is not None else 0
        stretch = self.listening.stretches[number]
        left = before if before is not None and before.stretch == number else None
        right = after if after is not None and after.stretch == number else None
        low = stretch.start if left is None else left.word.start
        high = stretch.stop if right is None else right.word.stop
        edges = [[one.word.word] if one is not None else [] for one in (left, right)]
        ours = [*edges[0], *[one.word.word for one in gap], *edges[1]]
        theirs = [*edges[0], *self.script[first:last], *edges[1]]
        log_probs = self.listening.log_probs(stretch, low, high)
        alphabet = self.listening.alphabet
        fit = _fit(timed_words(log_probs, theirs, alphabet, low), self.limits)
        if fit is None:
            return None
        heard = _total(timed_words(log_probs, ours, alphabet, low))
        if _total(fit) < heard - self.limits.worse * (last - first):
            return None
        inner = fit[len(edges[0]) : len(fit) - len(edges[1])]
        found = [Placed(word, first + place, False, number) for place, word in enumerate(inner)]
        return found, fit[-1] if edges[1] else None


def _fit(words: list[TimedWord], limits: Limits) -> list[TimedWord] | None:
    """Words that the sound bears, each of them, or None."""
    return words if all(borne(word, limits) for word in words) else None


def borne(word: TimedWord, limits: Limits) -> bool:
    """Whether a word's letters are nearly the likeliest, with nothing skipped between or right beside them."""
    longest = limits.frames + limits.frames_a_letter * len(word.word)
    clean = min(word.inside, word.touching) >= limits.before
    heard = len(word.word) > _TINY or word.least >= limits.letter
    whole = word.twice < limits.twice and word.pause < limits.pause
    return heard and whole and word.score >= limits.score and clean and word.stop - word.begin <= longest


def _total(words: Sequence[TimedWord]) -> float:
    """All that a text is behind the likeliest letters."""
    return sum(
        word.score * (word.stop - word.start) + word.before + word.after + word.inside for word in words
    )


def unspoken(placed: Sequence[Placed], length: int) -> list[tuple[int, int]]:
    """Runs of the script's words [first, stop) that nobody was heard to say."""
    said = np.zeros(length + 2, bool)
    for one in placed:
        if one.sure:
            said[one.place + 1] = True
    said[0] = said[-1] = True
    edges = np.flatnonzero(np.diff(said.astype(np.int8)))
    return [(int(first), int(stop)) for first, stop in zip(edges[::2], edges[1::2], strict=True)]


def unwritten(
    placed: Sequence[Placed], stretches: Sequence[HeardStretch], limits: Limits | None = None
) -> list[tuple[int, int]]:
    """Frames [start, stop) in which somebody speaks and the script has nothing that fits."""
    limits = limits or Limits()
    runs: list[tuple[int, int]] = []
    by_stretch: dict[int, list[Placed]] = {}
    for one in placed:
        by_stretch.setdefault(one.stretch, []).append(one)
    for number, stretch in enumerate(stretches):
        words = by_stretch.get(number, [])
        if not any(one.sure for one in words):
            runs.append((stretch.start, stretch.stop))
            continue
        ended, foreign = stretch.start, False
        for one in words:
            foreign = foreign or one.skipped or not one.sure
            if one.sure:
                if foreign:
                    runs.append((ended, one.word.start))
                ended, foreign = one.word.stop, False
        if foreign or words[-1].word.after < limits.before:
            runs.append((ended, stretch.stop))
    joined: list[tuple[int, int]] = []
    for start, stop in runs:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((start, stop))
    return joined
