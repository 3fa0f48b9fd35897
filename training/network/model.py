"""The network: three clipped dense layers, an LSTM, a dense layer, the output with the blank.

    features [batch, frames, coefficients] --context--> [.., 494]
      dense1 n   dense2 n   dense3 2n     clipped ReLU(20), dropout after each
      forward + backward LSTM, n cells each; the backward one starts at each utterance's last frame, not in
      the padding
      dense5 n                            clipped ReLU(20), dropout
      logits [batch, frames, labels + blank]

A unidirectional network has the forward LSTM alone and a third layer of n: it hears `lookahead` frames of
the future and no more, so it can be fed as sound arrives. Layer normalisation, where asked for, stands
between each dense layer and its ReLU. Frames beyond an utterance's length are zeroed before the context is
added, so a padded batch gives what each utterance gives alone. Uses Keras' own operations only (no
TensorFlow symbols). CTC and the optimiser are in `step.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from training.network.config import FeatureConfig, ModelConfig

if TYPE_CHECKING:
    import keras

_RELEASE_2017 = 0.046875  # deviation of weights and biases in the release of 2017
MANY_LABELS = (
    128  # beyond what one script's letters need; from here on the output starts at the labels' shares
)
_SHARED = 0.001  # of the labels' probability at the start, by all labels alike: what was never said is not impossible


@dataclass(frozen=True)
class NetworkShape:
    """What the layers' sizes depend on: `labels` counts the blank, `lookahead` frames of the future."""

    labels: int
    coefficients: int = 26
    context: int = 9
    n_hidden: int = 2048
    bidirectional: bool = True
    lookahead: int = 9
    layer_norm: bool = False

    @classmethod
    def of(cls, features: FeatureConfig, model: ModelConfig, labels: int) -> NetworkShape:
        """The shape that a configuration asks for."""
        ahead = features.context if model.lookahead < 0 else model.lookahead
        both = model.direction == "bidirectional"
        return cls(
            labels, features.coefficients, features.context, model.n_hidden, both, ahead, model.layer_norm
        )

    @property
    def inputs(self) -> int:
        """Values that the first layer sees per step (494 by default)."""
        return (self.context + 1 + self.lookahead) * self.coefficients

    @property
    def widest(self) -> int:
        """Width of the third layer, which is what the LSTM sees."""
        return 2 * self.n_hidden if self.bidirectional else self.n_hidden


def parameter_count(shape: NetworkShape) -> int:
    """Trainable weights, by formula, at 494 inputs and 29 outputs.

    122,732,573 at n_hidden 2048, unidirectional 47,224,861.
    """
    n, wide = shape.n_hidden, shape.widest
    directions = 2 if shape.bidirectional else 1
    lstm = directions * 4 * n * (wide + n + 1)
    dense = (shape.inputs + 1) * n + (n + 1) * n + (n + 1) * wide + (directions * n + 1) * n
    norms = 2 * (3 * n + wide) if shape.layer_norm else 0
    return dense + lstm + norms + (n + 1) * shape.labels


def build_model(
    shape: NetworkShape, config: ModelConfig, seed: int, blank: bool = False, precision: str = "float32"
) -> keras.Model:
    """The untrained network; with `blank` all weights are zero, for who will give them values at once.

    Inputs: features float32 [batch, frames, coefficients] and lengths int32 [batch] (all of them at least 1).
    Output: logits float32 [batch, frames, labels]; values beyond a length mean nothing.
    With bfloat16 all layers but the output multiply in half precision; weights stay float32.
    The same shape, configuration and seed give the same weights.
    """
    import keras

    maker = _Layers(config, seed, blank, "mixed_bfloat16" if precision == "bfloat16" else "float32")
    features = keras.Input((None, shape.coefficients), name="features")
    lengths = keras.Input((), dtype="int32", name="lengths")
    mask = _frame_mask_layer()(features, lengths)
    x = _context_layer(shape.context, shape.lookahead)(features, mask)
    for number, width in ((1, shape.n_hidden), (2, shape.n_hidden), (3, shape.widest)):
        x = maker.clipped_dense(x, number, width)
    x = maker.recurrent(x, mask, shape)
    x = maker.clipped_dense(x, 5, shape.n_hidden)
    output = keras.layers.Dense(
        shape.labels, name="output", dtype="float32", kernel_initializer=maker.kernel(6),
        bias_initializer=maker.bias(6),
    )(x)  # fmt: skip
    return keras.Model([features, lengths], output, name="speechmill")


