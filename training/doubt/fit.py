"""How well one text fits one sound, by a network's outputs: the text's likeliest path beside the likeliest of all.

A wrong word costs its letters and the gaps beside it; a word that is not written shows in the gap where it is said. So
the text is looked at as a whole and word by word, each with the gaps on both sides. Judges nothing; `ranking.py` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import Levenshtein

from scoring.wer import aligned
from training.alignment.forced import Path, forced_path
from training.network.features import Float

if TYPE_CHECKING:
    from native import Alphabet

Floats = npt.NDArray[np.float64]
IMPOSSIBLE = -50.0
"""Fit of a text that is too long for its sound, nats a letter."""


@dataclass(frozen=True)
class Fit:
    """Figures of one row.

    Attributes:
        fit: how far the text's path is behind the likeliest labels, nats a letter, 0 or less.
        worst: the same of the worst word with the gaps beside it.
        odd: how far the worst word is below the row's median word, 0 or less.
        heard: the likeliest labels as text.
        cer: edits between text and `heard`, per letter of the text.
        missing, added: words of `heard` that are not written; written words that were not heard. A word heard as
            another one counts in both.
    """

    fit: float
    worst: float
    odd: float
    heard: str
    cer: float
    missing: int
    added: int


def fit_of(log_probs: Float, text: str, heard: str, alphabet: Alphabet) -> Fit:
    """The figures of a text.

    Args:
        log_probs: float32 [frames, labels + blank], natural logarithms. heard: what greedy decoding makes of them.
    """
    labels = alphabet.encode(text)
    path = forced_path(log_probs, labels, alphabet.blank)
    different = [pair for pair in aligned(text, heard) if pair[0] != "equal"]
    missing = sum(1 for _, _, said in different if said)
    added = sum(1 for _, written, _ in different if written)
    cer = Levenshtein.distance(text, heard) / max(1, len(text))
    if path is None or not labels:
        return Fit(IMPOSSIBLE, IMPOSSIBLE, IMPOSSIBLE, heard, cer, missing, added)
    whole = float(path.behind.sum()) / len(labels)
    words = _words(path, labels, alphabet.space)
    worst = min(0.0, float(words.min()))
    return Fit(whole, worst, worst - float(np.median(words)), heard, cer, missing, added)


def _words(path: Path, labels: Sequence[int], space: int) -> Floats:
    """The fit of every word, nats a letter, [words]; the gaps on both sides of a word count with it."""
    ends = [place for place, label in enumerate(labels) if label == space]
    before = np.concatenate([[0.0], np.cumsum(path.behind, dtype=np.float64)])
    fits = []
    for first, stop in zip([0, *(end + 1 for end in ends)], [*ends, len(labels)], strict=True):
        if stop > first:
            low = np.searchsorted(path.states, max(0, 2 * first - 1))
            high = np.searchsorted(path.states, 2 * stop + 1, side="right")
            fits.append(float(before[high] - before[low]) / (stop - first + 1))
    return np.array(fits or [IMPOSSIBLE])
