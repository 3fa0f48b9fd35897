"""Which utterances form which batch: a pure function of lengths, seed and epoch.

Utterances are shuffled, sorted by length within windows of several batches (little padding), cut into
batches and the batches shuffled. The same arguments always give the same plan, so (step) alone is an exact
position to resume from. Knows nothing of features or labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PlanOptions:
    """How an epoch is cut into batches; the meaning of each is in config.LoopConfig."""

    batch_size: int = 32
    batch_frames: int = 0
    bucket_batches: int = 16
    sorted_first_epoch: bool = True


@dataclass(frozen=True)
class PlannedBatch:
    """One step, numbered from 0 in the whole run: its rows of the feature table, its utterances."""

    step: int
    epoch: int
    rows: Indices
    utterances: Indices
    last_of_epoch: bool


def plan_epoch(frames: npt.NDArray[np.integer], seed: int, epoch: int, options: PlanOptions) -> list[Indices]:
    """The batches of one epoch, each an array of indices into `frames` (frames per utterance)."""
    generator = np.random.default_rng([seed, epoch, 7])
    if epoch == 0 and options.sorted_first_epoch:
        return _cut(np.argsort(frames, kind="stable"), frames, options)
    order = generator.permutation(len(frames))
    window = options.batch_size * options.bucket_batches
    batches: list[Indices] = []
    for start in range(0, len(order), window):
        drawn = order[start : start + window]
        batches.extend(_cut(drawn[np.argsort(frames[drawn], kind="stable")], frames, options))
    return [batches[index] for index in generator.permutation(len(batches))]


def _cut(sorted_indices: Indices, frames: npt.NDArray[np.integer], options: PlanOptions) -> list[Indices]:
    """Cut indices sorted by rising length; a batch is closed before its padded frames exceed the limit."""
    batches = []
    start = 0
    for position in range(1, len(sorted_indices) + 1):
        full = position - start == options.batch_size
        if position < len(sorted_indices) and not full and options.batch_frames:
            padded = (position - start + 1) * int(frames[sorted_indices[position]])
            full = padded > options.batch_frames
        if full or position == len(sorted_indices):
            batches.append(sorted_indices[start:position])
            start = position
    return batches


def padding_share(frames: npt.NDArray[np.integer], batches: Sequence[Indices]) -> float:
    """Share of the frames of these batches that is padding."""
    padded = sum(len(batch) * int(frames[batch].max()) for batch in batches)
    return 1.0 - sum(int(frames[batch].sum()) for batch in batches) / max(1, padded)


@dataclass(frozen=True)
class Plan:
    """The whole run as batches.

    Attributes:
        frames: int [utterances, variants], frames of each utterance at each speed.
        options, seed: see `plan_epoch`.
    """

    frames: npt.NDArray[np.integer]
    seed: int
    options: PlanOptions

    def steps_per_epoch(self, epoch: int) -> int:
        """Batches in that epoch."""
        return len(self._epoch(epoch)[1])

    def total_steps(self, epochs: int) -> int:
        """Batches of the first `epochs` epochs."""
        if not self.options.batch_frames:
            return epochs * -(-len(self.frames) // self.options.batch_size)
        return sum(self.steps_per_epoch(epoch) for epoch in range(epochs))

    def batches(self, first_step: int = 0) -> Iterator[PlannedBatch]:
        """Batches without end, from the given step on."""
        step, epoch = 0, 0
        while True:
            variants, cut = self._epoch(epoch)
            for place, utterances in enumerate(cut, start=1):
                if step >= first_step:
                    rows = utterances * self.frames.shape[1] + variants[utterances]
                    yield PlannedBatch(step, epoch, rows, utterances, place == len(cut))
                step += 1
            epoch += 1

    def _epoch(self, epoch: int) -> tuple[Indices, list[Indices]]:
        count, kinds = self.frames.shape
        generator = np.random.default_rng([self.seed, epoch, 3])
        variants: Indices = np.asarray(generator.integers(0, kinds, size=count))
        heard: npt.NDArray[np.integer] = self.frames[np.arange(count), variants]
        return variants, plan_epoch(heard, self.seed, epoch, self.options)
