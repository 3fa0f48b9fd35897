"""The network and its step on JAX: same weights, same outputs, losses and gradients as on TensorFlow."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from training.decoding.acoustic import LogProbabilities, Network, load_network
from training.errors import ConfigError
from training.network.backends import start_backend
from training.network.backends.jax_step import padded
from training.network.backends.tensorflow_step import StepFunction
from training.network.config import ModelConfig, OptimiserConfig, TrainingConfig
from training.network.dataset import Batch
from training.network.features import Whitening

WHITE = Whitening(np.zeros(26, np.float32), np.ones(26, np.float32))
ON_JAX = """
import sys, numpy as np
from training.network.config import LoopConfig, ModelConfig, OptimiserConfig, TrainingConfig
from training.decoding.acoustic import Network
from training.network.backends import forward_of, step_of
from training.network.dataset import Batch
from training.network.features import Whitening
given = np.load(sys.argv[1])
config = TrainingConfig(model=ModelConfig(n_hidden=12, dropout=0.0), loop=LoopConfig(backend="jax"))
plain = Whitening(np.zeros(26, np.float32), np.ones(26, np.float32))
network = Network.create(config, plain, tuple("abcdef"))
model = network.model
names = [one.path for one in model.trainable_variables]
for one in model.trainable_variables:
    one.assign(given[one.path.replace("/", ".")])
logits = np.asarray(model([given["features"], given["lengths"]]))
logs = forward_of(network)(given["features"], given["lengths"])
assert abs(np.exp(logs).sum(-1) - 1).max() < 1e-4 and (logs.argmax(-1) == logits.argmax(-1)).all()
step = step_of(network, OptimiserConfig(), 10)
batch = Batch(given["features"], given["lengths"], given["labels"], np.arange(3))
losses, norm, found = step.gradients(batch)
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
    network = Network.create(config, WHITE, tuple("abcdef"))
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
    assert wide.shape == (8, 128, 3) and not wide[:, 65:].any() and not wide[2:].any()
    assert same.tolist() == [65, 7, 1, 1, 1, 1, 1, 1] and labels.shape == (8, 16)
    assert counts.tolist() == [3, 1, 0, 0, 0, 0, 0, 0]


RUN_ON_JAX = """
import sys
from pathlib import Path
from store.store import Store
from training.network.config import LoopConfig, OptimiserConfig
from training.runs import train_in_store
from tests.training.conftest import publish_corpus, small_config, tone_clips
store = Store(Path(sys.argv[1]))
publish_corpus(store, "tones", {"train": tone_clips(20, 1), "dev": tone_clips(4, 2, prefix="d")})
config = small_config(
    loop=LoopConfig(epochs=2, batch_size=8, backend="jax", device="cpu"),
    optimiser=OptimiserConfig(learning_rate=0.01, average=0.5),
)
result = train_in_store(config, store)
assert result.steps == 6 and result.dev_wer is not None
import keras
assert keras.config.backend() == "jax"
"""


@pytest.mark.slow
def test_a_run_is_trained_on_jax_and_measured_on_tensorflow(tmp_path: Path) -> None:
    if importlib.util.find_spec("jax") is None:
        pytest.skip("JAX is not installed; it is no requirement")
    environment = {**os.environ, "JAX_PLATFORMS": "cpu"}
    subprocess.run([sys.executable, "-c", RUN_ON_JAX, str(tmp_path)], env=environment, check=True)
    network = load_network(next((tmp_path / "runs").iterdir()))
    features = np.zeros((1, 9, 26), np.float32)
    found = LogProbabilities(network).of_batch(
        Batch(features, np.full(1, 9, np.int32), np.zeros((1, 1), np.int32), np.arange(1))
    )
    assert 0 < network.step <= 6 and found.shape[:2] == (1, 9)  # the best on dev, of three an epoch


def test_a_backend_that_is_not_there_is_refused_in_a_sentence() -> None:
    script = "from training.network.backends import start_backend; start_backend('jax', needed=True)"
    blocked = "import importlib.util, sys; sys.modules['jax'] = None; importlib.util.find_spec = lambda name: None; "
    done = subprocess.run(
        [sys.executable, "-c", blocked + script], capture_output=True, text=True, check=False
    )
    assert "loop.backend = 'jax', but it is not installed" in done.stderr
    start_backend("tensorflow", needed=True)
    Network.create(TrainingConfig(model=ModelConfig(n_hidden=2)), WHITE, tuple("ab"))
    with pytest.raises(ConfigError, match="has begun with tensorflow"):
        start_backend("jax", needed=True)
