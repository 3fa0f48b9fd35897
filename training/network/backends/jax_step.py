"""One optimiser step on Keras' JAX backend: CTC loss per utterance, gradients, Adam; the face of `StepFunction`.

`KERAS_BACKEND=jax` must be set before Keras is imported. Rows and frames are padded to multiples, so that few
shapes are compiled. Compiles and computes; loads no data and writes nothing. Knows no TensorFlow.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from training.network.config import OptimiserConfig

_FRAMES = 64  # frames and labels are padded to multiples: each new shape is compiled anew
_LABELS = 16


class JaxStep:
    """Loss and gradients, and Adam, of a model built by `model.build_model` on JAX.

    `rate` gives the learning rate of a step.
    """

    def __init__(self, model: Any, options: OptimiserConfig, rate: Any) -> None:
        import jax
        import keras

        self._model, self._options, self._rate = model, options, rate
        self._optimiser = keras.optimizers.Adam(
            options.learning_rate, options.beta1, options.beta2, options.epsilon, name="adam"
        )
        self._optimiser.build(model.trainable_variables)

        def loss(trainable: Any, others: Any, batch: Any) -> Any:
            features, lengths, labels, label_lengths = batch
            logits, others = model.stateless_call(trainable, others, [features, lengths], training=True)
            losses = ctc_losses(logits, lengths, labels, label_lengths)
            real = (label_lengths > 0).astype(losses.dtype)
            return (losses * real).sum() / real.sum(), (losses, others)

        self._gradients = jax.jit(jax.value_and_grad(loss, has_aux=True))
        self._apply = jax.jit(self._optimiser.stateless_apply)

    @property
    def variables(self) -> list[Any]:
        """The optimiser's state."""
        variables: list[Any] = self._optimiser.variables
        return variables

    def gradients(
        self, features: npt.NDArray[np.float32], lengths: npt.NDArray[np.int32], labels: npt.NDArray[np.int32]
    ) -> tuple[npt.NDArray[np.float32], float, list[Any]]:
        """Loss per utterance, global norm of their mean's gradient, that gradient; arrays as in `Batch`."""
        import jax.numpy as jnp

        model = self._model
        batch = padded(features, lengths, labels)
        trainable = [one.value for one in model.trainable_variables]
        others = [one.value for one in model.non_trainable_variables]
        (_, (losses, others)), found = self._gradients(trainable, others, batch)
        for variable, value in zip(model.non_trainable_variables, others, strict=True):
            variable.assign(value)
        norm = float(jnp.sqrt(sum((one**2).sum() for one in found)))
        return np.asarray(losses)[: len(lengths)], norm, found

    def apply(self, found: list[Any], step: int) -> None:
        """Move the weights."""
        import jax.numpy as jnp

        if self._options.clip_norm:
            norm = jnp.sqrt(sum((one**2).sum() for one in found))
            scale = jnp.minimum(1.0, self._options.clip_norm / jnp.maximum(norm, 1e-30))
            found = [one * scale for one in found]
        self._optimiser.learning_rate = self._rate(step)
        trainable = [one.value for one in self._model.trainable_variables]
        state = [one.value for one in self._optimiser.variables]
        trainable, state = self._apply(state, found, trainable)
        for variables, values in (
            (self._model.trainable_variables, trainable),
            (self._optimiser.variables, state),
        ):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)


def ctc_losses(logits: Any, lengths: Any, labels: Any, label_lengths: Any) -> Any:
    """CTC losses [batch] of logits [batch, frames, outputs], the blank last."""
    from keras import ops

    return ops.ctc_loss(labels, logits, label_lengths, lengths, mask_index=logits.shape[-1] - 1)


def padded(
    features: npt.NDArray[np.float32], lengths: npt.NDArray[np.int32], labels: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[Any], ...]:
    """The batch at a size that is seen again: features, lengths, labels (0 in the padding), label lengths."""
    size, frames, width = features.shape
    frames = -(-frames // _FRAMES) * _FRAMES
    longest = -(-max(1, labels.shape[1]) // _LABELS) * _LABELS
    wide = np.zeros((size, frames, width), np.float32)
    wide[:, : features.shape[1]] = features
    spelled = np.zeros((size, longest), np.int32)
    spelled[:, : labels.shape[1]] = np.maximum(labels, 0)
    return wide, lengths.astype(np.int32), spelled, (labels >= 0).sum(axis=1).astype(np.int32)
