"""Checkpoints written while training goes on: of one moment, in bounded memory, their errors told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from store.errors import StoreError
from training.network import saving
from training.network.checkpoint import ArraysOnDemand, Checkpoint, load_checkpoint
from training.network.feed.ahead import Ahead
from training.network.saving import Saver, Snapshot

SIZE = 40_000  # float32: above what is copied at once


def weights(count: int) -> dict[str, np.ndarray[Any, Any]]:
    return {f"model/{number}": np.full(SIZE, number, np.float32) for number in range(count)} | {
        "model/random_state_0": np.zeros(2, np.uint32)
    }


def on_demand(values: dict[str, np.ndarray[Any, Any]]) -> ArraysOnDemand:
    return ArraysOnDemand(list(values), lambda name: values[name], {k: v.nbytes for k, v in values.items()})


def test_a_checkpoint_holds_the_moment_it_was_begun_at(tmp_path: Path) -> None:
    values = weights(6)
    with Saver(tmp_path, 2) as saver:
        for step in (1, 2, 3):
            saver.start(Checkpoint(on_demand(values), {"step": step}), is_best=step == 2)
            values["model/random_state_0"] += 1  # as a step's gradients do, before weights may change
            saver.before_change()
            for number in range(6):
                values[f"model/{number}"] += 10
    assert sorted(path.name for path in tmp_path.glob("*")) == [
        "best.npz", "step-00000002.npz", "step-00000003.npz",
    ]  # fmt: skip
    for step, name in ((2, "best.npz"), (2, "step-00000002.npz"), (3, "step-00000003.npz")):
        found = load_checkpoint(tmp_path / name)
        assert found.step == step
        for number in range(6):
            assert set(found.arrays[f"model/{number}"].tolist()) == {number + 10 * (step - 1)}
        assert found.arrays["model/random_state_0"].tolist() == [step - 1] * 2


def test_weights_wait_for_what_is_too_much_to_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saving, "_MOST_COPIED", 2 * 4 * SIZE)
    values = weights(5)
    snapshot = Snapshot(on_demand(values))
    allowed = threading.Event()

    def changes() -> None:
        snapshot.hold()
        allowed.set()

    waiting = threading.Thread(target=changes)
    waiting.start()
    for number in range(3):
        assert not allowed.is_set()
        assert snapshot[f"model/{number}"][0] == number
    waiting.join(20)
    assert allowed.is_set()
    values["model/4"][:] = 99
    assert snapshot["model/4"][0] == 4 and snapshot["model/3"][0] == 3


def test_what_writing_raised_is_raised_in_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise StoreError("no space left")

    monkeypatch.setattr(saving, "save_checkpoint", full)
    with pytest.raises(StoreError, match="no space"), Saver(tmp_path, 2) as saver:
        saver.start(Checkpoint(weights(2), {"step": 1}), is_best=False)
        saver.before_change()
    with pytest.raises(ValueError, match="its own"), Saver(tmp_path, 2) as saver:
        saver.start(Checkpoint(weights(2), {"step": 1}), is_best=False)
        raise ValueError("its own")


def test_batches_are_made_ahead_and_errors_come_at_their_place() -> None:
    begun = threading.Event()

    def items() -> Iterator[int]:
        begun.set()
        yield from range(3)
        raise ValueError("the fourth")

    made = Ahead(items(), lambda item: 10 * item)
    assert begun.wait(20)
    assert [next(made) for _ in range(3)] == [0, 10, 20]
    with pytest.raises(ValueError, match="the fourth"):
        next(made)
    assert list(made) == []
