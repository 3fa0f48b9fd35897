"""Beams: what may have been said up to a frame, and how beams are put together and thinned out."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from .language_model import AbstractLMState

Frames = tuple[int, int]
WordFrames = tuple[str, Frames]
NULL_FRAMES: Frames = (-1, -1)


@dataclass(frozen=True)
class Beam:
    """A beginning of the text.

    Attributes:
        text: whole words that are scored. next_word: one that is not yet. partial_word: one being written.
        last_char: the newest label, "" for the blank. text_frames: of every whole word. logit_score: ln.
    """

    text: str
    next_word: str
    partial_word: str
    last_char: str | None
    text_frames: list[Frames]
    partial_frames: Frames
    logit_score: float

    @classmethod
    def from_lm_beam(cls, lm_beam: LMBeam) -> Beam:
        """The same without the model's score."""
        return Beam(
            lm_beam.text,
            lm_beam.next_word,
            lm_beam.partial_word,
            lm_beam.last_char,
            lm_beam.text_frames,
            lm_beam.partial_frames,
            lm_beam.logit_score,
        )


@dataclass(frozen=True)
class LMBeam(Beam):
    """A beam with all its scores added up, ln."""

    lm_score: float


class OutputBeam(NamedTuple):
    """An answer: its text, the frames of its words (the end excluded), ln of the network's part and of all.

    A tuple with names, since programs written for pyctcdecode 0.5 take its parts by number.
    """

    text: str
    last_lm_state: AbstractLMState | None
    text_frames: list[WordFrames]
    logit_score: float
    lm_score: float

    def get_mp_safe_beam(self) -> OutputBeam:
        """The same, fit to go to another process."""
        state = None if self.last_lm_state is None else self.last_lm_state.get_mp_safe_state()
        return SentBeam(self.text, state, self.text_frames, self.logit_score, self.lm_score)


class SentBeam(OutputBeam):
    """An answer of a batch. By name it has what every answer has; by number, as in the release 0.5.0, no state."""

    def _parts(self) -> tuple[str, list[WordFrames], float, float]:
        return self.text, self.text_frames, self.logit_score, self.lm_score

    def __getitem__(self, index: Any) -> Any:
        return self._parts()[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._parts())

    def __len__(self) -> int:
        return 4

    def __getnewargs__(self) -> tuple[Any, ...]:
        return self.text, self.last_lm_state, *self._parts()[1:]


EMPTY_START_BEAM = Beam("", "", "", None, [], NULL_FRAMES, 0.0)


def _normalize_whitespace(text: str) -> str:
    return " ".join(text.split())


def _sum_log_scores(s1: float, s2: float) -> float:
    """ln(e^s1 + e^s2)."""
    high, low = (s1, s2) if s1 >= s2 else (s2, s1)
    return high + math.log(1 + math.exp(low - high))


def _merge_tokens(token_1: str, token_2: str) -> str:
    """Two texts with a space between them, where neither is empty."""
    return f"{token_1} {token_2}" if token_1 and token_2 else token_1 or token_2


def _merge_beams(beams: Sequence[Beam]) -> list[Beam]:
    """One beam for each text, word being written and newest label; the frames are those of the last one."""
    merged: dict[tuple[str, str, str | None], Beam] = {}
    for beam in beams:
        key = (_merge_tokens(beam.text, beam.next_word), beam.partial_word, beam.last_char)
        before = merged.get(key)
        if before is not None:
            beam = replace(beam, logit_score=_sum_log_scores(before.logit_score, beam.logit_score))
        merged[key] = beam
    return list(merged.values())


def _sort_and_trim_beams(beams: Sequence[LMBeam], beam_width: int) -> list[LMBeam]:
    """The best, the best first."""
    return heapq.nlargest(beam_width, beams, key=lambda beam: beam.lm_score)


def _prune_history(beams: Sequence[LMBeam], lm_order: int) -> list[Beam]:
    """Of beams that an n-gram model of this order cannot tell apart any more, the first."""
    words = max(1, lm_order - 1)
    kept: dict[tuple[tuple[str, ...], str, str | None], Beam] = {}
    for beam in beams:
        key = (tuple(beam.text.split()[-words:]), beam.partial_word, beam.last_char)
        if key not in kept:
            kept[key] = Beam.from_lm_beam(beam)
    return list(kept.values())
