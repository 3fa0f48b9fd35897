"""Word and character error rates: edits, both definitions, intervals.

    wer                      total edits / total reference words (today's definition)
    wer_mean_per_utterance   mean over utterances of edits / words (what the 2017 release printed)

rapidfuzz counts the edits. All rates are fractions and may exceed 1. Decodes nothing and normalises nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import Levenshtein

_RESAMPLES = 1000


@dataclass(frozen=True)
class Edits:
    """What turns one hypothesis into its reference; `words` and `characters` count the reference."""

    substitutions: int
    deletions: int
    insertions: int
    words: int
    character_edits: int
    characters: int

    @property
    def edits(self) -> int:
        """Word edits in all."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def wer(self) -> float:
        """This utterance's word error rate; with an empty reference 0 or 1 per inserted word."""
        return self.edits / max(1, self.words)


@dataclass(frozen=True)
class ErrorRates:
    """Error rates of many utterances; `per_utterance` is in their order."""

    per_utterance: tuple[Edits, ...]

    def _sum(self, name: str) -> int:
        return sum(getattr(one, name) for one in self.per_utterance)

    @property
    def wer(self) -> float:
        """Total edits / total words."""
        return self._sum("edits") / max(1, self._sum("words"))

    @property
    def wer_mean_per_utterance(self) -> float:
        """Mean of the utterances' rates."""
        return sum(one.wer for one in self.per_utterance) / max(1, len(self.per_utterance))

    @property
    def cer(self) -> float:
        """Total character edits / total characters, spaces counted."""
        return self._sum("character_edits") / max(1, self._sum("characters"))

    @property
    def substitutions(self) -> int:
        """Words taken for others."""
        return self._sum("substitutions")

    @property
    def deletions(self) -> int:
        """Words missing from the hypotheses."""
        return self._sum("deletions")

    @property
    def insertions(self) -> int:
        """Words that nobody said."""
        return self._sum("insertions")

    @property
    def words(self) -> int:
        """Reference words."""
        return self._sum("words")


def count_edits(reference: str, hypothesis: str) -> Edits:
    """Edits of one utterance; words are what whitespace separates."""
    expected, heard = reference.split(), hypothesis.split()
    operations = Levenshtein.editops(heard, expected)
    kinds = {"replace": 0, "insert": 0, "delete": 0}
    for operation in operations:
        kinds[operation.tag] += 1
    joined = " ".join(expected)
    return Edits(
        substitutions=kinds["replace"],
        deletions=kinds["insert"],  # a word to be inserted into the hypothesis was deleted by the recognizer
        insertions=kinds["delete"],
        words=len(expected),
        character_edits=Levenshtein.distance(" ".join(heard), joined),
        characters=len(joined),
    )


def count_errors(references: Sequence[str], hypotheses: Sequence[str]) -> ErrorRates:
    """Error rates of paired texts."""
    return ErrorRates(tuple(count_edits(r, h) for r, h in zip(references, hypotheses, strict=True)))


def wer_interval(rates: ErrorRates, speakers: Sequence[str], seed: int = 1) -> tuple[float, float]:
    """95 % bootstrap interval of `wer`: speakers are drawn anew, utterances when there is but one speaker."""
    names = sorted(set(speakers))
    if len(names) > 1:
        place = {name: index for index, name in enumerate(names)}
        groups = np.array([place[name] for name in speakers])
    else:
        groups = np.arange(len(rates.per_utterance))
    count = int(groups.max()) + 1 if len(groups) else 0
    if count == 0:
        return (0.0, 0.0)
    edits = np.bincount(groups, weights=[one.edits for one in rates.per_utterance], minlength=count)
    words = np.bincount(groups, weights=[one.words for one in rates.per_utterance], minlength=count)
    drawn = _draws(count, seed)
    resampled = edits[drawn].sum(axis=1) / np.maximum(1, words[drawn].sum(axis=1))
    low, high = np.quantile(resampled, [0.025, 0.975])
    return (float(low), float(high))


def _draws(count: int, seed: int) -> npt.NDArray[np.int64]:
    return np.random.default_rng([seed, count]).integers(0, count, size=(_RESAMPLES, count))
