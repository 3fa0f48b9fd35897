"""TensorFlow: one optimiser step (CTC loss, gradients, Adam), and the network in use.

The loss is TensorFlow's sparse CTC kernel (C++), which needs no dense alignment table and is some ten times
faster on a CPU than the dense forms. Rows that CTC cannot align never come here: `dataset.py` leaves them
out.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from training.errors import TrainingError
from training.network.backends.optimiser import adam, learning_rate
from training.network.blame import Learnt, learn
from training.network.config import OptimiserConfig
from training.network.dataset import Batch, usable_cores

Losses = npt.NDArray[np.float32]


def start_tensorflow(threads: int = 0) -> Any:
    """Import TensorFlow, quiet, on no more CPU threads than asked for (0 = the cores this process may use).

    The thread counts take effect on the first call in a process only.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    import tensorflow as tf

    count = threads or usable_cores()
    try:
        tf.config.threading.set_intra_op_parallelism_threads(count)
        tf.config.threading.set_inter_op_parallelism_threads(min(2, count))
    except RuntimeError:
        pass  # already started in this process; its counts stay
    return tf


def forward_of(network: Any) -> Callable[[Any, Any], Any]:
    """Features and lengths to natural-log label probabilities, in one traced function."""
    tf = start_tensorflow(network.config.loop.threads)
    coefficients = network.config.features.coefficients
    signature = [tf.TensorSpec((None, None, coefficients), tf.float32), tf.TensorSpec((None,), tf.int32)]

    def forward(features: Any, lengths: Any) -> Any:
        return tf.nn.log_softmax(network.model([features, lengths], training=False))

    traced = tf.function(forward, input_signature=signature)
    return lambda features, lengths: traced(features, lengths).numpy()


class StepFunction:
    """Loss and gradients, and Adam, as two traced functions: a bad batch can be set aside in between."""

    def __init__(self, network: Any, options: OptimiserConfig, steps: int) -> None:
        tf = start_tensorflow(network.config.loop.threads)
        self._options, self._steps, self._network, model = options, steps, network, network.model
        self._optimiser = adam(options, model.trainable_variables)
        coefficients, loop = network.config.features.coefficients, network.config.loop

        def signature(utterances: int | None) -> list[Any]:
            return [
                tf.TensorSpec((utterances, None, coefficients), tf.float32),
                tf.TensorSpec((utterances,), tf.int32),
                tf.TensorSpec((utterances, None), tf.int32),
            ]

        self.batch_signature = signature(None)

        def gradients(features: Any, lengths: Any, labels: Any) -> Any:
            with tf.GradientTape() as tape:
                losses = ctc_losses(model([features, lengths], training=True), lengths, labels)
                loss = tf.reduce_mean(losses)
            found = tape.gradient(loss, model.trainable_variables)
            return losses, tf.linalg.global_norm(found), found

        def apply(found: list[Any]) -> None:
            if options.clip_norm:
                found, _ = tf.clip_by_global_norm(found, options.clip_norm)
            self._optimiser.apply(found)

        self._gradients = tf.function(gradients, input_signature=self.batch_signature)
        # Traced for just so many utterances the same values take a seventh less time: most of the LSTM's many small
        # operations need not look at their shapes then. Where `batch_frames` cuts, no size is the usual one.
        self._usual_size = 0 if loop.batch_frames else loop.batch_size
        self._usual_gradients = tf.function(gradients, input_signature=signature(self._usual_size))
        self._apply = tf.function(apply)

    @property
    def variables(self) -> list[Any]:
        """The optimiser's state."""
        variables: list[Any] = self._optimiser.variables
        return variables

    def gradients(self, batch: Batch) -> tuple[Losses, float, list[Any]]:
        """Loss per utterance float32 [batch], global norm of their mean's gradient, that gradient."""
        usual = len(batch.lengths) == self._usual_size
        function = self._usual_gradients if usual else self._gradients
        losses, norm, found = function(batch.features, batch.lengths, batch.labels)
        return losses.numpy(), float(norm), found

    def learn(self, batch: Batch | None) -> Learnt:
        """Gradients of a batch without the rows that spoil them; see `blame.learn`."""
        if batch is None or not len(batch.lengths):
            return Learnt(math.nan, None, np.zeros(0, np.int64))
        return learn(self, batch)

    def try_size(self, utterances: int, frames: int) -> None:
        """Compute, and throw away, a batch of that size: what does not fit in memory shows before step 1.

        Raises:
            TrainingError: it does not fit.
        """
        import tensorflow as tf

        coefficients = self._network.config.features.coefficients
        labels = np.resize(np.array([0, 1], np.int32), (utterances, max(1, frames // 4)))
        states = [(one, one.numpy()) for one in self._network.model.non_trainable_variables]
        try:
            zeros = np.zeros((utterances, frames, coefficients), np.float32)
            full = np.full(utterances, frames, np.int32)
            self.gradients(Batch(zeros, full, labels, np.arange(utterances)))
        except tf.errors.ResourceExhaustedError as error:
            raise TrainingError(
                f"the longest batch ({utterances} utterances of {frames} frames) does not fit in memory: lower "
                "loop.batch_size or data.max_duration_s, or set loop.batch_frames"
            ) from error
        for variable, value in states:
            variable.assign(value)

    def apply(self, found: list[Any], step: int) -> None:
        """Move the weights."""
        self._optimiser.learning_rate = learning_rate(self._options, step, self._steps)
        self._apply(found)


def ctc_losses(logits: Any, lengths: Any, labels: Any) -> Any:
    """CTC losses [batch] of logits [batch, frames, outputs], the blank last; labels are padded with -1."""
    import tensorflow as tf

    places = tf.where(labels >= 0)
    shape = tf.shape(labels, out_type=tf.int64)
    sparse = tf.SparseTensor(places, tf.gather_nd(labels, places), shape)
    return tf.nn.ctc_loss(
        labels=sparse,
        logits=logits,
        label_length=None,
        logit_length=lengths,
        logits_time_major=False,
        blank_index=-1,
    )
