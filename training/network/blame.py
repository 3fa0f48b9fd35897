"""A loss that is not finite is one utterance's fault more often than its batch's: find it, learn the others.

`learn` computes the gradients of a batch; where loss or gradient is not finite it finds the rows that do it
(by their own losses, else by halving the batch), and computes the gradients of the rest. Applies nothing. `SetAside`
remembers what was found, over restarts and for all workers of a run.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from store.errors import StoreError
from store.writing import read_json, write_json_atomic
from training.network.dataset import Batch

SET_ASIDE_FILES = "set_aside*.json"
_REASON = "its loss or gradient is not finite"


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


class SetAside:
    """The utterances that a run learns from no more, by their places in its training set.

    Each worker writes what it found into a file of its own beside the run (`set_aside.json`, `set_aside-<rank>.json`: rows
    of utterance_id, reason, place, step); the chief's is in its checkpoints too.
    """

    def __init__(self, run_dir: Path, rank: int) -> None:
        self._run_dir = run_dir
        self._path = run_dir / (f"set_aside-{rank}.json" if rank else "set_aside.json")
        self._found: dict[int, tuple[str, int]] = {}  # the utterance's id, the step that found it

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, step: int, places: Iterable[int], names: Sequence[str]) -> None:
        """Remember, and write the file."""
        self._found.update((int(place), (name, step)) for place, name in zip(places, names, strict=True))
        rows = [
            {"utterance_id": name, "reason": _REASON, "place": place, "step": found_at}
            for place, (name, found_at) in self._found.items()
        ]
        write_json_atomic(self._path, rows)

    def others(self, places: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Which of a batch's utterances are not set aside."""
        return np.flatnonzero([int(place) not in self._found for place in places])

    def entries(self) -> list[tuple[int, str, int]]:
        """Place, id and step of each, for a checkpoint."""
        return [(place, *self._found[place]) for place in sorted(self._found)]

    def restore(self, entries: Iterable[Sequence[Any]], steps: int) -> None:
        """What a checkpoint after so many steps has, and what any worker had found by then."""
        self._found = {int(place): (str(name), int(rest[0]) if rest else 0) for place, name, *rest in entries}
        for path in sorted(self._run_dir.glob(SET_ASIDE_FILES)):
            try:
                rows = read_json(path)
                found = {int(one["place"]): (str(one["utterance_id"]), int(one["step"])) for one in rows}
            except (StoreError, KeyError, TypeError, ValueError):
                continue  # of an earlier version, or damaged: found anew
            self._found.update((place, one) for place, one in found.items() if one[1] < steps)
