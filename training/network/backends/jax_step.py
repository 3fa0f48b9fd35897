"""JAX: one optimiser step (CTC loss, gradients, Adam), and the network in use. Knows no TensorFlow.

Rows, frames and labels are padded to multiples, so that few shapes are compiled. The network's weights stay where Keras
keeps them; a step takes them, computes in one compiled function, and puts them back.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from training.errors import TrainingError
from training.network.backends.optimiser import adam, learning_rate
from training.network.blame import Learnt, learn
from training.network.config import OptimiserConfig
from training.network.dataset import Batch

_FRAMES = 64  # frames and labels are padded to multiples: each new shape is compiled anew
_LABELS = 16
_ROWS = 8


class JaxStep:
    """Loss and gradients, and Adam, as two compiled functions: a bad batch can be set aside in between."""

    def __init__(self, network: Any, options: OptimiserConfig, steps: int) -> None:
        import jax

        model = network.model
        self._network, self._model, self._options, self._steps = network, model, options, steps
        self._optimiser = adam(options, model.trainable_variables)

        def loss(trainable: Any, others: Any, batch: Any) -> Any:
            features, lengths, labels, label_lengths = batch
            logits, others = model.stateless_call(trainable, others, [features, lengths], training=True)
            losses = ctc_losses(logits, lengths, labels, label_lengths)
            real = label_lengths > 0
            total = jax.numpy.where(real, losses, 0.0).sum()
            return total / jax.numpy.maximum(real.sum(), 1), (losses, others)

        def gradients(trainable: Any, others: Any, batch: Any) -> Any:
            (_, (losses, others)), found = jax.value_and_grad(loss, has_aux=True)(trainable, others, batch)
            return losses, others, _norm(found), found

        def apply(state: Any, found: Any, trainable: Any) -> Any:
            if options.clip_norm:
                scale = jax.numpy.minimum(1.0, options.clip_norm / jax.numpy.maximum(_norm(found), 1e-30))
                found = [one * scale for one in found]
            return self._optimiser.stateless_apply(state, found, trainable)

        self._gradients, self._apply = jax.jit(gradients), jax.jit(apply)

    @property
    def variables(self) -> list[Any]:
        """The optimiser's state."""
        variables: list[Any] = self._optimiser.variables
        return variables

    def gradients(self, batch: Batch) -> tuple[npt.NDArray[np.float32], float, list[Any]]:
        """Loss per utterance float32 [batch], global norm of their mean's gradient, that gradient."""
        others = self._model.non_trainable_variables
        given = padded(batch.features, batch.lengths, batch.labels)
        losses, after, norm, found = self._gradients(
            _values(self._model.trainable_variables), _values(others), given
        )
        _assign(others, after)
        return np.asarray(losses)[: len(batch.lengths)], float(norm), found

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
        import jax

        coefficients = self._network.config.features.coefficients
        labels = np.resize(np.array([0, 1], np.int32), (utterances, max(1, frames // 4)))
        zeros = np.zeros((utterances, frames, coefficients), np.float32)
        full = np.full(utterances, frames, np.int32)
        before = _values(self._model.non_trainable_variables)
        try:
            self.gradients(Batch(zeros, full, labels, np.arange(utterances)))
        except jax.errors.JaxRuntimeError as error:
            raise TrainingError(
                f"the longest batch ({utterances} utterances of {frames} frames) does not fit in memory: lower "
                "loop.batch_size or data.max_duration_s, or set loop.batch_frames"
            ) from error
        _assign(self._model.non_trainable_variables, before)

    def apply(self, found: list[Any], step: int) -> None:
        """Move the weights."""
        self._optimiser.learning_rate = learning_rate(self._options, step, self._steps)
        weights, state = self._model.trainable_variables, self._optimiser.variables
        moved, kept = self._apply(_values(state), found, _values(weights))
        _assign(weights, moved)
        _assign(state, kept)


def forward_of(network: Any) -> Callable[[Any, Any], Any]:
    """Features and lengths to natural-log label probabilities, compiled per padded shape."""
    import jax

    model = network.model

    def forward(trainable: Any, others: Any, features: Any, lengths: Any) -> Any:
        logits, _ = model.stateless_call(trainable, others, [features, lengths], training=False)
        return jax.nn.log_softmax(logits.astype("float32"))

    compiled = jax.jit(forward)

    def run(features: npt.NDArray[np.float32], lengths: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        size, frames, _ = features.shape
        nothing = np.zeros((size, 1), np.int32)
        wide, long, _, _ = padded(features, lengths, nothing)
        weights, others = _values(model.trainable_variables), _values(model.non_trainable_variables)
        made = np.asarray(compiled(weights, others, wide, long))
        result: npt.NDArray[np.float32] = np.ascontiguousarray(made[:size, :frames])
        return result

    return run


def _values(variables: list[Any]) -> list[Any]:
    return [one.value for one in variables]


def _assign(variables: list[Any], values: list[Any]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _norm(found: list[Any]) -> Any:
    import jax.numpy as jnp

    return jnp.sqrt(sum((one.astype("float32") ** 2).sum() for one in found))


def ctc_losses(logits: Any, lengths: Any, labels: Any, label_lengths: Any) -> Any:
    """CTC losses [batch] of logits [batch, frames, outputs], the blank last."""
    from keras import ops

    return ops.ctc_loss(labels, logits, label_lengths, lengths, mask_index=logits.shape[-1] - 1)


def padded(
    features: npt.NDArray[np.float32], lengths: npt.NDArray[np.int32], labels: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[Any], ...]:
    """The batch at a size that is seen again: features, lengths, labels (0 in the padding), label lengths.

    Rows that are added have one frame and no label, and count nothing.
    """
    size, frames, width = features.shape
    rows, frames = -(-size // _ROWS) * _ROWS, -(-frames // _FRAMES) * _FRAMES
    longest = -(-max(1, labels.shape[1]) // _LABELS) * _LABELS
    wide = np.zeros((rows, frames, width), np.float32)
    wide[:size, : features.shape[1]] = features
    long = np.ones(rows, np.int32)
    long[:size] = lengths
    spelled = np.zeros((rows, longest), np.int32)
    spelled[:size, : labels.shape[1]] = np.maximum(labels, 0)
    counts = np.zeros(rows, np.int32)
    counts[:size] = (labels >= 0).sum(axis=1)
    return wide, long, spelled, counts
