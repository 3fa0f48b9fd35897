"""What a network is trained on, TensorFlow or JAX, behind one small face: one file per backend.

`start_backend` loads one, `step_of` gives its optimiser step, `forward_of` the network in use. Keras serves one backend
per process; who only measures takes the one that is loaded already, or else is there. Nothing outside this room and
`workers` knows which it is.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from typing import Any, Protocol

from training.errors import ConfigError
from training.network.blame import Learnt
from training.network.config import OptimiserConfig
from training.network.dataset import Batch

BACKENDS = ("tensorflow", "jax")


class Step(Protocol):
    """One optimiser step: gradients, then the weights move."""

    @property
    def variables(self) -> list[Any]:
        """The optimiser's state, Keras variables."""

    def gradients(self, batch: Batch) -> tuple[Any, float, Any]:
        """Loss per utterance float32 [batch], global norm of their mean's gradient, that gradient."""

    def learn(self, batch: Batch | None) -> Learnt:
        """Gradients of a batch without the rows that spoil them; see `blame.learn`."""

    def try_size(self, utterances: int, frames: int) -> None:
        """Compute, and throw away, a batch of that size: what does not fit in memory shows before step 1."""

    def apply(self, found: Any, step: int) -> None:
        """Move the weights."""


def start_backend(name: str, threads: int = 0, needed: bool = False) -> str:
    """Load a backend, or with `needed` False the one that is loaded or there; answers which it is.

    Raises:
        ConfigError: it is needed and not installed, or another one is loaded; or none is installed.
    """
    loaded = str(sys.modules["keras"].config.backend()) if "keras" in sys.modules else ""
    there = [one for one in (name, *BACKENDS) if importlib.util.find_spec(one) is not None]
    if needed and loaded not in ("", name):
        raise ConfigError(f"loop.backend = {name!r}, but this process has begun with {loaded}; start another")
    if needed and name not in there:
        advice = "uv pip install jax" if name == "jax" else "make setup"
        raise ConfigError(f"loop.backend = {name!r}, but it is not installed here: {advice}")
    if not loaded and not there:
        raise ConfigError("neither TensorFlow nor JAX is installed here: make setup")
    chosen = loaded or there[0]
    os.environ["KERAS_BACKEND"] = chosen
    if chosen == "tensorflow":
        from training.network.backends.tensorflow_step import start_tensorflow

        start_tensorflow(threads)
    return chosen


def step_of(network: Any, options: OptimiserConfig, steps: int) -> Step:
    """The step of a network (`decoding.acoustic.Network`), of `steps` in all, on the backend that is loaded."""
    if _loaded() == "jax":
        from training.network.backends.jax_step import JaxStep

        return JaxStep(network, options, steps)
    from training.network.backends.tensorflow_step import StepFunction

    return StepFunction(network, options, steps)


def forward_of(network: Any) -> Callable[[Any, Any], Any]:
    """Features and lengths, numpy, to natural-log label probabilities float32 [batch, frames, labels + blank]."""
    if _loaded() == "jax":
        from training.network.backends import jax_step

        return jax_step.forward_of(network)
    from training.network.backends import tensorflow_step

    return tensorflow_step.forward_of(network)


def _loaded() -> str:
    import keras

    return str(keras.config.backend())
