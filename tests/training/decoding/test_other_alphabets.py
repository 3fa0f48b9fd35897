"""A language model of another alphabet than the network's is refused before the network has heard anything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import native
from corpora.text.normaliser import default_alphabet
from store.store import Store
from training.decoding import tune
from training.errors import CheckpointError, DataError
from training.evaluation import evaluate
from training.network.checkpoint import Checkpoint, assign_arrays


@pytest.mark.parametrize(
    ("module", "ask"),
    [
        (tune, lambda store: tune.tune_decoder(tune.TuneRequest("run", "lm", ["tones"]), store)),
        (evaluate, lambda store: evaluate.evaluate(evaluate.EvaluationRequest("run", "tones", "lm"), store)),
    ],
    ids=["tune-decoder", "evaluate"],
)
def test_a_language_model_of_another_alphabet_is_one_sentence_at_once(
    module: Any, ask: Callable[[Store], Any], tones: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    tones.publish(store, "tones", {split: tones.clips(2) for split in ("train", "dev", "test")})
    (store.runs_dir / "run").mkdir(parents=True)
    stranger = SimpleNamespace(alphabet=native.Alphabet(["x", "y", " "]), lm_hash="0" * 64)
    monkeypatch.setattr(native.Scorer, "load", lambda *_, **__: stranger)
    monkeypatch.setattr(module, "labels_of_run", lambda run_dir: tuple(default_alphabet().labels))
    monkeypatch.setattr(module, "network_outputs", lambda *_: pytest.fail("the network was asked"))
    with pytest.raises(DataError, match="alphabet has 3 labels and is another than the network's of 28"):
        ask(store)


def test_a_checkpoint_of_another_width_or_network_is_named() -> None:
    stored = Checkpoint({"model/dense1/kernel": np.zeros((4, 8), np.float32)}, {"step": 7})
    wider = SimpleNamespace(path="dense1/kernel", shape=(4, 16))
    with pytest.raises(
        CheckpointError, match=r"\(4, 8\) in the checkpoint of step 7 but \(4, 16\).*widths differ"
    ):
        assign_arrays("model", [wider], stored)
    with pytest.raises(CheckpointError, match=r"lacks model/norm1/scale: it is of another network"):
        assign_arrays("model", [SimpleNamespace(path="norm1/scale", shape=(8,))], stored)
