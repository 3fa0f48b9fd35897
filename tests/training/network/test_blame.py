"""What makes a batch's gradient not finite is found inside it: by one process, by one of several workers."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from corpora.text.normaliser import default_alphabet
from training.decoding.acoustic import Network
from training.network.blame import SetAside, learn
from training.network.config import LoopConfig
from training.network.dataset import Batch, Dataset
from training.network.features import whitening_of


class Steps:
    """Gradients of a batch that some utterances spoil: by their loss, by their gradient, or only two together."""

    def __init__(
        self, loss: set[int] = frozenset(), alone: set[int] = frozenset(), pair: set[int] = frozenset()
    ) -> None:  # type: ignore[assignment]
        self._loss, self._alone, self._pair = loss, alone, pair

    def gradients(self, batch: Batch) -> tuple[np.ndarray, float, Any]:
        heard = {int(one) for one in batch.utterances}
        losses = np.array(
            [math.nan if int(one) in self._loss else 2.0 for one in batch.utterances], np.float32
        )
        spoilt = heard & self._alone or (self._pair and heard >= self._pair)
        return losses, math.inf if spoilt or heard & self._loss else 1.0, sorted(heard)


def batch_of(count: int) -> Batch:
    return Batch(
        np.zeros((count, 4, 3), np.float32), np.full(count, 4, np.int32), np.zeros((count, 1), np.int32), np.arange(count)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("spoilt", "bad"),
    [
        ({}, []),
        ({"loss": {3}}, [3]),
        ({"alone": {0, 6}}, [0, 6]),
        ({"loss": {1}, "alone": {5}}, [1, 5]),
        ({"pair": {2, 4}}, [0, 1, 2, 3, 4, 5, 6]),  # neither is so alone
        ({"loss": set(range(7))}, [0, 1, 2, 3, 4, 5, 6]),
    ],
)
def test_only_the_rows_that_spoil_a_batch_are_left_out(spoilt: dict[str, set[int]], bad: list[int]) -> None:
    found = learn(Steps(**spoilt), batch_of(7))
    assert found.bad.tolist() == bad
    if len(bad) < 7:
        assert found.gradients == [one for one in range(7) if one not in bad] and found.loss == 2.0
    else:
        assert found.gradients is None and math.isnan(found.loss)


@pytest.fixture
def spoilt_by_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Utterances whose text begins with the second label have a finite loss and a gradient that is no number."""
    import tensorflow as tf

    from training.network.backends import tensorflow_step
    from training.network.workers import step

    true = tensorflow_step.ctc_losses

    def losses(logits: Any, lengths: Any, labels: Any) -> Any:
        sound = tf.cast(labels[:, 0] != 1, tf.float32)
        return true(logits, lengths, labels) + 1e-9 * tf.sqrt(tf.reduce_sum(logits**2, [1, 2]) * sound)

    for module in (tensorflow_step, step):
        monkeypatch.setattr(module, "ctc_losses", losses)


def test_a_worker_finds_the_rows_whose_gradient_spoils_the_sum(tones: Any, spoilt_by_gradient: None) -> None:
    import tensorflow as tf

    from training.network.workers.step import WorkersStep

    alphabet = default_alphabet()
    config = tones.config(loop=LoopConfig(batch_size=8, threads=1))
    heard = Dataset.from_clips(tones.clips(8, 1), alphabet, config.features, speeds=(1.0,))
    network = Network.create(config, whitening_of(heard.values), tuple(alphabet.labels))
    batch = heard.batch(np.arange(8), network.whitening)
    batch.labels[:, 0] = [0, 0, 1, 0, 0, 1, 0, 0]
    alone: Any = SimpleNamespace(world=1, strategy=tf.distribute.get_strategy())
    step = WorkersStep(network, config.optimiser, 10, alone)
    found = step.learn(batch)
    assert found.bad.tolist() == [2, 5] and found.gradients is not None and math.isfinite(found.loss)
    assert all(np.isfinite(np.asarray(one)).all() for one in found.gradients)
    batch.labels[:, 0] = 1
    lost = step.learn(batch)
    assert lost.gradients is None and len(lost.bad) == 8
    assert step.learn(None).gradients is None
    step.try_size(8, 40)  # what does not fit in memory shows before the first step, in every worker


def test_what_any_worker_set_aside_by_a_checkpoints_step_is_known_after_a_restart(tmp_path: Path) -> None:
    chief, worker = SetAside(tmp_path, 0), SetAside(tmp_path, 1)
    chief.add(3, [7], ["c/seven"])
    worker.add(4, [2, 5], ["c/two", "c/five"])
    worker.add(9, [6], ["c/six"])
    (tmp_path / "set_aside-2.json").write_text(
        '[{"utterance_id": "c/old", "reason": "?"}]'
    )  # by an earlier version
    (tmp_path / "set_aside-3.json").write_text("[{")
    kept = json.loads(json.dumps(chief.entries()))
    assert kept == [[7, "c/seven", 3]]
    for rank in (0, 1, 2):  # the third: a worker that was not there before
        again = SetAside(tmp_path, rank)
        assert not again
        again.restore(kept, steps=9)  # the step that found six is done again
        assert again.entries() == [(2, "c/two", 4), (5, "c/five", 4), (7, "c/seven", 3)]
        assert again.others(np.array([2, 6, 7, 8])).tolist() == [1, 3]
    again.restore([[1, "c/one"]], steps=1)  # a checkpoint of an earlier version has no steps
    assert again.entries() == [(1, "c/one", 0)]