def start_output(model: keras.Model, label_counts: npt.NDArray[np.int64]) -> None:
    """Let the output of a fresh network begin at the labels' shares of the training text, blank and labels half each.

    With thousands of labels that hardly occur, all of them must be pushed down first. That push is one and the same
    direction in the last hidden layer, thousands of times as strong as what any single label teaches: within twenty steps
    it drives the LSTM into saturation, and nothing below is learnt from then on. A bias takes it over. Smaller alphabets
    start at nothing, as the initialisation has it.

    Args:
        label_counts: int64 [labels], how often each stands in the training text.
    """
    if len(label_counts) <= MANY_LABELS or not label_counts.any():
        return
    shares = (1 - _SHARED) * label_counts / label_counts.sum() + _SHARED / len(label_counts)
    model.get_layer("output").bias.assign(np.append(np.log(shares), 0.0).astype(np.float32))


@dataclass(frozen=True)
class _Layers:
    """Makes the layers of one network."""

    config: ModelConfig
    seed: int
    blank: bool
    policy: str

    def kernel(self, number: int) -> Any:
        """Initialiser of a layer's weights; see `initialisation` in the configuration."""
        import keras

        seed = self.seed * 1000 + number
        if self.blank:
            return "zeros"
        if self.config.initialisation == "release_2017" and number < 10:
            normal = keras.initializers.RandomNormal(stddev=_RELEASE_2017, seed=seed)
            return keras.initializers.GlorotNormal(seed=seed) if number in (1, 6) else normal
        if self.config.initialisation == "he" and number in (1, 2, 3, 5):
            return keras.initializers.HeUniform(seed=seed)
        return keras.initializers.GlorotUniform(seed=seed)

    def bias(self, number: int) -> Any:
        """Initialiser of a dense layer's bias."""
        import keras

        if self.config.initialisation == "release_2017" and not self.blank:
            return keras.initializers.RandomNormal(stddev=_RELEASE_2017, seed=self.seed * 1000 + 500 + number)
        return "zeros"

    def dropout(self, place: int) -> float:
        """Share dropped after dense1, dense2, dense3, lstm4, dense5."""
        if self.config.dropouts:
            return self.config.dropouts[place]
        return 0.0 if place == 3 else self.config.dropout

    def clipped_dense(self, x: Any, number: int, width: int) -> Any:
        import keras

        x = keras.layers.Dense(
            width, name=f"dense{number}", kernel_initializer=self.kernel(number),
            bias_initializer=self.bias(number), dtype=self.policy,
        )(x)  # fmt: skip
        if self.config.layer_norm:
            x = keras.layers.LayerNormalization(name=f"norm{number}", dtype=self.policy)(x)
        x = keras.layers.ReLU(max_value=self.config.relu_clip, name=f"relu{number}", dtype=self.policy)(x)
        share = self.dropout(min(number - 1, 4))
        dropout = keras.layers.Dropout(
            share, seed=self.seed * 100 + number, name=f"dropout{number}", dtype=self.policy
        )
        return dropout(x)

    def recurrent(self, x: Any, mask: Any, shape: NetworkShape) -> Any:
        """Outputs of the LSTM, of both directions side by side; the mask keeps the padding out of both."""
        import keras

        def direction(number: int, name: str) -> Any:
            orthogonal = keras.initializers.Orthogonal(seed=self.seed * 1000 + number + 10)
            return keras.layers.LSTM(
                shape.n_hidden,
                return_sequences=True,
                go_backwards=name == "lstm4_backward",
                kernel_initializer=self.kernel(number),
                recurrent_initializer="zeros" if self.blank else orthogonal,
                bias_initializer=_forget_bias(self.config.forget_bias),
                unit_forget_bias=False,
                seed=self.seed,
                dtype=self.policy,
                name=name,
            )

        x, heard = direction(41, "lstm4_forward")(x, mask=mask), x
        if shape.bidirectional:
            backward = keras.ops.flip(direction(42, "lstm4_backward")(heard, mask=mask), axis=1)
            x = keras.layers.Concatenate(name="lstm4", dtype=self.policy)([x, backward])
        if self.dropout(3):
            dropout = keras.layers.Dropout(
                self.dropout(3), seed=self.seed * 100 + 4, name="dropout4", dtype=self.policy
            )
            x = dropout(x)
        return x


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


def _context_layer(before: int, after: int) -> Any:
    import keras
    from keras import ops

    class Context(keras.layers.Layer):  # type: ignore[misc]
        """Each frame with its neighbours, oldest first; zeros beyond the ends."""

        def call(self, features: Any, valid: Any) -> Any:
            kept = ops.where(valid[:, :, None], features, 0.0)
            padded = ops.pad(kept, ((0, 0), (before, after), (0, 0)))
            frames = ops.shape(features)[1]
            return ops.concatenate([padded[:, k : k + frames] for k in range(before + 1 + after)], axis=-1)

        def compute_output_spec(self, features: Any, valid: Any) -> Any:
            return keras.KerasTensor((*features.shape[:2], (before + 1 + after) * features.shape[2]))

    return Context(name="context")
