"""Recordings whose sentences can be told apart by listening, and the listener: which sentence sounds in a row?

Every word is noise of its own, so that a correlation finds it wherever it was cut. `judged` compares a row's text with
the words that sound in it: the text of one sentence over the sound of two, half a text, or the neighbour's text are
seen, whatever the importer says of times.
"""

from __future__ import annotations

import random
import zlib
from dataclasses import dataclass

import numpy as np

from demo.layouts import RATE_HZ, Samples

_WORDS = tuple(
    word
    for line in (
        "river mill stone window letter winter garden market bridge harbour silver basket morning evening candle",
        "forest meadow ribbon lantern thunder pepper saddle velvet walnut marble cotton shadow copper",
    )
    for word in line.split()
)
HEARD = 0.5  # of a word's sound, from which it counts as heard


@dataclass(frozen=True)
class Word:
    """A word, when it is said, and its sound."""

    text: str
    start_s: float
    end_s: float
    samples: Samples


@dataclass(frozen=True)
class Sentence:
    """Words that follow each other without a pause."""

    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        """The words with a blank between."""
        return " ".join(word.text for word in self.words)

    @property
    def start_s(self) -> float:
        """Where the first word begins."""
        return self.words[0].start_s

    @property
    def end_s(self) -> float:
        """Where the last word ends."""
        return self.words[-1].end_s


@dataclass(frozen=True)
class Truth:
    """A recording: its samples (16 kHz, int16, mono) and its sentences in order of time."""

    name: str
    samples: Samples
    sentences: tuple[Sentence, ...]


def voice(key: str, duration_s: float) -> Samples:
    """Noise that belongs to one key: int16 at 16 kHz, louder at the beginning as in a syllable."""
    noise = np.random.default_rng(zlib.crc32(key.encode())).normal(0, 1, round(duration_s * RATE_HZ))
    loud = np.where(np.arange(len(noise)) < 0.8 * len(noise), 3000.0, 300.0)
    return np.asarray(noise * loud, dtype=np.int16)


def recording(name: str, count: int, chance: random.Random) -> Truth:
    """A recording of some sentences of 4 to 6 words, with pauses of 0.55 to 0.9 s."""
    pieces = [np.zeros(round(0.3 * RATE_HZ), dtype=np.int16)]
    sentences = []
    at = len(pieces[0])
    for number in range(count):
        words = []
        for text in chance.sample(_WORDS, chance.randint(4, 6)):
            sound = voice(f"{name} {number} {text}", round(chance.uniform(0.28, 0.45), 2))
            words.append(Word(text, at / RATE_HZ, (at + len(sound)) / RATE_HZ, sound))
            pieces.append(sound)
            at += len(sound)
        sentences.append(Sentence(tuple(words)))
        pieces.append(voice(f"{name} pause {number}", round(chance.uniform(0.55, 0.9), 2)) // 1000)
        at += len(pieces[-1])
    return Truth(name, np.concatenate(pieces), tuple(sentences))


def share_heard(samples: Samples, word: Word) -> float:
    """How much of a word's sound is in some samples, 0 to 1, found by correlation."""
    row, own = samples.astype(np.float64), word.samples.astype(np.float64)
    if not len(row):
        return 0.0
    size = 1 << (len(row) + len(own)).bit_length()
    likeness = np.fft.irfft(np.fft.rfft(row, size) * np.conj(np.fft.rfft(own, size)), size)
    return float(max(0.0, likeness.max()) / np.square(own).sum())


def words_heard(samples: Samples, truth: Truth) -> list[str]:
    """The words that sound in some samples of a recording, in order of time."""
    return [
        word.text
        for sentence in truth.sentences
        for word in sentence.words
        if share_heard(samples, word) >= HEARD
    ]


def judged(text: str, samples: Samples, truth: Truth) -> str:
    """What is wrong with a row, or ""."""
    heard = words_heard(samples, truth)
    return "" if heard == text.split() else f"the text is {text!r}, there sounds {' '.join(heard)!r}"
