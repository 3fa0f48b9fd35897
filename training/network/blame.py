"""A loss that is not finite is one utterance's fault more often than its batch's: find it, learn the others.

`learn` computes the gradients of a batch; where loss or gradient is not finite it finds the rows that do it
(by their own losses, else by halving the batch), and computes the gradients of the rest. Applies nothing.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from training.network.dataset import Batch


class Gradients(Protocol):
    """A step that can be computed without being applied."""

    def gradients(self, batch: Batch) -> tuple[npt.NDArray[np.float32], float, Any]:
        """Loss per utterance, global norm of the mean loss' gradient, the gradients."""


@dataclass(frozen=True)
class Learnt:
    """What a batch gave.

    Attributes:
        loss: mean over the utterances that can be learnt; NaN when there is none.
        gradients: of that mean, or None when there is none.
        bad: places in the batch of the utterances whose loss or gradient is not finite.
    """

    loss: float
    gradients: Any
    bad: npt.NDArray[np.int64]


def learn(step: Gradients, batch: Batch) -> Learnt:
    """Gradients of a batch without the rows that spoil them."""
    good = np.arange(len(batch.lengths))
    left = batch
    while len(good):
        losses, norm, gradients = step.gradients(left)
        finite = np.isfinite(losses)
        if finite.all() and math.isfinite(norm):
            bad = np.setdiff1d(np.arange(len(batch.lengths)), good)
            return Learnt(float(losses.mean(dtype=np.float64)), gradients, bad)
        if finite.all():
            finite[spoiling(step, left)] = False
        good = good[finite]
        left = rows_of(batch, good)
    return Learnt(math.nan, None, np.arange(len(batch.lengths)))


def spoiling(step: Gradients, batch: Batch) -> npt.NDArray[np.int64]:
    """Places of the rows whose gradient alone is not finite; all of them when none is so alone."""
    found: list[int] = []
    waiting = [np.arange(len(batch.lengths))]
    while waiting:
        rows = waiting.pop()
        _, norm, _ = step.gradients(rows_of(batch, rows))
        if math.isfinite(norm):
            continue
        if len(rows) == 1:
            found.append(int(rows[0]))
        else:
            waiting += [rows[: len(rows) // 2], rows[len(rows) // 2 :]]
    return np.array(sorted(found) or range(len(batch.lengths)), np.int64)


def rows_of(batch: Batch, rows: npt.NDArray[np.integer]) -> Batch:
    """Some rows of a batch, padded as it was."""
    if len(rows) == len(batch.lengths):
        return batch
    return dataclasses.replace(
        batch,
        features=batch.features[rows],
        lengths=batch.lengths[rows],
        labels=batch.labels[rows],
        utterances=batch.utterances[rows],
    )
