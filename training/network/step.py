"""One optimiser step: CTC loss, gradients, Adam with its learning rate.

The loss is TensorFlow's sparse CTC kernel (C++), which needs no dense alignment table and is some ten times
faster on a CPU than the dense forms. Rows that CTC cannot align never come here: `dataset.py` leaves them
out.
"""

from __future__ import annotations

import math
from typing import Any

from training.decoding.acoustic import Network, start_tensorflow
from training.network.config import OptimiserConfig
from training.network.dataset import Batch


class StepFunction:
    """Loss and gradients, and Adam, as two traced functions: a bad batch can be set aside in between."""

    def __init__(self, network: Network, options: OptimiserConfig, steps: int) -> None:
        import keras

        tf = start_tensorflow(network.config.loop.threads)
        self._options, self._steps, model = options, steps, network.model
        self._optimiser = keras.optimizers.Adam(
            options.learning_rate, options.beta1, options.beta2, options.epsilon, name="adam"
        )
        self._optimiser.build(model.trainable_variables)
        coefficients = network.config.features.coefficients
        batch_signature = [
            tf.TensorSpec((None, None, coefficients), tf.float32),
            tf.TensorSpec((None,), tf.int32),
            tf.TensorSpec((None, None), tf.int32),
        ]

        def gradients(features: Any, lengths: Any, labels: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = ctc_loss(model([features, lengths], training=True), lengths, labels)
            found = tape.gradient(loss, model.trainable_variables)
            return loss, tf.linalg.global_norm(found), found

        def apply(found: list[Any]) -> None:
            if options.clip_norm:
                found, _ = tf.clip_by_global_norm(found, options.clip_norm)
            self._optimiser.apply(found)

        self._gradients = tf.function(gradients, input_signature=batch_signature)
        self._apply = tf.function(apply)

    @property
    def variables(self) -> list[Any]:
        """The optimiser's state."""
        variables: list[Any] = self._optimiser.variables
        return variables

    def gradients(self, batch: Batch) -> tuple[float, float, list[Any]]:
        """Mean loss per utterance, global norm, gradients."""
        loss, norm, found = self._gradients(batch.features, batch.lengths, batch.labels)
        return float(loss), float(norm), found

    def apply(self, found: list[Any], step: int) -> None:
        """Move the weights."""
        self._optimiser.learning_rate = learning_rate(self._options, step, self._steps)
        self._apply(found)


def ctc_loss(logits: Any, lengths: Any, labels: Any) -> Any:
    """Mean CTC loss of logits [batch, frames, outputs] with the blank last; labels are padded with -1."""
    import tensorflow as tf

    places = tf.where(labels >= 0)
    shape = tf.shape(labels, out_type=tf.int64)
    sparse = tf.SparseTensor(places, tf.gather_nd(labels, places), shape)
    losses = tf.nn.ctc_loss(
        labels=sparse,
        logits=logits,
        label_length=None,
        logit_length=lengths,
        logits_time_major=False,
        blank_index=-1,
    )
    return tf.reduce_mean(losses)


def learning_rate(options: OptimiserConfig, step: int, steps: int) -> float:
    """The rate of a step from 0, of `steps` in all."""
    if step < options.warmup_steps:
        return options.learning_rate * (step + 1) / options.warmup_steps
    if options.decay == "none":
        return options.learning_rate
    done = (step - options.warmup_steps) / max(1, steps - 1 - options.warmup_steps)
    left = 1.0 - done if options.decay == "linear" else 0.5 * (1.0 + math.cos(math.pi * min(1.0, done)))
    return options.learning_rate * (options.final_rate + (1.0 - options.final_rate) * max(0.0, left))
