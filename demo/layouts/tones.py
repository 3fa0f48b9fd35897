"""Utterances made of tones instead of speech: tiny, exact input for tests of layouts and importers.

Every speaker has a pitch of its own, so that a swapped channel or a wrong cut is seen at once. The sound has
syllables (bursts with gaps) but says nothing.
"""

from __future__ import annotations

import numpy as np

from demo.layouts import RATE_HZ, Samples, SpokenUtterance

WORDS = (
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "red",
    "green",
    "it's",
    "don't",
)
SPLITS = ("train", "dev", "test")


def pitch_hz(speaker: int) -> int:
    """The pitch of speaker number `speaker`: 300 Hz and up in steps of 130 Hz."""
    return 300 + 130 * speaker


def tone(frequency_hz: float, duration_s: float) -> Samples:
    """Bursts of a sine of 0.2 s with gaps of 0.05 s, int16 at 16 kHz."""
    at = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    envelope = np.where(at % 0.25 < 0.2, 9000.0, 60.0)
    return np.asarray(envelope * np.sin(2 * np.pi * frequency_hz * at), dtype=np.int16)


def utterances(speakers_per_split: int = 2, each: int = 3, first: int = 0) -> list[SpokenUtterance]:
    """`each` utterances of every speaker, splits in the order train, dev, test; speakers differ by split.

    No two of the first 210 say the same. `first` is the number of the first speaker: another one gives other
    sentences and sounds, for stores that hold several corpora.
    """
    made = []
    for number in range(first, first + 3 * speakers_per_split):
        for place in range(each):
            index = number * each + place
            step = (3, 5, 9, 11, 13)[index // 42 % 5]
            words = [WORDS[(index * 5 + at * step) % len(WORDS)] for at in range(4 + index % 3)]
            duration_s = 0.4 * len(words) + 0.0237 * place
            made.append(
                SpokenUtterance(
                    speaker=f"tone {number}",
                    gender="mf"[number % 2],
                    text=" ".join(words),
                    samples=tone(pitch_hz(number), duration_s),
                    split=SPLITS[(number - first) // speakers_per_split],
                )
            )
    return made
