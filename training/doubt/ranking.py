"""From figures to one doubt per row: how far beyond what is usual in this corpus, and for this speaker, a row is.

Every figure is told in robust deviations (median, median of the distances) from what is usual; a speaker whom the
network understands badly is compared with himself, the more the more rows he has. The worst word decides, for most wrong
transcripts are right but for a word; how far it is from the row's other words keeps a noisy row, where all words fit
badly, from looking wrong. What a network hears letter by letter (errors, words) says less than the fit and is for people.
The result lies between 0 and 1 and orders rows; it is no probability.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

WEIGHTS = {"worst": 1.0, "odd": 0.5, "length": 0.1}
_MOST = 12.0  # deviations: what is further out is as doubtful
_OWN_ROWS = 10.0  # with so many rows a speaker's own median counts as much as everybody's
_SCALE = 6.0


@dataclass(frozen=True)
class Figures:
    """Columns of one corpus, float64 [rows], and the speaker of each row; all the larger the worse, but `pace`.

    Attributes:
        worst, odd: nats a letter, see `Fit`, 0 or more here.
        pace: letters per second; both ends are unusual.
    """

    worst: Floats
    odd: Floats
    pace: Floats
    speakers: Sequence[str]


def deviations(values: Floats) -> Floats:
    """Robust deviations from the median, [rows]."""
    if len(values) == 0:
        return values
    centred = values - np.median(values)
    spread = 1.4826 * float(np.median(np.abs(centred)))
    floor = 0.1 * float(np.mean(np.abs(centred))) + 1e-9  # where most rows are alike the spread is nothing
    return np.asarray(centred / max(spread, floor))


def unusual_length(pace: Floats) -> Floats:
    """How far a row's letters per second are from what is usual, in deviations of their logarithm, 0 or more."""
    return np.abs(deviations(np.log(np.maximum(pace, 1e-3))))


def _for_speaker(values: Floats, speakers: npt.NDArray[np.int64]) -> Floats:
    """Values with part of each speaker's own median, beyond everybody's, taken off."""
    found = values.copy()
    usual = float(np.median(values)) if len(values) else 0.0
    for speaker in np.unique(speakers):
        rows = speakers == speaker
        count = int(rows.sum())
        found[rows] -= (float(np.median(values[rows])) - usual) * count / (count + _OWN_ROWS)
    return found


def doubts(figures: Figures) -> Floats:
    """The doubt of each row, 0 to 1."""
    place = {name: number for number, name in enumerate(sorted(set(figures.speakers)))}
    speakers = np.array([place[name] for name in figures.speakers], np.int64)
    total = np.zeros(len(figures.worst))
    for name, weight in WEIGHTS.items():
        if name == "length":
            out = unusual_length(figures.pace)
        else:
            out = deviations(_for_speaker(np.sqrt(getattr(figures, name)), speakers))
        total += weight * np.clip(out, 0.0, _MOST)
    return np.asarray(1.0 - np.exp(-total / _SCALE))
