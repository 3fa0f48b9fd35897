"""Where the loop's batches come from: features in memory, or pools read from the shards ahead of the network.

A set of up to twice `data.shuffle_hours` (all speeds counted) stays in memory and is computed once. A larger
one, and one whose sound is changed in every epoch, is read anew in every epoch, one pool ahead, so that memory
does not depend on the number of hours. Both follow the same plan (`batches`), and a set that fits into one
pool gives the same batches either way.
"""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby, takewhile
from typing import Protocol

import numpy as np
import numpy.typing as npt

from training.network.batches import Indices, Mix, Plan, PlannedBatch, PlanOptions, Pools, Position
from training.network.dataset import Batch, Dataset, padded_batch
from training.network.features import Float, Whitening, whitening_of
from training.network.feed.left_out import LeftOut
from training.network.feed.reading import GroupReader, Heard, Loaded, Wanted
from training.network.feed.table import Table

log = logging.getLogger(__name__)
_WHITENING_HOURS = 2.0  # of a set that is not in memory, spread over all of it
_NAMED = 5  # damaged rows named one by one in the log; the rest are counted

Fed = tuple[PlannedBatch, Batch | None]


@dataclass(frozen=True)
class Share:
    """Which part of every batch this process computes: rows rank, rank + world, …"""

    rank: int = 0
    world: int = 1

    def of(self, planned: PlannedBatch) -> PlannedBatch:
        """The batch with this process' rows only."""
        if self.world == 1:
            return planned
        part = slice(self.rank, None, self.world)
        return dataclasses.replace(planned, rows=planned.rows[part], utterances=planned.utterances[part])


@dataclass(frozen=True)
class Span:
    """From a position to before the step `until` (None = without end): nothing beyond it is read."""

    at: Position = field(default_factory=Position)
    until: int | None = None

    def of(self, plan: Plan) -> Iterator[PlannedBatch]:
        """The plan's batches in this span."""
        batches = plan.batches(at=self.at)
        if self.until is None:
            return batches
        until = self.until
        return takewhile(lambda one: one.step < until, batches)


class Source(Protocol):
    """What the loop learns from. `left_out` grows when damage is found while reading."""

    hours: float
    left_out: LeftOut

    def __len__(self) -> int: ...

    def plan(self, seed: int, options: PlanOptions) -> Plan:
        """The run as batches."""

    def whitening(self) -> Whitening:
        """Mean and deviation of the features that are learnt from."""

    def label_counts(self, labels: int) -> npt.NDArray[np.int64]:
        """How often each of so many labels stands in the texts, int64 [labels]."""

    def feed(self, plan: Plan, span: Span, whitening: Whitening, share: Share) -> Generator[Fed, None, None]:
        """The batches of a span of the run; None where damage left nothing of a batch."""

    def names(self, utterances: Indices) -> list[str]:
        """Ids for messages."""


@dataclass
class MemorySource:
    """All features in memory."""

    dataset: Dataset
    mix: Mix | None = None
    left_out: LeftOut = field(default_factory=LeftOut)

    def __post_init__(self) -> None:
        self.hours = self.dataset.hours
        for reason, count in self.dataset.left_out.items():
            self.left_out.add(reason, count, 0.0)

    def __len__(self) -> int:
        return len(self.dataset)

    def plan(self, seed: int, options: PlanOptions) -> Plan:
        return Plan(self.dataset.frames, seed, options, mix=self.mix)

    def whitening(self) -> Whitening:
        return whitening_of(self.dataset.values)

    def label_counts(self, labels: int) -> npt.NDArray[np.int64]:
        return np.bincount(np.concatenate(self.dataset.labels), minlength=labels)

    def feed(self, plan: Plan, span: Span, whitening: Whitening, share: Share) -> Generator[Fed, None, None]:
        for planned in span.of(plan):
            own = share.of(planned)
            yield planned, self.dataset.batch(own.rows, whitening) if len(own.rows) else None

    def names(self, utterances: Indices) -> list[str]:
        return [self.dataset.utterance_ids[int(one)] for one in utterances]


