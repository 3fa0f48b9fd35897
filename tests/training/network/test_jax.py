"""The network and its step on JAX: same weights, same outputs, losses and gradients as on TensorFlow."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from training.decoding.acoustic import Network
from training.network.backends.jax_step import padded
from training.network.backends.tensorflow_step import StepFunction
from training.network.config import ModelConfig, OptimiserConfig, TrainingConfig
from training.network.dataset import Batch
from training.network.features import Whitening

ON_JAX = """
import sys, numpy as np
from training.network.config import ModelConfig, OptimiserConfig, TrainingConfig
from training.network.backends.jax_step import JaxStep
from training.network.model import NetworkShape, build_model
given = np.load(sys.argv[1])
config = ModelConfig(n_hidden=12, dropout=0.0)
model = build_model(NetworkShape.of(TrainingConfig().features, config, 7), config, seed=1)
names = [one.path for one in model.trainable_variables]
for one in model.trainable_variables:
    one.assign(given[one.path.replace("/", ".")])
logits = np.asarray(model([given["features"], given["lengths"]]))
step = JaxStep(model, OptimiserConfig(), lambda number: 0.001)
losses, norm, found = step.gradients(given["features"], given["lengths"], given["labels"])
step.apply(found, 0)
after = {"after." + one.path.replace("/", "."): np.asarray(one.value) for one in model.trainable_variables}
gradients = {"gradient." + name.replace("/", "."): np.asarray(one) for name, one in zip(names, found)}
assert "tensorflow" not in sys.modules
np.savez(sys.argv[2], logits=logits, losses=losses, norm=norm, **gradients, **after)
"""


@pytest.mark.slow
def test_jax_computes_what_tensorflow_computes(tmp_path: Path) -> None:
    if importlib.util.find_spec("jax") is None:
        pytest.skip("JAX is not installed; it is no requirement")
    draws = np.random.default_rng(1)
    config = TrainingConfig(model=ModelConfig(n_hidden=12, dropout=0.0))
    network = Network.create(
        config, Whitening(np.zeros(26, np.float32), np.ones(26, np.float32)), tuple("abcdef")
    )
    batch = Batch(
        draws.standard_normal((3, 30, 26)).astype(np.float32),
        np.array([30, 21, 12], np.int32),
        np.array([[0, 1, 1, 4], [5, 2, -1, -1], [3, -1, -1, -1]], np.int32),
        np.arange(3),
    )
    variables = network.model.trainable_variables
    given = {one.path.replace("/", "."): np.asarray(one) for one in variables}
    arrays = {"features": batch.features, "lengths": batch.lengths, "labels": batch.labels}
    np.savez(tmp_path / "in.npz", **given, **arrays)
    logits = np.asarray(network.model([batch.features, batch.lengths]))
    step = StepFunction(network, OptimiserConfig(), 10)
    losses, norm, found = step.gradients(batch)
    gradients = {
        one.path.replace("/", "."): np.asarray(value) for one, value in zip(variables, found, strict=True)
    }
    step.apply(found, 0)

    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", ON_JAX, str(tmp_path / "in.npz"), str(tmp_path / "out.npz")]
    subprocess.run(command, env=environment, check=True)
    told = np.load(tmp_path / "out.npz")
    for row, length in enumerate(batch.lengths):
        np.testing.assert_allclose(told["logits"][row, :length], logits[row, :length], atol=1e-4)
    np.testing.assert_allclose(told["losses"], losses, atol=1e-3)
    assert told["norm"] == pytest.approx(norm, rel=1e-3)
    for name, value in gradients.items():
        np.testing.assert_allclose(told[f"gradient.{name}"], value, atol=1e-3, err_msg=name)
    for one in variables:
        name = one.path.replace("/", ".")
        np.testing.assert_allclose(told[f"after.{name}"], np.asarray(one), atol=2e-3, err_msg=name)


def test_batches_are_padded_to_sizes_that_come_again() -> None:
    features, lengths = np.ones((2, 65, 3), np.float32), np.array([65, 7], np.int32)
    wide, same, labels, counts = padded(features, lengths, np.array([[4, 0, 2], [1, -1, -1]], np.int32))
    assert wide.shape == (2, 128, 3) and not wide[:, 65:].any()
    assert same.tolist() == [65, 7] and labels.shape == (2, 16)
    assert counts.tolist() == [3, 1]
