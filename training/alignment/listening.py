"""A long recording heard with the language model of its script: words with times and scores, log-probabilities on disk.

What the network says goes to an unnamed temporary file, so that memory does not grow with the sound; a second look at
any stretch reads it back. Compares nothing with the script.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import IO

import numpy as np

from native import Alphabet
from training.alignment.forced import Ints, Path, forced_path
from training.network.features import Float
from training.runtime.recognizer import Recognizer

_LONGEST = 1500  # frames that are aligned at once
_LETTER = 4  # frames that a first letter takes at most, where nothing is said right before it
_PAUSE = 8  # frames between two words that are more than the way from one to the other
_NOTHING = -1.0  # nats: what is skipped where nothing is said
_TRACE = 0.6  # other letters expected in a stretch, from which on a word may be hidden in it
_ALONE = -20.0  # score of a word that no path fits


@dataclass(frozen=True)
class TimedWord:
    """A word in a sound.

    Attributes:
        start, stop: its frames, counted from the beginning of the sound.
        score: mean over its letters' frames of how far they are behind the likeliest letter, nats, 0 or less.
        before: what is skipped between the word before and this one: summed over its frames, how far rest (blank or
            space) is behind the likeliest label.
        after: the same behind the last word of what was aligned at once, else 0.
        inside: the same between the word's own letters.
        touching: what is skipped right before or right behind the word, without a space between: half a longer word.
        faint: letters expected between the word before and this one, beside those of these two: the summed probability of
            all other letters. A word that the network hardly hears leaves a trace there and is skipped at no cost.
        least: how far its least heard letter is behind the likeliest one, in its best frame.
        twice: frames of its longest letter that the network says, leaves and says again: another word may be in it. Those
            by which the first letter was said too soon do not count.
        pause: the longest run of frames in it, from where it begins to be spoken, that are none of its letters'.
        early: frames by which its first letter was said too soon: in its very first frame, or in the pause before it.
    """

    word: str
    start: int
    stop: int
    score: float
    before: float
    after: float = 0.0
    inside: float = 0.0
    touching: float = 0.0
    faint: float = 0.0
    least: float = 0.0
    twice: int = 0
    pause: int = 0
    early: int = 0

    @property
    def begin(self) -> int:
        """The frame in which it begins to be spoken."""
        return self.start + self.early


@dataclass(frozen=True)
class HeardStretch:
    """Frames [start, start + frames) in which somebody speaks."""

    start: int
    frames: int
    offset: int
    words: tuple[TimedWord, ...]

    @property
    def stop(self) -> int:
        """The frame after its last."""
        return self.start + self.frames


class Listening:
    """A recording being heard, and what was heard of it afterwards."""

    def __init__(self, recognizer: Recognizer) -> None:
        self.recognizer = recognizer
        self.alphabet = recognizer.search.alphabet
        self.stretches: list[HeardStretch] = []
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="speechmill-")  # noqa: SIM115 (closed by `close`)
        self._lock = threading.Lock()

    def hear(self, pieces: Iterable[Float]) -> None:
        """The whole recording."""
        self.stretches = [one for one in self.recognizer.answers(pieces, self._answer) if one.frames]

    def log_probs(self, stretch: HeardStretch, start: int, stop: int) -> Float:
        """What the network said in frames [start, stop) of a stretch, float32 [frames, labels]."""
        labels = len(self.recognizer.package.labels) + 1
        with self._lock:
            self._file.seek(stretch.offset + (start - stretch.start) * labels * 4)
            data = self._file.read((stop - start) * labels * 4)
        return np.frombuffer(data, np.float32).reshape(-1, labels)

    def close(self) -> None:
        """Forget the log-probabilities."""
        self._file.close()

    def _answer(self, start: int, log_probs: Float) -> HeardStretch:
        with self._lock:
            offset = self._file.seek(0, 2)
            self._file.write(np.ascontiguousarray(log_probs, np.float32).tobytes())
        if not len(log_probs):
            return HeardStretch(start, 0, offset, ())
        found = self.recognizer.search.words(log_probs)
        words: list[TimedWord] = []
        for first, stop, low, high in _pieces(
            [(one.start_frame, one.end_frame) for one in found], len(log_probs)
        ):
            texts = [one.word for one in found[first:stop]]
            words += timed_words(log_probs[low:high], texts, self.alphabet, start + low)
        return HeardStretch(start, len(log_probs), offset, tuple(words))


def timed_words(log_probs: Float, texts: Sequence[str], alphabet: Alphabet, start: int) -> list[TimedWord]:
    """Words in their places in a sound that begins at frame `start`."""
    labels, bounds = [], []
    space = alphabet.space
    for number, text in enumerate(texts):
        if number and space >= 0:
            labels.append(space)
        encoded = list(alphabet.encode(text))
        bounds.append((len(labels), len(labels) + len(encoded)))
        labels += encoded
    path = forced_path(log_probs, labels, alphabet.blank, space)
    if path is None:
        return [TimedWord(text, start, start, _ALONE, _ALONE) for text in texts]
    said = log_probs.argmax(axis=1)
    frames_of = [path.frames_of(first, stop) for first, stop in bounds]
    begins = [int(frames[0]) for frames in frames_of]
    ends = [int(frames[-1]) + 1 for frames in frames_of]
    rests = _Rests(log_probs, path.states, labels, (alphabet.blank, space))
    gaps = [rests.between(*span) for span in zip([0, *ends], [*begins, len(log_probs)], strict=True)]
    early = [
        _early(path, bounds[number], begins[number], ends[number - 1] if number else -_PAUSE, rests)
        for number in range(len(texts))
    ]
    return [
        TimedWord(
            word=text,
            start=start + begins[number],
            stop=start + ends[number],
            score=float(path.behind[frames_of[number]].mean()),
            before=gaps[number].skipped,
            after=gaps[number + 1].skipped if number + 1 == len(texts) else 0.0,
            inside=rests.between(begins[number], ends[number]).skipped,
            pause=_pause(path.states[begins[number] + early[number] : ends[number]]),
            touching=min(gaps[number].right, gaps[number + 1].left),
            faint=_faint(log_probs[ends[number - 1] : begins[number]], (texts[number - 1], text), alphabet)
            if number
            else 0.0,
            least=min(float(path.behind[path.states == 2 * one + 1].max()) for one in range(*bounds[number])),
            twice=max(
                _twice(path, said, (one, labels[one]), begins[number] + early[number])
                for one in range(*bounds[number])
            ),
            early=early[number],
        )
        for number, text in enumerate(texts)
    ]


def _twice(path: Path, said: Ints, letter: tuple[int, int], begin: int) -> int:
    """Frames of a letter (its number in the text, its label) from frame `begin` on; 0 if it is said but once there."""
    number, label = letter
    frames = np.flatnonzero(path.states == 2 * number + 1)
    frames = frames[frames >= begin]
    same = np.flatnonzero(said[frames] == label)
    return len(frames) if len(same) and same[-1] - same[0] >= len(same) else 0


def _pause(states: Ints) -> int:
    """The longest run of frames between the letters of a word."""
    letters = np.flatnonzero(states % 2)
    return int(np.diff(letters).max(initial=1)) - 1


def _faint(log_probs: Float, beside: tuple[str, str], alphabet: Alphabet) -> float:
    """Letters expected in a gap, those not counted that fade out before it and in behind it."""
    before, after = beside
    known = [alphabet.blank, alphabet.encode(before)[-1], alphabet.encode(after)[0]]
    known += [alphabet.space] if alphabet.space >= 0 else []
    return float(len(log_probs) - np.exp(log_probs[:, sorted(set(known))]).sum())


def _early(path: Path, labels: tuple[int, int], begin: int, ended: int, rests: _Rests) -> int:
    """Frames from a first letter that was said in a pause to where its word can begin; nothing else is said there."""
    first, stop = labels
    if stop - first < 2 or begin - ended < _PAUSE:
        return 0
    later = int(path.frames_of(first + 1, stop)[0]) - _LETTER
    if later <= begin or rests.between(begin, later).skipped <= _NOTHING:
        return 0
    return later - begin if rests.others(begin, later, first) < _TRACE else 0


@dataclass(frozen=True)
class _Gap:
    """What is skipped in a gap in all, and what of it touches the word to its left and to its right."""

    skipped: float
    left: float
    right: float


class _Rests:
    """Frames that a path passes over: how far rest (blank or space) is behind the likeliest label in each."""

    def __init__(self, log_probs: Float, states: Ints, labels: Sequence[int], rests: tuple[int, int]) -> None:
        blank, space = rests
        best, said = log_probs.max(axis=1), log_probs.argmax(axis=1)
        rest = log_probs[:, blank] if space < 0 else log_probs[:, [blank, space]].max(axis=1)
        # The blank that parts a doubled letter passes over nothing where the network says that very letter on and on.
        around = np.array([-1, *labels, -1], np.int64)
        letter = around[states // 2]
        doubled = (letter == around[states // 2 + 1]) & (letter == said)
        self._skipped = np.where((states % 2 == 0) & ~doubled, rest - best, 0).astype(np.float32)
        self._spaces = said == space
        self._log_probs, self._labels, self._rests = log_probs, labels, [one for one in rests if one >= 0]

    def others(self, begin: int, end: int, letter: int) -> float:
        """Letters expected in frames [begin, end), beside one of the text."""
        known = self._log_probs[begin:end, sorted({*self._rests, self._labels[letter]})]
        return float(len(known) - np.exp(known).sum())

    def between(self, begin: int, end: int) -> _Gap:
        """The gap of frames [begin, end); a space that is heard parts what is skipped from a word."""
        skipped = self._skipped[begin:end]
        spaces = np.flatnonzero(self._spaces[begin:end])
        left = skipped[: spaces[0]] if len(spaces) else skipped
        right = skipped[spaces[-1] + 1 :] if len(spaces) else skipped
        return _Gap(float(skipped.sum()), float(left.sum()), float(right.sum()))


def _pieces(spans: Sequence[tuple[int, int]], frames: int) -> list[tuple[int, int, int, int]]:
    """Words [first, stop) with frames [low, high), cut in the middle between words, no piece too long."""
    pieces, first, low = [], 0, 0
    for number in range(1, len(spans) + 1):
        last = number == len(spans)
        high = frames if last else (spans[number - 1][1] + spans[number][0]) // 2
        if last or (spans[number][1] - low > _LONGEST and high > low):
            pieces.append((first, number, low, high))
            first, low = number, high
    return pieces if spans else []
