"""Words with times become segments that a person can read: parted at pauses, never longer than a subtitle.

Joins and parts words, changes none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from scoring.wer import join_words
from training.runtime.recognizer import Heard, Word

PAUSE_S = 0.6
LONGEST_S = 7.0
LETTERS = 84  # two lines of a subtitle


@dataclass(frozen=True)
class Segment:
    """Some words that belong together; `channel` where channels were heard apart."""

    words: tuple[Word, ...]
    channel: int | None = None

    @property
    def start_s(self) -> float:
        return self.words[0].start_s

    @property
    def end_s(self) -> float:
        return self.words[-1].end_s

    @property
    def text(self) -> str:
        """The words with blanks between, where their script has any."""
        return join_words([word.word for word in self.words])

    def as_json(self) -> dict[str, Any]:
        """start_s, end_s, text, words; channel where there is one."""
        table: dict[str, Any] = {
            "start_s": self.start_s,
            "end_s": self.end_s,
            "text": self.text,
            "words": [vars(word) for word in self.words],
        }
        return table if self.channel is None else {**table, "channel": self.channel}


def segments_of(heard: Heard, channel: int | None = None) -> list[Segment]:
    """The segments of a stretch of speech; none where no word was heard."""
    return [Segment(tuple(words), channel) for words in _parted(heard.words)]


def _parted(words: Sequence[Word]) -> list[Sequence[Word]]:
    """Parts at every long pause, and at the longest pause of what is still too long."""
    if not words:
        return []
    gaps = [later.start_s - earlier.end_s for earlier, later in pairwise(words)]
    letters = sum(len(word.word) + 1 for word in words) - 1
    too_long = words[-1].end_s - words[0].start_s > LONGEST_S or letters > LETTERS
    if not gaps or (not too_long and max(gaps) < PAUSE_S):
        return [words]
    middle = len(gaps) / 2
    place = max(range(len(gaps)), key=lambda index: (gaps[index], -abs(index + 0.5 - middle))) + 1
    return [*_parted(words[:place]), *_parted(words[place:])]
