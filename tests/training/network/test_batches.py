"""The batch plan: complete, deterministic, resumable, little padding."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.network.batches import Plan, PlanOptions, padding_share, plan_epoch

LENGTHS = st.lists(st.integers(1, 400), min_size=1, max_size=90)


@settings(deadline=None, max_examples=60)
@given(LENGTHS, st.integers(0, 5), st.integers(0, 3), st.integers(1, 9), st.sampled_from([0, 500]))
def test_every_utterance_comes_once_per_epoch(
    lengths: list[int], seed: int, epoch: int, size: int, limit: int
) -> None:
    frames = np.array(lengths)
    options = PlanOptions(batch_size=size, batch_frames=limit, bucket_batches=3)
    batches = plan_epoch(frames, seed, epoch, options)
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    assert max(map(len, batches)) <= size
    if limit:
        assert all(len(batch) == 1 or len(batch) * frames[batch].max() <= limit for batch in batches)
    again = plan_epoch(frames, seed, epoch, options)
    assert all((a == b).all() for a, b in zip(batches, again, strict=True))


def test_epochs_and_seeds_differ_and_the_first_is_sorted() -> None:
    frames = np.random.default_rng(1).integers(50, 300, 200)
    options = PlanOptions(batch_size=10)
    first = np.concatenate(plan_epoch(frames, 1, 0, options))
    assert (np.diff(frames[first]) >= 0).all()
    second, third = (np.concatenate(plan_epoch(frames, 1, epoch, options)) for epoch in (1, 2))
    other = np.concatenate(plan_epoch(frames, 2, 1, options))
    assert not (second == third).all()
    assert not (second == other).all()


def test_a_plan_can_be_entered_at_any_step() -> None:
    frames = np.random.default_rng(2).integers(20, 90, (37, 3))
    plan = Plan(frames, 5, PlanOptions(batch_size=4))
    whole = list(islice(plan.batches(), 30))
    late = list(islice(plan.batches(first_step=13), 17))
    assert [batch.step for batch in late] == list(range(13, 30))
    for early, resumed in zip(whole[13:], late, strict=True):
        np.testing.assert_array_equal(early.rows, resumed.rows)
        np.testing.assert_array_equal(early.rows // 3, early.utterances)
    assert plan.total_steps(3) == 30
    assert whole[-1].epoch == 2


@pytest.mark.parametrize(("window", "limit"), [(1, 0.5), (16, 0.12)])
def test_wider_windows_pad_less(window: int, limit: float) -> None:
    frames = np.random.default_rng(3).integers(30, 600, 4000)
    options = PlanOptions(batch_size=16, bucket_batches=window)
    assert padding_share(frames, plan_epoch(frames, 1, 1, options)) < limit
