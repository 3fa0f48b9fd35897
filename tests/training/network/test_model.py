"""The network's variants: sizes, what it hears of the future, dropout, normalisation, first weights, transfer."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpora.text.normaliser import default_alphabet
from native import Alphabet
from store.writing import temporary_beside
from training.decoding.acoustic import Network, load_network
from training.errors import ConfigError
from training.network.checkpoint import best_checkpoint, load_checkpoint, newest_checkpoint, save_checkpoint
from training.network.config import ModelConfig, TrainingConfig, TransferConfig, parse_config
from training.network.dataset import Dataset
from training.network.features import whitening_of
from training.network.loop import TrainingData, train
from training.network.model import NetworkShape, build_model, parameter_count
from training.network.transfer import start_from

UNIDIRECTIONAL = {
    64: 79_069, 128: 248_221, 256: 856_861, 375: 1_746_029, 494: 2_946_739, 512: 3_155_485, 1024: 12_078_109,
    1536: 26_767_901, 2048: 47_224_861,
}  # fmt: skip


def counted(model: Any) -> int:
    return sum(int(np.prod(one.shape)) for one in model.trainable_variables)


@pytest.mark.parametrize(("width", "count"), UNIDIRECTIONAL.items())
def test_the_unidirectional_network_has_the_published_number_of_weights(width: int, count: int) -> None:
    config = ModelConfig(n_hidden=width, direction="unidirectional")
    shape = NetworkShape.of(TrainingConfig().features, config, 29)
    assert parameter_count(shape) == count
    if width <= 128:
        assert counted(build_model(shape, config, seed=1, blank=True)) == count


def test_layer_norm_and_lookahead_are_counted_too() -> None:
    for direction in ("bidirectional", "unidirectional"):
        config = ModelConfig(n_hidden=16, direction=direction, lookahead=3, layer_norm=True)
        shape = NetworkShape.of(TrainingConfig().features, config, 7)
        assert counted(build_model(shape, config, seed=1, blank=True)) == parameter_count(shape)


def test_a_unidirectional_network_hears_its_lookahead_of_the_future_and_no_more() -> None:
    config = ModelConfig(n_hidden=12, direction="unidirectional", lookahead=2)
    model = build_model(NetworkShape.of(TrainingConfig().features, config, 7), config, seed=3)
    sound = np.random.default_rng(1).standard_normal((1, 20, 26)).astype(np.float32)
    whole = np.asarray(model([sound, np.array([20], np.int32)]))
    for frames in (5, 12):
        heard = np.asarray(model([sound[:, :frames], np.array([frames], np.int32)]))
        np.testing.assert_allclose(heard[:, : frames - 2], whole[:, : frames - 2], atol=1e-5)
        assert np.abs(heard[:, frames - 1] - whole[:, frames - 1]).max() > 1e-4


def test_dropout_is_by_layer_and_first_weights_are_chosen() -> None:
    shape = NetworkShape(labels=5, n_hidden=8)
    model = build_model(shape, ModelConfig(n_hidden=8, dropouts=(0.1, 0.2, 0.3, 0.4, 0.5)), seed=1)
    rates = {layer.name: layer.rate for layer in model.layers if layer.name.startswith("dropout")}
    assert rates == {"dropout1": 0.1, "dropout2": 0.2, "dropout3": 0.3, "dropout4": 0.4, "dropout5": 0.5}
    plain = build_model(shape, ModelConfig(n_hidden=8, dropout=0.3), seed=1)
    assert [layer.rate for layer in plain.layers if layer.name.startswith("dropout")] == [0.3] * 4
    old = build_model(
        NetworkShape(labels=29, n_hidden=128), ModelConfig(initialisation="release_2017"), seed=1
    )
    values = {one.path: np.asarray(one) for one in old.trainable_variables}
    assert values["dense2/kernel"].std() == pytest.approx(0.046875, rel=0.03)
    assert values["dense2/bias"].std() == pytest.approx(0.046875, rel=0.3)
    he = build_model(NetworkShape(labels=29, n_hidden=128), ModelConfig(initialisation="he"), seed=1)
    glorot = build_model(NetworkShape(labels=29, n_hidden=128), ModelConfig(), seed=1)
    spread = [np.asarray(one.trainable_variables[0]).std() for one in (he, glorot)]
    assert spread[0] > 1.05 * spread[1]


@pytest.fixture(scope="module")
def trained(tones: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TrainingData]:
    alphabet, config = default_alphabet(), tones.config()
    learnt = Dataset.from_clips(tones.clips(16, 1), alphabet, config.features, speeds=(1.0,))
    data = TrainingData(learnt, Dataset.from_clips(tones.clips(2, 2), alphabet, config.features), alphabet)
    run_dir = tmp_path_factory.mktemp("trained")
    train(config, data, run_dir)
    return run_dir, data


def test_another_alphabet_starts_from_a_trained_network(
    trained: tuple[Path, TrainingData], tones: Any, tmp_path: Path
) -> None:
    run_dir, data = trained
    start = best_checkpoint(run_dir / "checkpoints")
    assert start is not None
    labels = (*data.alphabet.labels[::-1], "é")
    config = tones.config(
        transfer=TransferConfig("x", drop_layers=("dense5",), freeze_layers=("dense1", "lstm4"))
    )
    network = Network.create(config, whitening_of(data.train.values), labels)  # type: ignore[union-attr]
    assert start_from(network, start, config.transfer) == ["dense5"]
    before = {one.path: np.asarray(one) for one in network.model.trainable_variables}
    np.testing.assert_array_equal(before["dense1/kernel"], start.arrays["model/dense1/kernel"])
    kernel = start.arrays["model/output/kernel"]
    np.testing.assert_array_equal(before["output/kernel"][:, :28], kernel[:, :28][:, ::-1])
    np.testing.assert_array_equal(before["output/kernel"][:, -1], kernel[:, -1])

    other = dataclasses.replace(data, alphabet=Alphabet(list(labels)), start=start)
    train(config, other, tmp_path / "run")
    after = load_network(tmp_path / "run")
    values = {one.path: np.asarray(one) for one in after.model.trainable_variables}
    np.testing.assert_array_equal(values["dense1/kernel"], before["dense1/kernel"])
    assert not np.array_equal(values["dense2/kernel"], before["dense2/kernel"])
    assert not np.array_equal(values["output/kernel"], before["output/kernel"])
    deaf = dataclasses.replace(config, features=dataclasses.replace(config.features, context=5))
    with pytest.raises(ConfigError, match=r"hears with context 9 \(here 5\); take"):
        train(deaf, other, tmp_path / "deaf")


@pytest.mark.parametrize(
    "text",
    [
        "[transfer]\nfreeze_layers = ['dense1']\n",
        "[transfer]\ninit_from = 'x'\nfreeze_layers = ['dense1', 'dense2', 'dense3', 'lstm4', 'dense5', 'output']\n",
        "[transfer]\ninit_from = 'x'\ndrop_layers = ['dense9']\n",
        "[model]\ndropouts = [0.1, 0.2]\n",
        "[model]\ndirection = 'backward'\n",
    ],
)
def test_impossible_networks_are_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_config(text)


def test_a_checkpoint_takes_no_copy_of_the_network_and_leaves_nothing_half_written(
    trained: tuple[Path, TrainingData], tmp_path: Path
) -> None:
    run_dir, _ = trained
    newest = newest_checkpoint(run_dir / "checkpoints")
    assert newest is not None
    of_the_dead = temporary_beside(tmp_path / "step-00000001.npz").name.replace(
        f"-{os.getpid()}.", "-999999999."
    )
    leftover = tmp_path / of_the_dead
    leftover.write_bytes(b"half")
    first = save_checkpoint(tmp_path, newest, keep=1)
    assert not leftover.exists() and [path.name for path in tmp_path.iterdir()] == [first.name]
    again = load_checkpoint(first)
    for name in newest.arrays:
        np.testing.assert_array_equal(again.arrays[name], newest.arrays[name])
    assert first.read_bytes() == (run_dir / "checkpoints" / first.name).read_bytes()
    numbered, best = run_dir / "checkpoints" / first.name, run_dir / "checkpoints" / "best.npz"
    assert best.stat().st_size > 0 and numbered.stat().st_size > 0


def test_half_precision_gives_nearly_the_same_and_keeps_weights_single() -> None:
    shape = NetworkShape(labels=7, n_hidden=16)
    models = [
        build_model(shape, ModelConfig(n_hidden=16), 1, precision=one) for one in ("float32", "bfloat16")
    ]
    sound = np.random.default_rng(1).standard_normal((2, 9, 26)).astype(np.float32)
    single, half = (np.asarray(one([sound, np.array([9, 5], np.int32)])) for one in models)
    assert half.dtype == np.float32 and 0 < np.abs(single - half)[0].max() < 0.05
    assert {one.dtype for one in models[1].trainable_variables} == {"float32"}
