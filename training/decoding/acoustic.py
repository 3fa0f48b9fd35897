"""A trained network in use: checkpoint -> log-probabilities of many utterances, streamed in batches.

`Network` couples the Keras model with what must travel with it: feature settings, whitening, labels.
Decoding is done by `native`; nothing here turns log-probabilities into text but `greedy_texts`, which calls
it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from training.errors import RunNotFoundError
from training.network.backends import forward_of, start_backend
from training.network.batches import Indices
from training.network.checkpoint import Checkpoint, assign_arrays, best_checkpoint, variables_as_arrays
from training.network.config import TrainingConfig, config_text, parse_config
from training.network.dataset import Batch, Dataset
from training.network.features import Float, Whitening
from training.network.model import NetworkShape, build_model

if TYPE_CHECKING:
    from native import Alphabet

_INFERENCE_FRAMES = 16384  # padded frames per forward pass: some 30 MB of activations at n_hidden 128


@dataclass(frozen=True)
class Network:
    """A network ready to compute.

    Attributes:
        model: see `model.build_model`.
        labels: the alphabet's labels without the blank; the blank is the last output.
        step: optimiser steps that made it.
    """

    model: Any
    config: TrainingConfig
    whitening: Whitening
    labels: tuple[str, ...]
    step: int = 0

    @classmethod
    def create(
        cls, config: TrainingConfig, whitening: Whitening, labels: tuple[str, ...], blank: bool = False
    ) -> Network:
        """An untrained network; with `blank` its weights are zero, to be given values at once."""
        start_backend(config.loop.backend, config.loop.threads)
        shape = NetworkShape.of(config.features, config.model, len(labels) + 1)
        model = build_model(shape, config.model, config.seed, blank, config.loop.precision)
        return cls(model, config, whitening, labels)

    @classmethod
    def of_checkpoint(cls, checkpoint: Checkpoint) -> Network:
        """The network that a checkpoint holds."""
        meta = checkpoint.meta
        config = parse_config(str(meta["config"]), "configuration in the checkpoint")
        blank = Network.create(
            config, Whitening.of_json(meta["whitening"]), tuple(meta["labels"]), blank=True
        )
        assign_arrays("model", blank.model.trainable_variables, checkpoint)
        return cls(blank.model, config, blank.whitening, blank.labels, checkpoint.step)

    def checkpoint(self, meta: dict[str, Any], optimiser_variables: list[Any]) -> Checkpoint:
        """Its weights, the optimiser's state and `meta` with what is needed to build it again."""
        arrays = variables_as_arrays({"model": self.model.variables, "optimiser": optimiser_variables})
        whitening, labels = self.whitening.as_json(), list(self.labels)
        fixed = {"config": config_text(self.config), "whitening": whitening, "labels": labels}
        return Checkpoint(arrays, {**meta, **fixed})


def load_network(run_dir: Path) -> Network:
    """The best network of a run.

    Raises:
        RunNotFoundError: there is no checkpoint in it.
    """
    checkpoint = best_checkpoint(run_dir / "checkpoints")
    if checkpoint is None:
        raise RunNotFoundError(f"{run_dir}: no checkpoint there; has the run got through its first epoch?")
    return Network.of_checkpoint(checkpoint)


class LogProbabilities:
    """Natural-log label probabilities of a network, computed in one traced function."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._forward = forward_of(network)

    def warm_up(self) -> None:
        """Trace the function, so that its first real call can be timed."""
        coefficients = self.network.config.features.coefficients
        self._forward(np.zeros((1, 2, coefficients), np.float32), np.full(1, 2, np.int32))

    def of_batch(self, batch: Batch) -> Float:
        """float32 [batch, frames, labels + blank]."""
        result: Float = self._forward(batch.features, batch.lengths)
        return result

    def of_dataset(self, dataset: Dataset) -> Iterator[tuple[Indices, Float, npt.NDArray[np.int32]]]:
        """Utterances (at their first speed) in batches of like length: indices, log-probabilities, lengths.

        Those too short for a single frame are passed over: their text is empty.
        """
        for indices in by_length(dataset.frames[:, 0], _INFERENCE_FRAMES):
            batch = dataset.batch(indices * dataset.variants, self.network.whitening)
            yield indices, self.of_batch(batch), batch.lengths


def by_length(frames: npt.NDArray[np.int64], limit: int) -> Iterator[Indices]:
    """Indices of those with frames, by rising length, in batches of at most `limit` padded frames."""
    order = np.argsort(frames, kind="stable")
    order = order[frames[order] > 0]
    start = 0
    for stop in range(1, len(order) + 1):
        if stop == len(order) or (stop - start + 1) * int(frames[order[stop]]) > limit:
            yield order[start:stop]
            start = stop


def greedy_texts(probabilities: LogProbabilities, dataset: Dataset, alphabet: Alphabet) -> list[str]:
    """Best-path texts of all utterances, in the dataset's order."""
    import native

    texts = [""] * len(dataset)
    for indices, log_probs, lengths in probabilities.of_dataset(dataset):
        for index, hypothesis in zip(indices, native.greedy(log_probs, lengths, alphabet), strict=True):
            texts[int(index)] = hypothesis.text
    return texts
