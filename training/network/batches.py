"""Which utterances form which batch: a pure function of lengths, seed and epoch.

Utterances are shuffled, sorted by length within windows of several batches (little padding), cut into
batches and the batches shuffled. A set that does not fit in memory is cut into pools first: shards are
shuffled, row groups within sixteen shards at a time, and each pool is then treated as a small set is. The
same arguments always give the same plan, so an epoch with its first step is an exact position to resume
from. Knows nothing of features or labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]
_OPEN_SHARDS = 16  # whose row groups are mixed: enough to shuffle, few enough to open each once per pool


@dataclass(frozen=True)
class PlanOptions:
    """How an epoch is cut into batches; the meaning of each is in config.LoopConfig."""

    batch_size: int = 32
    batch_frames: int = 0
    bucket_batches: int = 16
    sorted_first_epoch: bool = True


@dataclass(frozen=True)
class PlannedBatch:
    """One step, numbered from 0 in the whole run: its rows of the feature table, its utterances.

    `epoch_start` is the step with which its epoch begins; `pool` counts the pools of its epoch.
    """

    step: int
    epoch: int
    rows: Indices
    utterances: Indices
    last_of_epoch: bool
    epoch_start: int = 0
    pool: int = 0


@dataclass(frozen=True)
class Pools:
    """Where utterances lie, for sets that are larger than memory.

    Attributes:
        group: int [utterances], the row group of each.
        shard: int [groups], the shard of each row group.
        pool_frames: frames that are shuffled together.
    """

    group: npt.NDArray[np.integer]
    shard: npt.NDArray[np.integer]
    pool_frames: int

    def of(self, rows: Indices, frames: npt.NDArray[np.integer], seed: int, epoch: int) -> list[Indices]:
        """The epoch's rows cut into pools, each whole row groups; `frames` belong to the utterances."""
        generator = np.random.default_rng([seed, epoch, 5])
        place_of_shard = generator.permutation(int(self.shard.max()) + 1) // _OPEN_SHARDS
        order = generator.permutation(len(self.shard))
        order = order[np.argsort(place_of_shard[self.shard[order]], kind="stable")]
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        rows = rows[np.argsort(rank[self.group[rows]], kind="stable")]
        groups = self.group[rows]
        before = np.concatenate([[0], np.cumsum(frames[rows])[:-1]])
        first_of_group = np.concatenate([[True], groups[1:] != groups[:-1]])
        group_start = before[np.maximum.accumulate(np.where(first_of_group, np.arange(len(rows)), 0))]
        pool = group_start // self.pool_frames
        cuts = np.flatnonzero(np.diff(pool)) + 1
        return [np.sort(part) for part in np.split(rows, cuts)]


@dataclass(frozen=True)
class Mix:
    """How often each corpus is heard in an epoch.

    Attributes:
        corpus: int [utterances], the corpus of each.
        weights: per corpus; 2 = every utterance twice an epoch, 0.5 = another half in every epoch.
    """

    corpus: npt.NDArray[np.integer]
    weights: tuple[float, ...]

    def rows(self, seed: int, epoch: int) -> Indices:
        """The epoch's utterances, rising; those heard twice stand there twice.

        Over many epochs all utterances of a corpus are heard equally often.
        """
        drawn = []
        for number, weight in enumerate(self.weights):
            members = np.flatnonzero(self.corpus == number)
            if weight != 1.0:
                members = np.random.default_rng([seed, number, 13]).permutation(members)
                first, last = (round(one * weight * len(members)) for one in (epoch, epoch + 1))
                members = members[np.arange(first, last) % max(1, len(members))]
            drawn.append(members)
        return np.sort(np.concatenate(drawn))