@dataclass
class ShardSource:
    """Features computed from the shards again in every epoch, a pool ahead of the network."""

    reader: GroupReader
    shuffle_hours: float
    mix: Mix | None = None
    threads: int = 0

    def __post_init__(self) -> None:
        table = self.reader.table
        self.hours, self.left_out = table.hours, table.left_out
        self._announced = 0

    def __len__(self) -> int:
        return len(self.reader.table)

    def plan(self, seed: int, options: PlanOptions) -> Plan:
        table = self.reader.table
        pool_frames = max(1, round(self.shuffle_hours * 3600 / self.reader.features.hop_s))
        return Plan(table.frames, seed, options, Pools(table.group, table.group_shard, pool_frames), self.mix)

    def whitening(self) -> Whitening:
        table, kinds = self.reader.table, len(self.reader.speeds)
        groups = np.unique(table.group)
        count = max(1, round(len(groups) * min(1.0, _WHITENING_HOURS / max(1e-9, table.hours * kinds))))
        chosen = groups[np.arange(count) * len(groups) // count]
        utterances = np.flatnonzero(np.isin(table.group, chosen))
        with self._threads() as pool:
            loaded = self.reader.load(pool, Wanted(utterances, [tuple(range(kinds))] * len(utterances)))
        self._note(loaded)
        return whitening_of(np.concatenate([row for one in loaded.heard for row in one.rows]))

    def label_counts(self, labels: int) -> npt.NDArray[np.int64]:
        return self.reader.table.label_counts[:labels]

    def feed(self, plan: Plan, span: Span, whitening: Whitening, share: Share) -> Generator[Fed, None, None]:
        kinds = len(self.reader.speeds)
        pools = (list(part) for _, part in groupby(span.of(plan), key=lambda one: (one.epoch, one.pool)))
        threads = self._threads()
        try:
            ahead: tuple[list[PlannedBatch], list[Future[Loaded]]] | None = None
            for planned in pools:
                own = [share.of(one) for one in planned]
                rows = np.unique(np.concatenate([one.rows for one in own]))
                wanted = Wanted(rows // kinds, [(int(row % kinds),) for row in rows], planned[0].epoch)
                coming = planned, self.reader.submit(threads, wanted)
                if ahead is not None:
                    yield from self._cut(*ahead, whitening, share)
                ahead = coming
            if ahead is not None:
                yield from self._cut(*ahead, whitening, share)
        finally:
            threads.shutdown(wait=False, cancel_futures=True)

    def names(self, utterances: Indices) -> list[str]:
        return self.reader.table.utterance_ids(utterances)

    def _cut(
        self, planned: list[PlannedBatch], jobs: list[Future[Loaded]], whitening: Whitening, share: Share
    ) -> Iterator[Fed]:
        heard: dict[int, Heard] = {}
        for job in jobs:
            loaded = job.result()
            self._note(loaded)
            heard.update((one.utterance, one) for one in loaded.heard)
        jobs.clear()
        for one in planned:
            utterances = [int(u) for u in share.of(one).utterances if int(u) in heard]
            rows = [heard[u].rows[0] for u in utterances]
            labels = [heard[u].labels for u in utterances]
            yield one, padded_batch(rows, labels, np.array(utterances), whitening) if rows else None

    def _note(self, loaded: Loaded) -> None:
        """Damage into the counts, each place once, the first few into the log."""
        known = {one.place for one in self.left_out.damaged}
        for one in loaded.lost:
            if one.place in known:
                continue
            known.add(one.place)
            self.left_out.damaged.append(one)
            if self._announced < _NAMED:
                log.warning("%s", one.sentence)
            self._announced += 1

    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.threads or len(os.sched_getaffinity(0)), "feed")


def source_of(reader: GroupReader, shuffle_hours: float, weights: Sequence[float]) -> Source:
    """In memory where it fits (see above), else from the shards; `weights` per corpus, () = all alike."""
    table = reader.table
    mix = Mix(table.corpus, tuple(weights)) if any(one != 1.0 for one in weights) else None
    if table.hours * len(reader.speeds) > 2 * shuffle_hours or reader.changes is not None:
        return ShardSource(reader, shuffle_hours, mix)
    with ThreadPoolExecutor(len(os.sched_getaffinity(0)), "feed") as pool:
        every = tuple(range(len(reader.speeds)))
        loaded = reader.load(pool, Wanted(np.arange(len(table)), [every] * len(table)))
    for one in loaded.lost:
        log.warning("%s", one.sentence)
    table.left_out.damaged.extend(loaded.lost)
    kept = np.array([one.utterance for one in loaded.heard], np.int64)
    if mix is not None:
        mix = Mix(table.corpus[kept], mix.weights)
    dataset = dataset_of(loaded.heard, table.kept(kept), reader)
    return MemorySource(dataset, mix, table.left_out)


def dataset_of(heard: list[Heard], table: Table, reader: GroupReader) -> Dataset:
    """Loaded utterances as one set in memory; `table` holds just those."""
    rows: list[Float] = [row for one in heard for row in one.rows]
    starts: npt.NDArray[np.int64] = np.zeros(len(rows) + 1, np.int64)
    np.cumsum([len(row) for row in rows], out=starts[1:])
    empty = np.zeros((0, reader.features.coefficients), np.float32)
    names = [table.shards[int(table.group_shard[group])].corpus.name for group in table.group]
    return Dataset(
        utterance_ids=[f"{name}/{one.utterance_id}" for name, one in zip(names, heard, strict=True)],
        speaker_ids=[one.speaker_id for one in heard],
        texts=[one.text for one in heard],
        labels=[one.labels for one in heard],
        values=np.concatenate(rows) if rows else empty,
        starts=starts,
        variants=len(reader.speeds),
        hours=table.hours,
    )
