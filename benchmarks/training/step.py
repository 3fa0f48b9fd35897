"""A step of ours beside one of a Keras model of the same layers, loss and optimiser, in turns, in CPU seconds.

    python -m benchmarks.training.step CELLS

The plain model is what the Keras guide gives for these layers: dense layers with clipped rectifiers and dropout, a
Bidirectional LSTM with a mask, one traced train step of GradientTape and Adam. Its inputs are joined with their context
beforehand, ours joins them inside; ours also answers the gradient's norm and the loss of each utterance.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from training.network.config import LoopConfig, ModelConfig, OptimiserConfig, TrainingConfig
from training.network.dataset import Batch
from training.network.features import Whitening

_UTTERANCES, _FRAMES, _LABELS = 16, 250, 60  # five seconds each
_TURNS = 9


def plain_step(cells: int, labels: int) -> Callable[[Batch, Any], None]:
    """Model and traced step; takes a batch and its joined features."""
    import keras
    import tensorflow as tf

    from training.network.backends.tensorflow_step import ctc_losses

    config = TrainingConfig().features
    joined = keras.Input((None, (2 * config.context + 1) * config.coefficients))
    lengths = keras.Input((), dtype="int32")
    mask = keras.layers.Lambda(
        lambda pair: tf.sequence_mask(pair[1], tf.shape(pair[0])[1]), output_shape=lambda shape: shape[0][:2]
    )([joined, lengths])
    x = joined
    for width in (cells, cells, 2 * cells):
        x = keras.layers.Dropout(0.05)(keras.layers.ReLU(20.0)(keras.layers.Dense(width)(x)))
    x = keras.layers.Bidirectional(keras.layers.LSTM(cells, return_sequences=True))(x, mask=mask)
    x = keras.layers.Dropout(0.05)(keras.layers.ReLU(20.0)(keras.layers.Dense(cells)(x)))
    model = keras.Model([joined, lengths], keras.layers.Dense(labels + 1)(x))
    optimiser = keras.optimizers.Adam(1e-4)
    optimiser.build(model.trainable_variables)

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def step(features: Any, lengths: Any, labels: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(ctc_losses(model([features, lengths], training=True), lengths, labels))
        optimiser.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    def learn(batch: Batch, wide: Any) -> None:
        float(step(wide, batch.lengths, batch.labels))

    return learn


def main() -> int:
    """Turns of both, medians, their ratio."""
    from training.decoding.acoustic import Network
    from training.network.backends.tensorflow_step import StepFunction, start_tensorflow

    cells = int(sys.argv[1])
    start_tensorflow()
    config = TrainingConfig(model=ModelConfig(n_hidden=cells), loop=LoopConfig(batch_size=_UTTERANCES))
    alphabet = tuple("abcdefghijklmnopqrstuvwxyz' ")
    width = config.features.coefficients
    network = Network.create(
        config, Whitening(np.zeros(width, np.float32), np.ones(width, np.float32)), alphabet
    )
    ours = StepFunction(network, OptimiserConfig(learning_rate=1e-4), 1000)
    theirs = plain_step(cells, len(alphabet))
    draws = np.random.default_rng(1)
    features = draws.standard_normal((_UTTERANCES, _FRAMES, width)).astype(np.float32)
    labels = draws.integers(0, len(alphabet), (_UTTERANCES, _LABELS)).astype(np.int32)
    lengths = draws.integers(_FRAMES * 4 // 5, _FRAMES + 1, _UTTERANCES).astype(np.int32)
    batch = Batch(features, lengths, labels, np.arange(_UTTERANCES))
    wide = np.repeat(features, 2 * config.features.context + 1, axis=2)

    def own(batch: Batch, _: Any) -> None:
        ours.apply(ours.learn(batch).gradients, 0)

    spent: dict[str, list[tuple[float, float]]] = {"ours": [], "keras": []}
    for turn in range(_TURNS + 2):  # the first two trace and warm up
        for name, function in (("ours", own), ("keras", theirs)):
            cpu, wall = time.process_time(), time.monotonic()
            for _ in range(3):
                function(batch, wide)
            if turn > 1:
                spent[name].append(((time.process_time() - cpu) / 3, (time.monotonic() - wall) / 3))
    cpu_s = {name: median(one for one, _ in values) for name, values in spent.items()}
    ratios = [a[0] / b[0] for a, b in zip(spent["ours"], spent["keras"], strict=True)]
    answer = {
        "cells": cells, "ours_cpu_ms": round(1000 * cpu_s["ours"], 1), "keras_cpu_ms": round(1000 * cpu_s["keras"], 1),
        "ratio": round(median(ratios), 3), "ratio_least": round(min(ratios), 3), "ratio_most": round(max(ratios), 3),
    }  # fmt: skip
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