def plan_epoch(
    frames: npt.NDArray[np.integer], seed: int, epoch: int, options: PlanOptions, pool: int = 0
) -> list[Indices]:
    """The batches of one epoch, each an array of indices into `frames` (frames per utterance).

    With `pool` above 0 those of a later pool of the epoch.
    """
    generator = np.random.default_rng([seed, epoch, 7, pool] if pool else [seed, epoch, 7])
    if epoch == 0 and pool == 0 and options.sorted_first_epoch:
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
    if not options.batch_frames:
        return np.split(sorted_indices, range(options.batch_size, len(sorted_indices), options.batch_size))
    batches = []
    start = 0
    lengths = frames[sorted_indices].tolist()
    for position in range(1, len(sorted_indices) + 1):
        full = position - start == options.batch_size
        if position < len(sorted_indices) and not full:
            full = (position - start + 1) * lengths[position] > options.batch_frames
        if full or position == len(sorted_indices):
            batches.append(sorted_indices[start:position])
            start = position
    return batches


def padding_share(frames: npt.NDArray[np.integer], batches: Sequence[Indices]) -> float:
    """Share of the frames of these batches that is padding."""
    padded = sum(len(batch) * int(frames[batch].max()) for batch in batches)
    return 1.0 - sum(int(frames[batch].sum()) for batch in batches) / max(1, padded)


@dataclass(frozen=True)
class Position:
    """Where a run stands: the next step, its epoch, and the step with which that epoch begins."""

    step: int = 0
    epoch: int = 0
    epoch_start: int = 0


@dataclass(frozen=True)
class Plan:
    """The whole run as batches.

    Attributes:
        frames: int [utterances, variants], frames of each utterance at each speed.
        options, seed: see `plan_epoch`.
        pools: where utterances lie when they do not fit in memory together, else None.
        mix: how often each corpus is heard; None = each utterance once an epoch.
    """

    frames: npt.NDArray[np.integer]
    seed: int
    options: PlanOptions = field(default_factory=PlanOptions)
    pools: Pools | None = None
    mix: Mix | None = None

    def steps_per_epoch(self, epoch: int) -> int:
        """Batches in that epoch."""
        return sum(len(batches) for batches in self._epoch(epoch)[1])

    def total_steps(self, epochs: int) -> int:
        """Batches of the first `epochs` epochs."""
        if not self.options.batch_frames and self.pools is None and self.mix is None:
            return epochs * -(-len(self.frames) // self.options.batch_size)
        return sum(self.steps_per_epoch(epoch) for epoch in range(epochs))

    def longest_batch(self) -> tuple[int, int]:
        """Utterances and frames of the largest batch that can come: what memory must hold."""
        longest = int(self.frames.max())
        size = min(self.options.batch_size, len(self.frames))
        if self.options.batch_frames:
            size = max(1, min(size, self.options.batch_frames // longest))
        return size, longest

    def batches(self, first_step: int = 0, at: Position | None = None) -> Iterator[PlannedBatch]:
        """Batches without end, from the given step on; `at` spares going through the epochs before."""
        if at is not None:
            first_step, step, epoch = at.step, at.epoch_start, at.epoch
        else:
            step, epoch = 0, 0
        while True:
            variants, pools = self._epoch(epoch)
            start, last = step, step + sum(map(len, pools)) - 1
            for number, cut in enumerate(pools):
                if step + len(cut) <= first_step:
                    step += len(cut)
                    continue
                for utterances in cut:
                    if step >= first_step:
                        rows = utterances * self.frames.shape[1] + variants[utterances]
                        yield PlannedBatch(step, epoch, rows, utterances, step == last, start, number)
                    step += 1
            epoch += 1

    def _epoch(self, epoch: int) -> tuple[Indices, list[list[Indices]]]:
        """The speed of every utterance, and per pool its batches of utterances."""
        count, kinds = self.frames.shape
        generator = np.random.default_rng([self.seed, epoch, 3])
        variants: Indices = np.asarray(generator.integers(0, kinds, size=count))
        heard: npt.NDArray[np.integer] = self.frames[np.arange(count), variants]
        rows = np.arange(count) if self.mix is None else self.mix.rows(self.seed, epoch)
        pools = [rows] if self.pools is None else self.pools.of(rows, heard, self.seed, epoch)
        return variants, [
            [pool[batch] for batch in plan_epoch(heard[pool], self.seed, epoch, self.options, number)]
            for number, pool in enumerate(pools)
        ]
