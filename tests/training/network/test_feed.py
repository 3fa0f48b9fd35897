"""The feed from shards: the batches of the loader in memory, in pools, resumed, shared, damaged, cached."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpora.text.normaliser import default_alphabet
from store.store import Store
from store.writing import read_json, write_json_atomic
from training.errors import DataError
from training.network.batches import Plan, PlanOptions, Position
from training.network.choice import choose
from training.network.config import DataConfig, TrainingConfig
from training.network.dataset import ctc_refusal
from training.network.feed.cache import FeatureCache
from training.network.feed.reading import GroupReader
from training.network.feed.sources import Fed, MemorySource, ShardSource, Share, Source, Span, source_of
from training.network.feed.spelling import Spelled
from training.network.feed.table import Learner, Table, read_table
from training.network.feed.table_cache import cached_table

FEATURES = TrainingConfig().features
OPTIONS = PlanOptions(batch_size=4, bucket_batches=2)
SPEEDS = (0.9, 1.0, 1.1)


@pytest.fixture(scope="module")
def store(tones: Any, tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("feed"))
    tones.publish(store, "one", {"train": tones.clips(23, 1), "dev": tones.clips(2, 5)})
    tones.publish(store, "two", {"train": tones.clips(14, 2, rate_hz=8000, prefix="w")})
    return store


def reader_of(store: Store, speeds: tuple[float, ...] = SPEEDS, **data: Any) -> GroupReader:
    learner = Learner(default_alphabet(), speeds)
    config = DataConfig(**data)
    table = read_table(choose(config, store).corpora, config, FEATURES, learner)
    return GroupReader(table, FEATURES, speeds, learner.alphabet)


def small_groups(reader: GroupReader, rows: int = 3) -> GroupReader:
    """The same reader over a table whose row groups hold a few rows: many pools from tiny shards."""
    table = reader.table
    return dataclasses.replace(reader, table=SmallGroups.of(table, rows))


class SmallGroups(Table):
    """A table that calls every few rows a group of their own; reading still finds the true one."""

    @classmethod
    def of(cls, table: Table, rows: int) -> Table:
        shard = table.group_shard[table.group]
        pieces = np.concatenate([np.arange(int((shard == one).sum())) // rows for one in np.unique(shard)])
        key = shard.astype(np.int64) * 10_000 + pieces
        _, first, group = np.unique(key, return_index=True, return_inverse=True)
        return dataclasses.replace(
            table,
            group=group.astype(np.int32),
            group_shard=shard[first],
            group_number=table.group_number[table.group][first],
        )


def fed(source: Source, plan: Plan, at: Position = Position(), share: Share = Share()) -> Iterator[Fed]:  # noqa: B008
    return source.feed(plan, Span(at), source.whitening(), share)


def assert_same(first: Fed, second: Fed) -> None:
    (planned, batch), (again, other) = first, second
    assert (planned.step, planned.epoch, planned.last_of_epoch) == (
        again.step,
        again.epoch,
        again.last_of_epoch,
    )
    assert batch is not None and other is not None
    for name in ("features", "lengths", "labels", "utterances"):
        np.testing.assert_array_equal(getattr(batch, name), getattr(other, name), err_msg=name)


def test_a_set_of_one_pool_gives_the_same_batches_from_the_shards_as_from_memory(store: Store) -> None:
    reader = reader_of(store)
    memory = source_of(reader, 8.0, ())
    assert isinstance(memory, MemorySource)
    shards = ShardSource(reader, 8.0)
    plans = [source.plan(3, OPTIONS) for source in (memory, shards)]
    np.testing.assert_array_equal(plans[0].frames, plans[1].frames)  # lengths are foretold without sound
    assert plans[0].total_steps(3) == plans[1].total_steps(3) == 30
    np.testing.assert_array_equal(memory.whitening().mean, shards.whitening().mean)
    for one, two in islice(zip(fed(memory, plans[0]), fed(shards, plans[1]), strict=False), 30):
        assert_same(one, two)


def test_pools_give_every_utterance_once_an_epoch_and_go_on_at_any_step(store: Store) -> None:
    reader = small_groups(reader_of(store))
    source = ShardSource(reader, shuffle_hours=15 / 3600)
    plan = source.plan(1, OPTIONS)
    steps = plan.steps_per_epoch(0) + plan.steps_per_epoch(1)
    whole = list(islice(fed(source, plan), steps))
    assert len({planned.pool for planned, _ in whole}) > 2
    for epoch in (0, 1):
        heard = np.concatenate([planned.utterances for planned, _ in whole if planned.epoch == epoch])
        assert sorted(heard.tolist()) == list(range(37))
        assert sum(planned.last_of_epoch for planned, _ in whole if planned.epoch == epoch) == 1
    order = [
        np.concatenate([planned.utterances for planned, _ in whole if planned.epoch == epoch]).tolist()
        for epoch in (0, 1)
    ]
    assert order[0] != order[1]
    for step in (1, steps // 2, steps - 2):
        planned = whole[step][0]
        at = Position(step, planned.epoch, planned.epoch_start)
        for one, two in zip(whole[step:], fed(source, plan, at), strict=False):
            assert_same(one, two)


def test_workers_share_a_batch_without_overlap(store: Store) -> None:
    source = source_of(reader_of(store), 8.0, ())
    plan = source.plan(1, OPTIONS)
    whole, *parts = (
        list(islice(fed(source, plan, share=share), 10)) for share in (Share(), Share(0, 2), Share(1, 2))
    )
    for (_, batch), *halves in zip(whole, *parts, strict=True):
        together = [u for _, half in halves if half is not None for u in half.utterances.tolist()]
        assert batch is not None and sorted(together) == sorted(batch.utterances.tolist())


@pytest.mark.parametrize("memory", [True, False])
def test_a_damaged_sound_costs_itself_and_a_changed_shard_its_rows(
    store: Store, tones: Any, tmp_path: Path, memory: bool
) -> None:
    other = Store(tmp_path)
    folder = tones.publish(other, "one", {"train": tones.clips(23, 1), "dev": tones.clips(2, 5)})
    tones.publish(other, "two", {"train": tones.clips(14, 2, prefix="w")})
    shard = folder / "train" / "part-00000.parquet"
    content = bytearray(shard.read_bytes())
    content[content.index(b"fLaC") + 3000] ^= 0xFF  # inside the first sound
    shard.write_bytes(bytes(content))
    reader = reader_of(other)
    source = source_of(reader, 8.0, ()) if memory else ShardSource(reader, 8.0)
    plan = source.plan(1, OPTIONS)
    batches = [batch for _, batch in islice(fed(source, plan), plan.steps_per_epoch(0))]
    assert sum(len(batch.utterances) for batch in batches if batch is not None) == 36
    (lost,) = source.left_out.damaged
    assert "part-00000.parquet" in lost.place and "u000" in lost.place and lost.rows == 1

    manifest = read_json(folder / "manifest.json")
    manifest["shards"][0]["bytes"] = shard.stat().st_size + 1
    write_json_atomic(folder / "manifest.json", manifest)
    changed = reader_of(other)
    assert len(changed.table) == 14
    (lost,) = changed.table.left_out.damaged
    assert "bytes where the manifest says" in lost.reason and lost.rows == 23
    shard.write_bytes(bytes(content[: len(content) // 2]))
    assert len(reader_of(other).table) == 14


def test_corpora_are_mixed_by_weight_and_limited_in_hours(store: Store) -> None:
    reader = reader_of(store, corpora=("one", "two"))
    for source in (source_of(reader, 8.0, (2.0, 0.5)), ShardSource(reader, 8.0, None)):
        if isinstance(source, ShardSource):
            source.mix = source_of(reader, 8.0, (2.0, 0.5)).mix  # type: ignore[attr-defined]
        plan = source.plan(1, OPTIONS)
        count = plan.total_steps(2)
        heard = [planned.utterances for planned, _ in islice(fed(source, plan), count)]
        times = np.bincount(np.concatenate(heard), minlength=37)
        assert (times[:23] == 4).all()
        assert (times[23:] == 1).all()
    limited = reader_of(store, corpora=("one", "two"), max_hours=(0.005, 0.0)).table
    assert 0 < (limited.corpus == 0).sum() < 23 and (limited.corpus == 1).sum() == 14
    assert any("limit of 0.005 hours" in line for line in limited.left_out.lines())
    assert len(reader_of(store, max_train_hours=0.005).table) < 37


def test_what_is_left_out_is_counted_with_its_reason_and_hours(store: Store) -> None:
    table = reader_of(store, max_duration_s=1.2, min_duration_s=0.9).table
    lines = table.left_out.lines()
    assert any("longer than 1.2 s (0.0" in line for line in lines)
    counted = sum(table.left_out.counts.values())
    assert counted + len(table) == 37 and counted > 0
    with pytest.raises(DataError, match=r"train-clean-1000.*train-clean"):
        reader_of(store, subsets=("train-clean-1000",))


def test_the_cache_changes_nothing_and_stays_within_its_limit(store: Store, tmp_path: Path) -> None:
    plain = reader_of(store)
    cached = dataclasses.replace(plain, cache=FeatureCache(tmp_path / "c", 10**9, FEATURES, SPEEDS))
    source = ShardSource(cached, 8.0)
    plan = source.plan(1, OPTIONS)
    first = list(islice(fed(source, plan), 10))
    assert list((tmp_path / "c").glob("*.npy"))
    for one, two in zip(first, islice(fed(source, plan), 10), strict=True):
        assert_same(one, two)
    exact = [batch for _, batch in islice(fed(ShardSource(plain, 8.0), plan), 10)]
    for (_, batch), true in zip(first, exact, strict=True):
        assert batch is not None and true is not None
        np.testing.assert_allclose(batch.features, true.features, atol=5e-3)
    (entry, *_) = (tmp_path / "c").glob("*.npy")
    entry.write_bytes(entry.read_bytes()[:500])  # torn: computed again
    for one, two in zip(first, islice(fed(source, plan), 10), strict=True):
        assert_same(one, two)
    tight = dataclasses.replace(plain, cache=FeatureCache(tmp_path / "t", 1000, FEATURES, SPEEDS))
    list(islice(fed(ShardSource(tight, 8.0), plan), 10))
    assert sum(path.stat().st_size for path in (tmp_path / "t").glob("*.npy")) <= 1000


def test_a_changed_bit_in_the_cache_is_said_and_made_again(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def batches() -> list[Any]:
        cache = FeatureCache(tmp_path / "c", 10**9, FEATURES, SPEEDS)
        source = ShardSource(dataclasses.replace(reader_of(store), cache=cache), 8.0)
        return list(islice(fed(source, source.plan(1, OPTIONS)), 10))

    first = batches()
    for entry in (tmp_path / "c").glob("*.npy"):
        content = bytearray(entry.read_bytes())
        content[len(content) // 2 | 1] ^= 0x40  # the exponent of a half: a cepstrum of some tens of thousands
        entry.write_bytes(content)
    for one, two in zip(first, batches(), strict=True):
        assert_same(one, two)
    assert "is damaged and made again" in caplog.text
    caplog.clear()
    batches()
    assert "damaged" not in caplog.text


def test_ids_are_read_when_they_are_asked_for(store: Store) -> None:
    table = reader_of(store).table
    assert table.utterance_ids(np.array([0, 36])) == ["one/u000", "two/w013"]


def table_kept(store: Store, folder: Path, **data: Any) -> Table:
    config, learner = DataConfig(**data), Learner(default_alphabet(), SPEEDS)
    return cached_table(choose(config, store).corpora, config, FEATURES, learner, folder)


def test_a_table_that_was_kept_is_the_one_read_from_the_shards(store: Store, tmp_path: Path) -> None:
    asked = {"max_duration_s": 2.0, "max_train_hours": 0.01}
    read = reader_of(store, **asked).table
    tables = [table_kept(store, tmp_path, **asked) for _ in range(2)]
    assert len(list(tmp_path.glob("*.npz"))) == 1
    for table in tables:
        assert table.shards == read.shards and table.left_out.lines() == read.left_out.lines()
        for name in ("group_shard", "group_number", "group", "row", "corpus", "duration_s", "frames"):
            np.testing.assert_array_equal(getattr(table, name), getattr(read, name), err_msg=name)
    table_kept(store, tmp_path)
    assert len(list(tmp_path.glob("*.npz"))) == 2, "other limits are another table"


def test_a_kept_table_that_is_damaged_or_of_shards_that_changed_is_read_anew(
    tones: Any, tmp_path: Path
) -> None:
    store, folder = Store(tmp_path / "store"), tmp_path / "tables"
    published = tones.publish(store, "one", {"train": tones.clips(9, 1)})
    whole = len(table_kept(store, folder))
    for path in folder.glob("*.npz"):
        path.write_bytes(path.read_bytes()[:-20])
    assert len(table_kept(store, folder)) == whole
    shard = published / "train" / "part-00000.parquet"
    shard.write_bytes(b"no shard")
    lost = table_kept(store, folder)
    assert len(lost) == 0 and lost.left_out.damaged[0].rows == 9
    assert len(list(folder.glob("*.npz"))) == 1, "a table with damage in it is not kept"


def test_labels_are_counted_alike_in_the_table_and_in_memory_without_what_is_left_out(store: Store) -> None:
    from_shards = ShardSource(reader_of(store), shuffle_hours=4.0)
    in_memory = source_of(reader_of(store), 100.0, ())
    assert isinstance(in_memory, MemorySource)
    labels = len(default_alphabet().labels)
    counts = in_memory.label_counts(labels)
    assert counts.sum() == sum(map(len, in_memory.dataset.labels)) > 0
    assert (from_shards.label_counts(labels) == counts).all()
    fewer = ShardSource(reader_of(store, min_duration_s=1.2), shuffle_hours=4.0).label_counts(labels)
    assert 0 < fewer.sum() < counts.sum()


def test_texts_are_spelled_together_as_one_by_one() -> None:
    alphabet = default_alphabet()
    texts = ["", "abba", "a", "a", "bookkeeper", "zz", "no"]
    spelled = Spelled.of(alphabet, texts)
    for frames in (0, 1, 2, 3, 4, 12, 13, 14):
        expected = [ctc_refusal(np.asarray(alphabet.encode(text), np.int32), frames) or "" for text in texts]
        assert spelled.refusals(np.full(len(texts), frames)).tolist() == expected
    taken = np.array([False, True, True, False, False, True, False])
    counts = spelled.occurrences(taken, len(alphabet.labels))
    said = {alphabet.labels[place]: int(counts[place]) for place in np.flatnonzero(counts)}
    assert said == {"a": 3, "b": 2, "z": 2}
