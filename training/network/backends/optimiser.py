"""Adam as the configuration describes it, and the learning rate of every step: warm-up, then constant or down.

The same for both backends: Keras is loaded when Adam is made.
"""

from __future__ import annotations

import math
from typing import Any

from training.network.config import OptimiserConfig


def adam(options: OptimiserConfig, variables: list[Any]) -> Any:
    """A Keras optimiser built for these variables; with `average` it keeps their running means."""
    import keras

    made = keras.optimizers.Adam(
        options.learning_rate, options.beta1, options.beta2, options.epsilon, name="adam",
        use_ema=options.average > 0, ema_momentum=options.average or 0.99,
    )  # fmt: skip
    made.build(variables)
    return made


def learning_rate(options: OptimiserConfig, step: int, steps: int) -> float:
    """The rate of a step from 0, of `steps` in all."""
    if step < options.warmup_steps:
        return options.learning_rate * (step + 1) / options.warmup_steps
    if options.decay == "none":
        return options.learning_rate
    done = (step - options.warmup_steps) / max(1, steps - 1 - options.warmup_steps)
    left = 1.0 - done if options.decay == "linear" else 0.5 * (1.0 + math.cos(math.pi * min(1.0, done)))
    return options.learning_rate * (options.final_rate + (1.0 - options.final_rate) * max(0.0, left))
