"""Alphabets of thousands of labels, few of them said: they are learnt as fast as those few alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from native import Alphabet
from training.network.config import LoopConfig, ModelConfig, OptimiserConfig, TrainingConfig
from training.network.dataset import Clip, Dataset
from training.network.loop import TrainingData, train
from training.network.model import MANY_LABELS, NetworkShape, build_model, start_output

LABELS = [chr(0x4E00 + place) for place in range(3000)]
SAID = LABELS[7::700]  # five of them


def clips(count: int, seed: int) -> list[Clip]:
    """Utterances of two or three signs; each is heard as a pattern of its own with a rest before."""
    draws = np.random.default_rng(seed)
    patterns = np.random.default_rng(5).standard_normal((len(SAID) + 1, 26))
    made = []
    for number in range(count):
        signs = draws.integers(0, len(SAID), draws.integers(2, 4))
        places = np.concatenate([[len(SAID)] * 3 + [sign] * 6 for sign in signs])
        features = patterns[places] + 0.3 * draws.standard_normal((len(places), 26))
        text = "".join(SAID[sign] for sign in signs)
        made.append(Clip(f"u{number}", text, 1, np.zeros(0, np.int16), features=features.astype(np.float32)))
    return made


def test_five_of_3000_labels_are_learnt_in_a_few_steps(tmp_path: Path) -> None:
    config = TrainingConfig(
        model=ModelConfig(n_hidden=32, dropout=0.0),
        optimiser=OptimiserConfig(learning_rate=0.006),
        loop=LoopConfig(steps=200, batch_size=8, dev_every_epochs=0, threads=1),
    )
    alphabet = Alphabet(LABELS)
    learnt = Dataset.from_clips(clips(160, 1), alphabet, config.features, (1.0,))
    heard = Dataset.from_clips(clips(20, 2), alphabet, config.features)
    result = train(config, TrainingData(learnt, heard, alphabet), tmp_path)
    assert result.dev_wer is not None and result.dev_wer < 0.2


def test_the_output_starts_at_the_shares_of_many_labels_and_at_nothing_of_few() -> None:
    for labels in (MANY_LABELS, MANY_LABELS + 1):
        config = ModelConfig(n_hidden=8)
        model = build_model(NetworkShape(labels + 1, n_hidden=8), config, seed=1)
        counts = np.zeros(labels, np.int64)
        counts[[3, 5]] = 300, 100
        start_output(model, counts)
        bias = np.asarray(model.get_layer("output").bias)
        if labels == MANY_LABELS:
            assert not bias.any()
            continue
        odds = np.exp(bias.astype(np.float64))
        assert odds[[3, 5, -1]] == pytest.approx([0.75, 0.25, 1.0], rel=0.002)
        assert odds.sum() == pytest.approx(2.0, rel=1e-5) and odds.min() == pytest.approx(
            0.001 / labels, rel=1e-4
        )
