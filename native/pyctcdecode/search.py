"""The search in Python, for models that are no file of ours: one's own class, several at once, those of `import kenlm`.

It gives what the search in C++ gives (tests compare the two), and takes beams and scores of an earlier call, so that a
stream can be decoded piece by piece.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .alphabet import BPE_TOKEN
from .beams import (
    NULL_FRAMES,
    Beam,
    LMBeam,
    _merge_beams,
    _merge_tokens,
    _prune_history,
    _sort_and_trim_beams,
)
from .constants import MIN_TOKEN_CLIP_P
from .language_model import AbstractLanguageModel, AbstractLMState, HotwordScorer

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

LMScoreCache = dict[tuple[str, bool], tuple[float, float, AbstractLMState]]
"""(text, whether it has ended) → its score with hot words, without them, the state after it."""


@dataclass(frozen=True)
class Cuts:
    """What the search leaves out: beams beyond the width or worse than the best by `beam_prune_logp`, improbable labels."""

    beam_width: int
    beam_prune_logp: float
    token_min_logp: float
    prune_history: bool


@dataclass
class Search:
    """One search and what it has scored so far.

    Attributes:
        labels: of the columns; "" is the blank. is_bpe: whether "▁" begins a word, instead of " ".
        texts: scores of whole words; partials: of words being written.
    """

    labels: Sequence[str]
    is_bpe: bool
    model: AbstractLanguageModel | None
    hot_words: HotwordScorer
    cuts: Cuts
    texts: LMScoreCache
    partials: dict[str, float] = field(default_factory=dict)
    _breaks: bool = False

    def extend(
        self, log_probs: npt.NDArray[np.floating], beams: Sequence[Beam], first_frame: int
    ) -> list[Beam]:
        """The beams after some more frames.

        Args:
            log_probs: [frames, labels]. first_frame: how many frames went before.
        """
        self._breaks = False
        current = list(beams)
        for frame, row in enumerate(log_probs, first_frame):
            likely = {*(row >= self.cuts.token_min_logp).nonzero()[0].tolist(), int(row.argmax())}
            grown = [
                self._grown(beam, self.labels[index], float(row[index]), frame)
                for index in sorted(likely)
                for beam in current
            ]
            best = self._best(self._scored(_merge_beams(grown)))
            if self.cuts.prune_history:
                current = _prune_history(best, 1 if self.model is None else self.model.order)
            else:
                current = [Beam.from_lm_beam(beam) for beam in best]
        return current

    def finish(self, beams: Sequence[Beam], close_word: bool, is_end: bool) -> list[LMBeam]:
        """The beams with all their scores, the best first.

        Args:
            close_word: the word being written is whole. is_end: the text is.
        """
        if close_word or is_end:
            closed = [
                Beam(beam.text, beam.partial_word, "", None, _closed(beam), NULL_FRAMES, beam.logit_score)
                for beam in beams
            ]
            beams = _merge_beams(closed)
        return self._best(self._scored(beams, is_end))

    def _grown(self, beam: Beam, label: str, log_prob: float, frame: int) -> Beam:
        """A beam after one more frame with this label."""
        score = beam.logit_score + log_prob
        begun = beam.partial_frames[0]
        if label in ("", beam.last_char):
            frames = beam.partial_frames if label == "" else (begun, frame + 1)
            return Beam(beam.text, beam.next_word, beam.partial_word, label, beam.text_frames, frames, score)
        if self.is_bpe and (label.startswith(BPE_TOKEN) or self._breaks):
            self._breaks = label.endswith(BPE_TOKEN)
            piece = label.removeprefix(BPE_TOKEN).removesuffix(BPE_TOKEN)
            return Beam(beam.text, beam.partial_word, piece, label, _closed(beam), (frame, frame + 1), score)
        if not self.is_bpe and label == " ":
            return Beam(beam.text, beam.partial_word, "", label, _closed(beam), NULL_FRAMES, score)
        frames = (frame if begun < 0 else begun, frame + 1)
        return Beam(
            beam.text, beam.next_word, beam.partial_word + label, label, beam.text_frames, frames, score
        )

    def _scored(self, beams: Sequence[Beam], is_end: bool = False) -> list[LMBeam]:
        scored = []
        for beam in beams:
            text = _merge_tokens(beam.text, beam.next_word)
            if self.model is None:
                total = beam.logit_score + self.hot_words.score(text)
                total += self.hot_words.score_partial_token(beam.partial_word)
            else:
                total = beam.logit_score + self._model_score(self.model, beam, text, is_end)
            scored.append(
                LMBeam(
                    text,
                    "",
                    beam.partial_word,
                    beam.last_char,
                    beam.text_frames,
                    beam.partial_frames,
                    beam.logit_score,
                    total,
                )
            )
        return scored

    def _model_score(self, model: AbstractLanguageModel, beam: Beam, text: str, is_end: bool) -> float:
        partial = beam.partial_word
        found = self.texts.get((text, is_end))
        if found is None:
            _, before, state = self.texts[(beam.text, False)]
            score, after = model.score(state, beam.next_word, is_last_word=is_end)
            found = self.texts[(text, is_end)] = (
                before + score + self.hot_words.score(text),
                before + score,
                after,
            )
        if not partial:
            return found[0]
        if partial not in self.partials:
            scorer = self.hot_words if partial in self.hot_words else model
            self.partials[partial] = scorer.score_partial_token(partial)
        return found[0] + self.partials[partial]

    def _best(self, beams: Sequence[LMBeam]) -> list[LMBeam]:
        floor = max(beam.lm_score for beam in beams) + self.cuts.beam_prune_logp
        return _sort_and_trim_beams([beam for beam in beams if beam.lm_score >= floor], self.cuts.beam_width)


def log_probs_of(logits: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Natural logarithms of probabilities, of whatever a network gives: probabilities, log-probabilities or logits."""
    import numpy as np

    floor = np.log(MIN_TOKEN_CLIP_P)
    if len(logits) and math.isclose(logits.sum(axis=1).mean(), 1):
        clipped: npt.NDArray[np.floating] = np.log(np.clip(logits, MIN_TOKEN_CLIP_P, 1))
        return clipped
    if not len(logits):
        return logits
    highest = np.amax(logits, axis=1, keepdims=True)
    shifted = logits - np.where(np.isfinite(highest), highest, 0)
    with np.errstate(divide="ignore"):
        total = np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    normalised: npt.NDArray[np.floating] = np.clip(shifted - total, floor, 0)
    return normalised


def _closed(beam: Beam) -> list[tuple[int, int]]:
    """The frames of the whole words once the word being written is one."""
    return [*beam.text_frames, beam.partial_frames] if beam.partial_word else beam.text_frames
