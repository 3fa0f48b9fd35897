"""The network and its loop: padding, CTC, sizes, learning, resuming, bad batches."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpora.text.normaliser import default_alphabet
from store.writing import read_json
from training.decoding.acoustic import LogProbabilities, Network, load_network
from training.errors import CheckpointError, DataError, DivergedError, TrainingError
from training.network import loop
from training.network.backends.optimiser import learning_rate
from training.network.backends.tensorflow_step import StepFunction, ctc_losses
from training.network.batches import Plan, PlanOptions
from training.network.checkpoint import load_checkpoint, newest_checkpoint
from training.network.config import (
    AugmentConfig,
    FeatureConfig,
    LoopConfig,
    ModelConfig,
    OptimiserConfig,
    TrainingConfig,
)
from training.network.dataset import Clip, Dataset
from training.network.features import whitening_of
from training.network.loop import TrainingData, train
from training.network.model import NetworkShape, build_model, parameter_count
from training.run_state import read_state

COUNTS = {
    64: 153_117, 128: 543_773, 256: 2_037_789, 375: 4_279_154, 494: 7_341_857, 512: 7_876_637,
    1024: 30_957_597, 1536: 69_242_909, 2048: 122_732_573,
}  # fmt: skip


@pytest.fixture(scope="module")
def data(tones: Any) -> TrainingData:
    alphabet = default_alphabet()
    config = tones.config()
    learnt = Dataset.from_clips(tones.clips(24, 1), alphabet, config.features, speeds=(1.0, 1.1))
    return TrainingData(learnt, Dataset.from_clips(tones.clips(4, 2), alphabet, config.features), alphabet)


@pytest.mark.parametrize(("width", "count"), COUNTS.items())
def test_the_number_of_weights_is_the_published_one(width: int, count: int) -> None:
    assert parameter_count(NetworkShape(labels=29, n_hidden=width)) == count
    if width <= 128:
        model = build_model(NetworkShape(labels=29, n_hidden=width), ModelConfig(), seed=1)
        assert sum(int(np.prod(one.shape)) for one in model.trainable_variables) == count


@pytest.mark.slow
def test_the_full_size_network_can_be_built() -> None:
    model = build_model(NetworkShape(labels=29), ModelConfig(n_hidden=2048), seed=1)
    assert sum(int(np.prod(one.shape)) for one in model.trainable_variables) == COUNTS[2048]


def test_a_padded_batch_gives_what_each_utterance_gives_alone(tones: Any, data: TrainingData) -> None:
    network = Network.create(tones.config(), whitening_of(data.train.values), tuple(data.alphabet.labels))
    for variable in network.model.trainable_variables:  # biases that would leak out of the padding
        variable.assign(variable.numpy() + 0.3 * np.random.default_rng(1).standard_normal(variable.shape))
    probabilities = LogProbabilities(network)
    rows = np.argsort(data.train.frames[:, 0])[[0, 8, 16, 23]] * data.train.variants
    together = data.train.batch(rows, network.whitening)
    assert len(set(together.lengths.tolist())) > 1
    found = probabilities.of_batch(together)
    np.testing.assert_allclose(np.exp(found).sum(axis=-1), 1, atol=1e-5)
    for place, row in enumerate(rows):
        alone = probabilities.of_batch(data.train.batch(np.array([row]), network.whitening))[0]
        np.testing.assert_allclose(found[place, : together.lengths[place]], alone, atol=2e-5)


def test_a_batch_of_the_usual_size_has_the_same_gradients_to_the_bit(tones: Any, data: TrainingData) -> None:
    rows = np.arange(8) * data.train.variants
    found = []
    for loop_config in (LoopConfig(batch_size=8, threads=1), LoopConfig(batch_size=9, threads=1)):
        config = tones.config(loop=loop_config)
        network = Network.create(config, whitening_of(data.train.values), tuple(data.alphabet.labels))
        step = StepFunction(network, OptimiserConfig(), 10)
        losses, norm, gradients = step.gradients(data.train.batch(rows, network.whitening))
        found.append([losses, norm, *(np.asarray(one) for one in gradients)])
    assert all(np.array_equal(one, other) for one, other in zip(*found, strict=True))


def slow_ctc(logits: np.ndarray, labels: list[int]) -> float:
    """Minus log probability of the labels, by the forward algorithm in float64; the blank is last."""
    log_probs = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    blank = logits.shape[1] - 1
    path = [blank]
    for label in labels:
        path += [label, blank]
    alpha = np.full(len(path), -np.inf)
    alpha[:2] = log_probs[0, path[:2]]
    for frame in log_probs[1:]:
        before = alpha.copy()
        for s, label in enumerate(path):
            sources = [before[s], before[s - 1] if s else -np.inf]
            if s > 1 and label not in (blank, path[s - 2]):
                sources.append(before[s - 2])
            alpha[s] = np.logaddexp.reduce(sources) + frame[label]
    return -float(np.logaddexp(alpha[-1], alpha[-2]))


def test_the_loss_equals_the_forward_algorithm_and_ignores_padding() -> None:
    generator = np.random.default_rng(1)
    logits = generator.standard_normal((3, 12, 6)).astype(np.float32)
    labels, lengths = [[0, 0, 1], [4, 2], [3, 3]], [12, 9, 5]
    padded = np.full((3, 3), -1, np.int32)
    for row, label in zip(padded, labels, strict=True):
        row[: len(label)] = label
    expected = [slow_ctc(logits[k, :n].astype(np.float64), labels[k]) for k, n in enumerate(lengths)]
    found = np.asarray(ctc_losses(logits, np.array(lengths, np.int32), padded))
    np.testing.assert_allclose(found, expected, atol=1e-4)


def losses_of(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The loss of every step trained from now on."""
    losses: list[float] = []
    learn = loop._Trainer._learn

    def noted(self: Any, planned: Any, batch: Any) -> float:
        losses.append(learn(self, planned, batch))
        return losses[-1]

    monkeypatch.setattr(loop._Trainer, "_learn", noted)
    return losses


