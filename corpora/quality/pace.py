"""Who speaks at a pace that is unusual for the corpus: letters per second beside those of all other utterances.

Absolute limits fit no corpus well: read books and telephone calls differ by half. So an utterance is flagged where it
lies beyond the outer fences of Tukey (Exploratory Data Analysis, 1977): further outside the middle half of all
utterances than three times its width. The fences are rounded outwards, so that a few further utterances move none.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

LEAST_UTTERANCES = 100  # with fewer, quartiles say little
_STEP = 0.5  # letters per second


def pace_limits(paces: npt.NDArray[np.float32], fence: float) -> tuple[float, float] | None:
    """Letters per second between which an utterance of this corpus is usual; None for small corpora.

    Args:
        paces: of all accepted utterances, letters per second, `[n]`.
        fence: widths of the middle half of the utterances that lie between it and a limit.
    """
    if len(paces) < LEAST_UTTERANCES:
        return None
    low, high = np.quantile(paces.astype(np.float64), (0.25, 0.75))
    reach = fence * (high - low)
    return (
        max(0.0, math.floor((low - reach) / _STEP) * _STEP),
        math.ceil((high + reach) / _STEP) * _STEP,
    )


def is_unusual(paces: npt.NDArray[np.float32], limits: tuple[float, float] | None) -> npt.NDArray[np.bool_]:
    """Which paces lie outside the limits, `[n]`; none without limits."""
    if limits is None:
        return np.zeros(len(paces), dtype=bool)
    unusual: npt.NDArray[np.bool_] = (paces < limits[0]) | (paces > limits[1])
    return unusual
