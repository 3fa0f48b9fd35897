"""The network: three clipped dense layers, a bidirectional LSTM, a dense layer, the output with the blank.

    features [batch, frames, coefficients] --context--> [.., 494]
      dense1 n   dense2 n   dense3 2n     clipped ReLU(20), dropout after each
      forward + backward LSTM, n cells each; the backward one starts at each utterance's last frame, not in
      the padding
      dense5 n                            clipped ReLU(20), dropout
      logits [batch, frames, labels + blank]

Frames beyond an utterance's length are zeroed before the context is added, so a padded batch gives what
each utterance gives alone. Uses Keras' own operations only (no TensorFlow symbols). CTC and the optimiser
are in `loop.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from training.network.config import FeatureConfig, ModelConfig

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class NetworkShape:
    """What the layers' sizes depend on: `labels` counts the blank."""

    labels: int
    coefficients: int = 26
    context: int = 9
    n_hidden: int = 2048

    @classmethod
    def of(cls, features: FeatureConfig, model: ModelConfig, labels: int) -> NetworkShape:
        """The shape that a configuration asks for."""
        return cls(labels, features.coefficients, features.context, model.n_hidden)

    @property
    def inputs(self) -> int:
        """Values that the first layer sees per step (494 by default)."""
        return (2 * self.context + 1) * self.coefficients


def parameter_count(shape: NetworkShape) -> int:
    """Trainable weights, by formula: 122,732,573 at n_hidden 2048, 494 inputs and 29 outputs."""
    n = shape.n_hidden
    lstm_one_way = 4 * n * (2 * n + n + 1)
    dense = shape.inputs * n + n + n * n + n + n * 2 * n + 2 * n + 2 * n * n + n
    return dense + 2 * lstm_one_way + n * shape.labels + shape.labels


def build_model(shape: NetworkShape, config: ModelConfig, seed: int) -> keras.Model:
    """The untrained network.

    Inputs: features float32 [batch, frames, coefficients] and lengths int32 [batch] (all of them at least 1).
    Output: logits float32 [batch, frames, labels]; values beyond a length mean nothing.
    The same shape, configuration and seed give the same weights.
    """
    import keras

    features = keras.Input((None, shape.coefficients), name="features")
    lengths = keras.Input((), dtype="int32", name="lengths")
    mask = _frame_mask_layer()(features, lengths)
    x = _context_layer(shape.context)(features, mask)
    for number, width in ((1, shape.n_hidden), (2, shape.n_hidden), (3, 2 * shape.n_hidden)):
        x = _clipped_dense(x, number, width, (config, seed))
    x = _bidirectional(x, mask, (shape.n_hidden, config, seed))
    x = _clipped_dense(x, 5, shape.n_hidden, (config, seed))
    output = keras.layers.Dense(shape.labels, name="output", kernel_initializer=_glorot(seed, 6))(x)
    return keras.Model([features, lengths], output, name="speechmill")


def _clipped_dense(x: Any, number: int, width: int, options: tuple[ModelConfig, int]) -> Any:
    import keras

    config, seed = options
    x = keras.layers.Dense(width, name=f"dense{number}", kernel_initializer=_glorot(seed, number))(x)
    x = keras.layers.ReLU(max_value=config.relu_clip, name=f"relu{number}")(x)
    return keras.layers.Dropout(config.dropout, seed=seed * 100 + number, name=f"dropout{number}")(x)


def _glorot(seed: int, number: int) -> Any:
    import keras

    return keras.initializers.GlorotUniform(seed=seed * 1000 + number)


def _bidirectional(x: Any, mask: Any, options: tuple[int, ModelConfig, int]) -> Any:
    """Forward and backward outputs side by side; the mask keeps the padding out of both."""
    import keras

    cells, config, seed = options

    def direction(number: int, name: str) -> Any:
        return keras.layers.LSTM(
            cells,
            return_sequences=True,
            go_backwards=name == "lstm4_backward",
            kernel_initializer=_glorot(seed, number),
            recurrent_initializer=keras.initializers.Orthogonal(seed=seed * 1000 + number + 10),
            bias_initializer=_forget_bias(config.forget_bias),
            unit_forget_bias=False,
            seed=seed,
            name=name,
        )

    forward = direction(41, "lstm4_forward")(x, mask=mask)
    backward = keras.ops.flip(direction(42, "lstm4_backward")(x, mask=mask), axis=1)
    return keras.layers.Concatenate(name="lstm4")([forward, backward])


def _forget_bias(value: float) -> Any:
    """Initialiser of an LSTM bias [4 * cells] in the order input, forget, cell, output."""

    def initialise(shape: tuple[int, ...], dtype: Any = None) -> Any:
        from keras import ops

        cells = shape[0] // 4
        parts = [ops.zeros(cells), ops.full((cells,), value), ops.zeros(2 * cells)]
        return ops.cast(ops.concatenate(parts), dtype or "float32")

    return initialise


def _frame_mask_layer() -> Any:
    import keras
    from keras import ops

    class FrameMask(keras.layers.Layer):  # type: ignore[misc]
        """True for frames below each utterance's length, [batch, frames]."""

        def call(self, features: Any, lengths: Any) -> Any:
            steps = ops.arange(ops.shape(features)[1], dtype="int32")
            return steps[None, :] < lengths[:, None]

        def compute_output_spec(self, features: Any, lengths: Any) -> Any:
            return keras.KerasTensor(features.shape[:2], dtype="bool")

    return FrameMask(name="frame_mask")


def _context_layer(context: int) -> Any:
    import keras
    from keras import ops

    class Context(keras.layers.Layer):  # type: ignore[misc]
        """Each frame with its neighbours, oldest first; zeros beyond the ends."""

        def call(self, features: Any, valid: Any) -> Any:
            kept = ops.where(valid[:, :, None], features, 0.0)
            padded = ops.pad(kept, ((0, 0), (context, context), (0, 0)))
            frames = ops.shape(features)[1]
            return ops.concatenate([padded[:, k : k + frames] for k in range(2 * context + 1)], axis=-1)

        def compute_output_spec(self, features: Any, valid: Any) -> Any:
            return keras.KerasTensor((*features.shape[:2], (2 * context + 1) * features.shape[2]))

    return Context(name="context")