def weights(run_dir: Path) -> dict[str, np.ndarray]:
    checkpoint = newest_checkpoint(run_dir / "checkpoints")
    assert checkpoint is not None
    return dict(checkpoint.arrays)


@pytest.mark.parametrize("average", [0.0, 0.8])
def test_a_run_killed_at_any_step_ends_with_the_weights_of_an_undisturbed_one(
    average: float, tmp_path: Path, tones: Any, data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tones.config(loop=LoopConfig(epochs=4, batch_size=8, threads=1, checkpoint_every_s=0.0))
    config = dataclasses.replace(config, optimiser=dataclasses.replace(config.optimiser, average=average))
    losses = losses_of(monkeypatch)
    result = train(config, data, tmp_path / "whole")
    assert result.steps == 12
    assert np.mean(losses[-3:]) < 0.85 * np.mean(losses[:3]), "it does not learn"
    state = read_state(tmp_path / "whole")
    assert state is not None
    assert (state["state"], state["step"], state["steps"]) == ("finished", 12, 12)

    apply = StepFunction.apply

    def dies(self: Any, found: Any, step: int) -> None:
        if step == 7:
            raise OSError("the power went")
        apply(self, found, step)

    monkeypatch.setattr(StepFunction, "apply", dies)
    with pytest.raises(OSError, match="power"):
        train(config, data, tmp_path / "killed")
    failed = read_state(tmp_path / "killed")
    assert failed is not None and failed["state"] == "failed" and "the power went" in failed["message"]
    monkeypatch.setattr(StepFunction, "apply", apply)
    newest = sorted((tmp_path / "killed" / "checkpoints").glob("step-*"))[-1]
    newest.write_bytes(newest.read_bytes()[:1000])  # a broken newest falls back to the one before
    train(config, data, tmp_path / "killed")
    for name, value in weights(tmp_path / "whole").items():
        np.testing.assert_array_equal(value, weights(tmp_path / "killed")[name], err_msg=name)

    other = dataclasses.replace(config, seed=2)
    with pytest.raises(CheckpointError, match="another configuration"):
        train(other, data, tmp_path / "killed")
    probabilities = LogProbabilities(load_network(tmp_path / "whole"))
    assert sum(len(indices) for indices, _, _ in probabilities.of_dataset(data.dev)) == len(data.dev)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_an_utterance_whose_loss_is_not_finite_is_set_aside_and_the_others_are_learnt(
    tmp_path: Path, tones: Any, data: TrainingData, monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    values = data.train.values.copy()
    values[data.train.starts[0] : data.train.starts[2]] = np.nan
    train_set = dataclasses.replace(data.train, values=values)
    broken = dataclasses.replace(data, train=train_set, whitening=whitening_of(data.train.values))
    config = tones.config(
        loop=LoopConfig(epochs=30, batch_size=8, threads=1, max_bad_batches=0, precision=precision)
    )
    losses = losses_of(monkeypatch)
    result = train(config, broken, tmp_path / "run")
    assert result.steps == 90 and np.isfinite(losses).all()
    name = data.train.utterance_ids[0]
    assert [one["utterance_id"] for one in read_json(tmp_path / "run" / "set_aside.json")] == [name]
    checkpoint = newest_checkpoint(tmp_path / "run" / "checkpoints")
    assert checkpoint is not None
    ((place, named, step),) = checkpoint.meta["set_aside"]
    assert (place, named) == (0, name) and 0 <= step < 3 and not checkpoint.meta["bad_batches"]
    assert all(np.isfinite(value).all() for value in checkpoint.arrays.values())


def test_a_network_for_telephones_learns_at_8_khz_from_recordings_of_either_rate(
    tmp_path: Path, tones: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    alphabet, losses = default_alphabet(), losses_of(monkeypatch)
    config = tones.config(
        features=FeatureConfig(sample_rate_hz=8000), loop=LoopConfig(epochs=4, batch_size=8, threads=1)
    )
    clips = [*tones.clips(12, 1, rate_hz=8000, prefix="n"), *tones.clips(12, 2, prefix="w")]
    learnt = Dataset.from_clips(clips, alphabet, config.features, speeds=(1.0,))
    dev = Dataset.from_clips(tones.clips(4, 3), alphabet, config.features)
    train(config, TrainingData(learnt, dev, alphabet), tmp_path / "run")
    assert np.mean(losses[-3:]) < 0.85 * np.mean(losses[:3]), "it does not learn"
    network = load_network(tmp_path / "run")
    assert network.config.features.sample_rate_hz == 8000
    wide, narrow = (
        Dataset.from_clips(tones.clips(1, 5, rate_hz=rate_hz), alphabet, config.features)
        for rate_hz in (16000, 8000)
    )
    heard = [
        LogProbabilities(network).of_batch(one.batch(np.array([0]), network.whitening))
        for one in (wide, narrow)
    ]
    assert heard[0].shape == heard[1].shape
    assert np.abs(np.exp(heard[0]) - np.exp(heard[1])).mean() < 0.02, "one sentence at both rates"


def test_a_run_in_which_nothing_is_finite_is_given_up(tmp_path: Path, tones: Any, data: TrainingData) -> None:
    train_set = dataclasses.replace(data.train, values=np.full_like(data.train.values, np.nan))
    broken = dataclasses.replace(data, train=train_set, whitening=whitening_of(data.train.values))
    few = LoopConfig(epochs=4, batch_size=8, threads=1, max_bad_batches=3)
    with pytest.raises(DivergedError, match="clip_norm"):
        train(tones.config(loop=few), broken, tmp_path / "run")
    with pytest.raises(DivergedError, match="none of 3 batches"):
        train(tones.config(loop=dataclasses.replace(few, epochs=1)), broken, tmp_path / "short")


def test_the_longest_batch_is_tried_before_the_first_step(
    tmp_path: Path, tones: Any, data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tensorflow as tf

    sizes: list[tuple[int, ...]] = []
    gradients = StepFunction.gradients

    def noted(self: Any, batch: Any) -> Any:
        sizes.append(batch.features.shape[:2])
        return gradients(self, batch)

    monkeypatch.setattr(StepFunction, "gradients", noted)
    config = tones.config(loop=LoopConfig(epochs=1, batch_size=8, threads=1))
    train(config, data, tmp_path / "run")
    assert sizes[0] == (8, int(data.train.frames.max())) and len(sizes) == 4
    assert all(frames <= sizes[0][1] for _, frames in sizes) and sizes[1][1] < sizes[0][1], "short to long"

    def too_large(self: Any, batch: Any) -> Any:
        raise tf.errors.ResourceExhaustedError(None, None, "OOM")

    monkeypatch.setattr(StepFunction, "gradients", too_large)
    with pytest.raises(
        TrainingError, match=rf"longest batch \(8 utterances of {sizes[0][1]} frames\) does not fit"
    ):
        train(config, data, tmp_path / "large")


def test_rows_that_ctc_cannot_learn_are_left_out_and_counted(tones: Any) -> None:
    samples = np.zeros(16000, np.int16)
    clips = [
        Clip("good", "a cab", 16000, samples),
        Clip("empty", "", 16000, samples),
        Clip("short", "a", 16000, samples[:100]),
        Clip("dense", "abc" * 17, 16000, samples),
        Clip("repeats", "a" * 26, 16000, samples),
    ]
    features = TrainingConfig().features
    learnt = Dataset.from_clips(clips, default_alphabet(), features, speeds=(1.0,))
    assert learnt.utterance_ids == ["good"]
    assert learnt.left_out == {"empty text": 1, "more labels than frames": 2, "shorter than one window": 1}
    assert len(Dataset.from_clips(clips, default_alphabet(), features)) == 5
    with pytest.raises(DataError, match="left out"):
        none = Dataset.from_clips(clips[1:], default_alphabet(), features, speeds=(1.0,))
        train(TrainingConfig(), TrainingData(none, none, default_alphabet()), Path("unused"))


def test_augmentation_is_seeded_and_keeps_the_padding_zero(data: TrainingData) -> None:
    from training.network.augment import augment

    whitening = whitening_of(data.train.values)
    batch = data.train.batch(np.array([0, 9, 12]), whitening)
    strong = AugmentConfig(time_masks=2, time_mask_frames=5, feature_noise=0.5, feature_offset=0.5)
    first, again, later = (augment(batch, strong, 1, step) for step in (3, 3, 4))
    np.testing.assert_array_equal(first.features, again.features)
    assert not np.array_equal(first.features, later.features)
    beyond = np.arange(batch.features.shape[1]) >= batch.lengths[:, None]
    assert not first.features[beyond].any()
    assert augment(batch, AugmentConfig(), 1, 3) is batch


def test_every_speed_is_drawn(data: TrainingData) -> None:
    plan = Plan(data.train.frames, 1, PlanOptions(batch_size=24))
    rows = np.concatenate([batch.rows for batch, _ in zip(plan.batches(), range(4), strict=False)])
    assert set((rows % 2).tolist()) == {0, 1}
    assert (data.train.frames[:, 1] < data.train.frames[:, 0]).all()


@pytest.mark.parametrize("decay", ["none", "linear", "cosine"])
def test_the_learning_rate_rises_then_falls(decay: str) -> None:
    options = OptimiserConfig(learning_rate=0.1, warmup_steps=4, decay=decay, final_rate=0.2)
    rates = [learning_rate(options, step, 20) for step in range(20)]
    assert rates[0] == pytest.approx(0.025)
    assert max(rates) == pytest.approx(0.1)
    assert rates[-1] == pytest.approx(0.1 if decay == "none" else 0.02)
    assert all(later <= earlier + 1e-12 for earlier, later in pairwise(rates[4:]))


def test_running_means_of_the_weights_are_measured_kept_as_best_and_used(
    tmp_path: Path, tones: Any, data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tones.config(
        loop=LoopConfig(epochs=2, batch_size=8, threads=1, checkpoint_every_s=0.0, keep_checkpoints=100)
    )
    config = dataclasses.replace(config, optimiser=dataclasses.replace(config.optimiser, average=0.75))
    measured: list[np.ndarray] = []
    texts_of = loop.greedy_texts

    def noted(probabilities: LogProbabilities, *others: Any) -> list[str]:
        measured.append(np.array(probabilities.network.model.trainable_variables[0]))
        return texts_of(probabilities, *others)

    monkeypatch.setattr(loop, "greedy_texts", noted)
    result = train(config, data, tmp_path / "run")
    files = sorted((tmp_path / "run" / "checkpoints").glob("step-*.npz"))
    assert len(files) == result.steps == 6
    raw = [load_checkpoint(path).arrays["model/dense1/kernel"] for path in files]
    means = [raw[0]]
    for one in raw[1:]:
        means.append(0.75 * means[-1] + 0.25 * one)
    np.testing.assert_allclose(measured[0], means[2], atol=1e-6)
    np.testing.assert_allclose(measured[1], means[5], atol=1e-6)
    assert np.abs(means[5] - raw[5]).max() > 1e-4, "the weights themselves went on"
    best = load_network(tmp_path / "run")
    (kernel,) = (one for one in best.model.trainable_variables if one.path == "dense1/kernel")
    np.testing.assert_array_equal(np.asarray(kernel), measured[0 if best.step == 3 else 1])
