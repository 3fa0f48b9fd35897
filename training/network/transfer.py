"""Starting from a trained network: its weights layer by layer, another alphabet's outputs label by label.

Layers named in `drop_layers` and those of another shape keep their random start; the output layer takes over
the labels that both alphabets have, and the blank. `freeze_layers` stay as they are. Reads checkpoints,
chooses no run.
"""

from __future__ import annotations

import dataclasses
import logging
from typing import Any

import numpy as np

from training.decoding.acoustic import Network
from training.errors import ConfigError
from training.network.checkpoint import Array, Checkpoint
from training.network.config import TransferConfig, parse_config
from training.network.features import Whitening

log = logging.getLogger(__name__)


def whitening_of_start(checkpoint: Checkpoint, network_config: Any) -> Whitening:
    """The whitening that the weights of a checkpoint were learnt with.

    Raises:
        ConfigError: its front end is another than the run's, so its weights would mean nothing.
    """
    before = parse_config(str(checkpoint.meta["config"]), "configuration in the checkpoint").features
    now = network_config.features
    other = [
        f"{one.name} {getattr(before, one.name)} (here {getattr(now, one.name)})"
        for one in dataclasses.fields(now)
        if getattr(before, one.name) != getattr(now, one.name)
    ]
    if other:
        raise ConfigError(
            f"transfer.init_from: that network hears with {', '.join(other)}; take its [features]"
        )
    return Whitening.of_json(checkpoint.meta["whitening"])


def start_from(network: Network, checkpoint: Checkpoint, config: TransferConfig) -> list[str]:
    """Give a fresh network the weights of a checkpoint; returns the layers that start anew."""
    anew = []
    for variable in network.model.trainable_variables:
        layer = layer_of(variable.path)
        stored = checkpoint.arrays.get(f"model/{variable.path}")
        value = None if stored is None or layer in config.drop_layers else np.asarray(stored)
        if value is not None and layer == "output":
            value = _by_label(np.asarray(variable), value, network.labels, tuple(checkpoint.meta["labels"]))
        if value is None or value.shape != tuple(variable.shape):
            anew.append(layer)
            continue
        variable.assign(value)
    fresh = list(dict.fromkeys(anew))
    log.info("starting from step %d of that run; anew: %s", checkpoint.step, ", ".join(fresh) or "nothing")
    return fresh


def freeze(network: Network, config: TransferConfig) -> None:
    """Take the frozen layers out of what is learnt."""
    for layer in network.model.layers:
        if layer_of(layer.name) in config.freeze_layers:
            layer.trainable = False


def layer_of(path: str) -> str:
    """The layer of the configuration that a variable or Keras layer belongs to: lstm4_forward → lstm4."""
    first = path.split("/", maxsplit=1)[0]
    return first.partition("_")[0].replace("norm", "dense")


def _by_label(fresh: Array, stored: Array, labels: tuple[str, ...], before: tuple[str, ...]) -> Array | None:
    """Outputs (last axis, blank last): those of labels that both have from `stored`, others from `fresh`."""
    if fresh.shape[:-1] != stored.shape[:-1]:
        return None
    value = fresh.copy()
    where = {label: place for place, label in enumerate(before)}
    for place, label in enumerate(labels):
        if label in where:
            value[..., place] = stored[..., where[label]]
    value[..., -1] = stored[..., -1]
    return value
