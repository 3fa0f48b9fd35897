"""One utterance's two texts, and the pairs of two files with what was left out of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

MISSING = ("skip", "delete", "refuse")
Times = tuple[tuple[float, float], ...]


class Pair(NamedTuple):
    """One utterance: texts with NIST's mark-up; times of the words in seconds where both sides have them."""

    id: str
    speaker: str
    reference: str
    hypothesis: str
    label: str = ""
    recording: str = ""
    channel: str = ""
    start_s: float = 0.0
    end_s: float = 0.0
    times: tuple[Times, Times] | None = None


@dataclass
class Pairing:
    """The pairs in the order of the hypotheses (by id) or of the references (by time), and what was left out."""

    pairs: list[Pair] = field(default_factory=list)
    without_hypothesis: list[str] = field(default_factory=list)  # ids, or recording and channel
    missing: str = "delete"
    ignored_segments: int = 0  # IGNORE_TIME_SEGMENT_IN_SCORING
    ignored_words: int = 0  # of the hypothesis, inside them

    def notes(self) -> list[str]:
        """Sentences about what was not scored as a matter of course."""
        told = []
        if self.without_hypothesis:
            what = "not scored, as sclite does" if self.missing == "skip" else "every word counts as deleted"
            told.append(f"{len(self.without_hypothesis)} references have no hypothesis: {what}")
        if self.ignored_segments:
            told.append(
                f"{self.ignored_segments} segments are marked to be ignored, "
                f"with {self.ignored_words} words of the hypothesis"
            )
        return told
