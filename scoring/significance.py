"""How sure an error rate is, and whether two recognizers differ: bootstrap, matched pairs, McNemar.

    interval           95 % of the rates of resampled sets; whole speakers are drawn, because what one speaker
                       says fails or succeeds together; utterances are drawn where there is but one speaker
    p_bootstrap        paired: the same draw for both; 2 min(P(difference ≤ 0), P(difference ≥ 0))
    p_matched_pairs    NIST's test: stretches between which both got at least two words right are taken as
                       independent; mean of the stretches' error differences over its standard error
    p_mcnemar          exact, on utterances that only one of them got wholly right

Counts edits through `wer.py`; knows nothing of evaluations in the store.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import Levenshtein

from scoring.wer import ErrorRates, Ints, count_errors, heard_of_choices, words_of

_RESAMPLES = 1000
_PAIRED_RESAMPLES = 5000
_DRAWN_AT_ONCE = 4_000_000  # numbers, 32 MB
_BUFFER_WORDS = 2  # right in both, between two stretches
Floats = npt.NDArray[np.float64]


def resampled_unit(speakers: Sequence[str]) -> str:
    """What the bootstrap draws: "speaker", or "utterance" where there is but one speaker."""
    return "speaker" if len(set(speakers)) > 1 else "utterance"


def _groups(speakers: Sequence[str]) -> Ints:
    """The resampling unit of every utterance, numbered from 0."""
    if resampled_unit(speakers) == "utterance":
        return np.arange(len(speakers))
    place = {name: index for index, name in enumerate(sorted(set(speakers)))}
    return np.array([place[name] for name in speakers], np.int64)


def _draws(count: int, resamples: int, seed: int) -> Iterator[Ints]:
    """Rows of `count` units drawn with replacement, some rows at a time, `resamples` in all."""
    generator = np.random.default_rng([seed, count])
    at_once = max(1, _DRAWN_AT_ONCE // count)
    for start in range(0, resamples, at_once):
        yield generator.integers(0, count, size=(min(at_once, resamples - start), count))


def wer_interval(rates: ErrorRates, speakers: Sequence[str], seed: int = 1) -> tuple[float, float]:
    """95 % bootstrap interval of `wer` (see the module's text)."""
    if not rates.per_utterance:
        return (0.0, 0.0)
    groups = _groups(speakers)
    edits = np.bincount(groups, weights=rates.edits)
    words = np.bincount(groups, weights=rates.words_each)
    found = [
        edits[drawn].sum(axis=1) / np.maximum(1, words[drawn].sum(axis=1))
        for drawn in _draws(len(edits), _RESAMPLES, seed)
    ]
    low, high = np.quantile(np.concatenate(found), [0.025, 0.975])
    return (float(low), float(high))


@dataclass(frozen=True)
class Paired:
    """Two answers to the same utterances."""

    references: Sequence[str]
    before: Sequence[str]
    after: Sequence[str]
    speakers: Sequence[str]

    def as_json(self, seed: int = 1) -> dict[str, Any]:
        """Difference of WER (after - before, below 0 = better) with its interval, and the three p values."""
        before = count_errors(self.references, self.before)
        after = count_errors(self.references, self.after)
        low, high, p_bootstrap = paired_bootstrap(before, after, self.speakers, seed)
        stretches = np.concatenate([np.zeros(0), *self._differences()])
        better = int(((before.edits > 0) & (after.edits == 0)).sum())
        worse = int(((before.edits == 0) & (after.edits > 0)).sum())
        return {
            "wer_before": before.wer,
            "wer_after": after.wer,
            "difference": after.wer - before.wer,
            "difference_interval": [low, high],
            "interval_by": resampled_unit(self.speakers),
            "utterances": len(self.references),
            "utterances_better": better,
            "utterances_worse": worse,
            "stretches": len(stretches),
            "p_bootstrap": p_bootstrap,
            "p_matched_pairs": matched_pairs(stretches),
            "p_mcnemar": mcnemar(better, worse),
        }

    def _differences(self) -> list[Floats]:
        texts = zip(self.references, self.before, self.after, strict=True)
        return [stretch_differences(*three) for three in texts]


def paired_bootstrap(
    before: ErrorRates, after: ErrorRates, speakers: Sequence[str], seed: int = 1
) -> tuple[float, float, float]:
    """95 % interval of the difference of WER (after - before) and the two-sided p value."""
    if not before.per_utterance:
        return (0.0, 0.0, 1.0)
    groups = _groups(speakers)
    edits = np.bincount(groups, weights=after.edits - before.edits)
    words = np.bincount(groups, weights=before.words_each)
    found = np.concatenate(
        [
            edits[drawn].sum(axis=1) / np.maximum(1, words[drawn].sum(axis=1))
            for drawn in _draws(len(edits), _PAIRED_RESAMPLES, seed)
        ]
    )
    low, high = np.quantile(found, [0.025, 0.975])
    below, above = ((int(side.sum()) + 1) / (len(found) + 1) for side in (found <= 0, found >= 0))
    return (float(low), float(high), min(1.0, 2 * min(below, above)))


def _error_places(said: Sequence[str], heard: Sequence[str]) -> list[int]:
    """Where mistakes lie: word i at 2 i + 1, words added before it at 2 i."""
    places = []
    for operation in Levenshtein.editops(said, heard):
        places.append(2 * operation.src_pos + (operation.tag != "insert"))
    return places


def stretch_differences(reference: str, before: str, after: str) -> Floats:
    """Errors of `after` minus errors of `before` in each stretch of mistakes of one utterance.

    Two neighbouring mistakes (of either) belong to one stretch unless both got two words between them right.
    """
    # One reference for both, so that their mistakes lie at places of the same words.
    said = words_of(heard_of_choices(reference, after))
    events = [(place, -1) for place in _error_places(said, words_of(before))]
    events += [(place, 1) for place in _error_places(said, words_of(after))]
    sums: list[float] = []
    last = None
    for place, sign in sorted(events):
        words_between = 0 if last is None else (place // 2) - ((last + 1) // 2)
        if last is None or words_between >= _BUFFER_WORDS:
            sums.append(0.0)
        sums[-1] += sign
        last = place
    return np.array(sums, np.float64)


def matched_pairs(differences: Floats) -> float | None:
    """Two-sided p value of the matched-pairs test; None where it says nothing: all differences equal."""
    if len(differences) < 2:
        return None
    mean, deviation = float(differences.mean()), float(differences.std(ddof=1))
    if deviation == 0.0:
        return 1.0 if mean == 0.0 else None
    return math.erfc(abs(mean) / (deviation / math.sqrt(len(differences))) / math.sqrt(2))


def mcnemar(better: int, worse: int) -> float:
    """Exact two-sided p value that `better` and `worse` of the pairs are as likely."""
    total = better + worse
    if total == 0:
        return 1.0
    logs = [_log_binomial(total, count) - total * math.log(2) for count in range(min(better, worse) + 1)]
    return min(1.0, 2 * math.fsum(math.exp(one) for one in logs))


def _log_binomial(total: int, count: int) -> float:
    return math.lgamma(total + 1) - math.lgamma(count + 1) - math.lgamma(total - count + 1)
