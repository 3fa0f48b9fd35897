"""Checkpoints: all weights, the optimiser's state and the exact position, in one .npz written by rename.

    checkpoints/step-00000940.npz   the newest few        checkpoints/best.npz   the best on dev so far

Arrays are named `model/<variable path>` and `optimiser/<variable path>`; `meta` holds JSON (step, epoch,
dev_wer, configuration text, labels, …). A broken newest file falls back to the one before. Knows no
TensorFlow: variables come and go as numpy arrays.
"""

from __future__ import annotations

import io
import json
import logging
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from store.writing import write_bytes_atomic
from training.errors import CheckpointError

log = logging.getLogger(__name__)
Array = npt.NDArray[np.generic]
BEST = "best.npz"


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint file holds; `arrays` maps names to numpy arrays, `meta` is plain JSON."""

    arrays: Mapping[str, Array]
    meta: Mapping[str, Any]

    @property
    def step(self) -> int:
        """Optimiser steps done."""
        return int(self.meta["step"])


def variables_as_arrays(prefix: str, variables: list[Any]) -> dict[str, Array]:
    """Keras variables as named numpy arrays."""
    names = _names(prefix, variables)
    return {name: np.asarray(variable) for name, variable in zip(names, variables, strict=True)}


def _names(prefix: str, variables: list[Any]) -> list[str]:
    """A name per variable; random states, which Keras numbers through the whole process, by their order."""
    names: list[str] = []
    for variable in variables:
        path = variable.path
        if "seed_generator" in path:
            path = f"random_state_{sum('random_state' in name for name in names)}"
        names.append(f"{prefix}/{path}")
    return names


def assign_arrays(prefix: str, variables: list[Any], checkpoint: Checkpoint) -> None:
    """Give Keras variables the checkpoint's values.

    Raises:
        CheckpointError: a variable is missing or has another shape: the checkpoint is of another network.
    """
    for name, variable in zip(_names(prefix, variables), variables, strict=True):
        value = checkpoint.arrays.get(name)
        if value is None:
            raise CheckpointError(
                f"the checkpoint of step {checkpoint.step} lacks {name}: it is of another network"
            )
        if tuple(value.shape) != tuple(variable.shape):
            raise CheckpointError(
                f"{name} has shape {tuple(value.shape)} in the checkpoint of step {checkpoint.step} but "
                f"{tuple(variable.shape)} in the network: the widths differ"
            )
        variable.assign(value)


def save_checkpoint(directory: Path, checkpoint: Checkpoint, keep: int) -> Path:
    """Write a checkpoint under its step number and remove all but the newest `keep` (the best one stays)."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"step-{checkpoint.step:08d}.npz"
    write_bytes_atomic(path, _packed(checkpoint))
    for old in _numbered(directory)[:-keep]:
        old.unlink(missing_ok=True)
    return path


def save_best(directory: Path, checkpoint: Checkpoint) -> Path:
    """Write the checkpoint as the best one."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / BEST
    write_bytes_atomic(path, _packed(checkpoint))
    return path


def _packed(checkpoint: Checkpoint) -> bytes:
    buffer = io.BytesIO()
    meta = np.frombuffer(json.dumps(checkpoint.meta, sort_keys=True).encode(), np.uint8)
    np.savez(buffer, meta=meta, **checkpoint.arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def load_checkpoint(path: Path) -> Checkpoint:
    """Read one file.

    Raises:
        CheckpointError: it is missing, cut short or damaged.
    """
    try:
        with np.load(path) as stored:
            arrays = {name: stored[name] for name in stored.files if name != "meta"}
            meta = json.loads(stored["meta"].tobytes())
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise CheckpointError(
            f"{path}: the checkpoint cannot be read ({error}); it may be cut short"
        ) from error
    return Checkpoint(arrays, meta)


def newest_checkpoint(directory: Path) -> Checkpoint | None:
    """The newest readable numbered checkpoint, or None; broken ones are passed over with a warning."""
    for path in reversed(_numbered(directory)):
        try:
            return load_checkpoint(path)
        except CheckpointError as error:
            log.warning("%s: falling back to the checkpoint before it", error)
    return None


def best_checkpoint(directory: Path) -> Checkpoint | None:
    """The best checkpoint on dev, else the newest, or None."""
    path = directory / BEST
    if path.exists():
        try:
            return load_checkpoint(path)
        except CheckpointError as error:
            log.warning("%s: falling back to the newest numbered one", error)
    return newest_checkpoint(directory)


def _numbered(directory: Path) -> list[Path]:
    return sorted(directory.glob("step-*.npz"))
