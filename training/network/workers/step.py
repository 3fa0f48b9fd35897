"""One step of several workers: each computes the gradients of its part, all apply their sum.

The loss is the mean over the whole batch, whoever computes its utterances, so a run of several workers equals
one of a single process with the same batches (but for dropout, which each draws by itself). Whether a step
can be learnt is decided from the sum, so all decide alike; a worker whose rows spoil it finds them by itself,
leaves them out, and all compute again. A worker with fewer rows than the others fills up with silent ones that
count nothing: so all call one function traced for just so many, which is quicker than one for any number.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from training.decoding.acoustic import Network
from training.errors import TrainingError
from training.network.backends.optimiser import learning_rate
from training.network.backends.tensorflow_step import StepFunction, ctc_losses
from training.network.blame import Learnt, rows_of, spoiling
from training.network.config import OptimiserConfig
from training.network.dataset import Batch
from training.network.workers.cluster import Cluster


class WorkersStep(StepFunction):
    """A step of all workers of a cluster; must be made within its scope, by every worker."""

    def __init__(self, network: Network, options: OptimiserConfig, steps: int, cluster: Cluster) -> None:
        import tensorflow as tf

        super().__init__(network, options, steps)
        model, strategy = network.model, cluster.strategy

        def replica(features: Any, lengths: Any, labels: Any, counts: Any) -> Any:
            context = tf.distribute.get_replica_context()
            with tf.GradientTape() as tape:
                losses = ctc_losses(model([features, lengths], training=True), lengths, labels)
                loss = tf.reduce_sum(losses * counts)
            found = tape.gradient(loss, model.trainable_variables)
            own_norm = tf.linalg.global_norm(found)
            total = context.all_reduce(tf.distribute.ReduceOp.SUM, tf.reduce_sum(counts))
            summed = context.all_reduce(tf.distribute.ReduceOp.SUM, found)
            whole = context.all_reduce(tf.distribute.ReduceOp.SUM, loss)
            mean = [one / tf.maximum(total, 1.0) for one in summed]
            return losses, own_norm, tf.linalg.global_norm(mean), whole / tf.maximum(total, 1.0), total, mean

        def alone(features: Any, lengths: Any, labels: Any) -> Any:
            with tf.GradientTape() as tape:
                losses = ctc_losses(model([features, lengths], training=True), lengths, labels)
                loss = tf.reduce_mean(losses)
            return losses, tf.linalg.global_norm(tape.gradient(loss, model.trainable_variables))

        def apply(found: Any) -> None:
            if options.clip_norm:
                found, _ = tf.clip_by_global_norm(found, options.clip_norm)
            # the sum over workers is there already: each hands in its share of it
            self._optimiser.apply([one / cluster.world for one in found])

        loop, coefficients = network.config.loop, network.config.features.coefficients
        # Where `batch_frames` cuts, nobody knows how many rows the others have: the function takes any number.
        self._rows = 0 if loop.batch_frames else -(-loop.batch_size // cluster.world)
        rows = self._rows or None
        signature = [
            tf.TensorSpec((rows, None, coefficients), tf.float32),
            tf.TensorSpec((rows,), tf.int32),
            tf.TensorSpec((rows, None), tf.int32),
            tf.TensorSpec((rows,), tf.float32),
        ]
        self._replica = tf.function(
            lambda *values: strategy.run(replica, args=values), input_signature=signature
        )
        self._alone = tf.function(
            lambda *values: strategy.run(alone, args=values), input_signature=self.batch_signature
        )
        self._apply_all = tf.function(lambda found: strategy.run(apply, args=(found,)))
        self._cluster = cluster

    def learn(self, batch: Batch | None) -> Learnt:
        """See `blame.learn`; `bad` are places in this worker's batch, the loss is that of all workers."""
        empty = self._nothing() if batch is None or not len(batch.lengths) else None
        own = batch if empty is None and batch is not None else self._nothing()
        rows = np.arange(len(own.lengths) if empty is None else 0)
        good, computed = rows, -1.0
        while True:
            left = _filled_up(rows_of(own, good) if len(good) else self._nothing(), self._rows)
            counts = (np.arange(len(left.lengths)) < len(good)).astype(np.float32)
            answer = self._together(self._replica, left.features, left.lengths, left.labels, counts)
            losses, own_norm, norm, loss, total, found = answer
            bad = np.setdiff1d(rows, good)
            if float(total) == 0:
                return Learnt(math.nan, None, bad)
            if math.isfinite(float(norm)):
                return Learnt(float(loss), found, bad)
            if float(total) == computed:  # nobody left anything out: it is the sum of all that is too large
                return Learnt(math.nan, None, rows)
            computed = float(total)
            finite = np.isfinite(losses.numpy())[: len(good)]
            if len(good) and finite.all() and not math.isfinite(float(own_norm)):
                finite[spoiling(self, rows_of(own, good))] = False
            good = good[finite]

    def gradients(self, batch: Batch) -> tuple[Any, float, list[Any]]:
        """Loss per utterance and the gradient's norm of rows of this worker, which it computes alone; no gradients."""
        losses, norm = self._alone(batch.features, batch.lengths, batch.labels)
        return losses.numpy(), float(norm), []

    def apply(self, found: Any, step: int) -> None:
        """Move the weights of all."""
        self._optimiser.learning_rate = learning_rate(self._options, step, self._steps)
        self._together(self._apply_all, found)

    def try_size(self, utterances: int, frames: int) -> None:
        """As one process does, each worker its part of such a batch."""
        super().try_size(-(-utterances // self._cluster.world), frames)

    def _together(self, function: Any, *values: Any) -> Any:
        """Call what all workers call.

        Raises:
            TrainingError: one of them has gone or does not answer.
        """
        import tensorflow as tf

        try:
            return function(*values)
        except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.DeadlineExceededError,
                tf.errors.InternalError, tf.errors.CancelledError) as error:  # fmt: skip
            raise TrainingError(
                f"a worker of this run has gone or does not answer ({str(error).splitlines()[0][:200]}); start all "
                "workers again, also fewer: the run goes on from its last checkpoint"
            ) from error

    def _nothing(self) -> Batch:
        """A batch of one silent utterance, which counts nothing."""
        coefficients = self._network.config.features.coefficients
        return Batch(
            np.zeros((1, 4, coefficients), np.float32), np.full(1, 4, np.int32), np.zeros((1, 1), np.int32),
            np.zeros(1, np.int64),
        )  # fmt: skip


def _filled_up(batch: Batch, rows: int) -> Batch:
    """The batch with silent utterances of one label behind its own, until there are so many."""
    missing = rows - len(batch.lengths)
    if missing <= 0:
        return batch
    labels = np.pad(batch.labels, ((0, missing), (0, 0)), constant_values=-1)
    labels[-missing:, 0] = 0
    return Batch(
        np.pad(batch.features, ((0, missing), (0, 0), (0, 0))),
        np.pad(batch.lengths, (0, missing), constant_values=min(4, batch.features.shape[1])),
        labels,
        np.pad(batch.utterances, (0, missing), constant_values=-1),
    )
