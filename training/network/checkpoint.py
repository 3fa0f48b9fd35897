"""Checkpoints: all weights, the optimiser's state and the exact position, in one .npz written by rename.

    checkpoints/step-00000940.npz   the newest few        checkpoints/best.npz   the best on dev so far

Arrays are named `model/<variable path>` and `optimiser/<variable path>`; `meta` holds JSON (step, epoch,
dev_wer, configuration text, labels, …). Where the optimiser keeps running means of the weights, they are what
is measured and what `best_checkpoint` gives as the weights. Files are written and read one array at a time: a
checkpoint of the full size takes no memory beside the network. A broken newest file falls back to the one
before; what a killed process left half-written is removed. Knows no TensorFlow: variables come and go as
numpy arrays.
"""

from __future__ import annotations

import json
import logging
import math
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from store.writing import drop_leftovers, explain_write, fsync_dir, place_file, temporary_beside
from training.errors import CheckpointError

log = logging.getLogger(__name__)
Array = npt.NDArray[np.generic]
BEST = "best.npz"
_NUMPY_TYPES = ("float32", "float64", "int32", "int64", "uint32", "uint64")
_BROKEN = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)


class ArraysOnDemand(Mapping[str, Array]):
    """Named arrays that are made when they are asked for, and not kept."""

    def __init__(
        self, names: list[str], give: Callable[[str], Array], sizes: Mapping[str, int] | None = None
    ) -> None:
        self._names, self._give = dict.fromkeys(names), give
        self.sizes = sizes or {}  # in bytes, where they are known without making the array

    def __getitem__(self, name: str) -> Array:
        if name not in self._names:
            raise KeyError(name)
        return self._give(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint file holds; `arrays` maps names to numpy arrays, `meta` is plain JSON."""

    arrays: Mapping[str, Array]
    meta: Mapping[str, Any]

    @property
    def step(self) -> int:
        """Optimiser steps done."""
        return int(self.meta["step"])


def variables_as_arrays(variables: Mapping[str, list[Any]]) -> Mapping[str, Array]:
    """Keras variables, by prefix, as named numpy arrays, each copied when it is asked for."""
    named = {
        name: variable
        for prefix, some in variables.items()
        for name, variable in zip(_names(prefix, some), some, strict=True)
    }
    sizes = {
        name: math.prod(one.shape) * np.dtype(one.dtype).itemsize
        for name, one in named.items()
        if one.dtype in _NUMPY_TYPES
    }
    return ArraysOnDemand(list(named), lambda name: np.asarray(named[name]), sizes)


def size_bytes(arrays: Mapping[str, Array], name: str) -> int:
    """Bytes of one of some arrays; made only where its size is not known otherwise."""
    known = arrays.sizes.get(name) if isinstance(arrays, ArraysOnDemand) else None
    return arrays[name].nbytes if known is None else known


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


def _average_of(name: str) -> str:
    """Where Keras' Adam keeps the running mean of the weight `model/…`."""
    return f"optimiser/adam/{name.removeprefix('model/').replace('/', '_')}_average"


@contextmanager
def means_in_place(weights: list[Any], optimiser: list[Any]) -> Iterator[None]:
    """Keras variables hold their running means meanwhile, where the optimiser's state has them."""
    means = dict(zip(_names("optimiser", optimiser), optimiser, strict=True))
    pairs = [
        (variable, means[_average_of(name)])
        for name, variable in zip(_names("model", weights), weights, strict=True)
        if _average_of(name) in means
    ]
    before = [np.array(variable) for variable, _ in pairs]
    try:
        for variable, mean in pairs:
            variable.assign(mean)
        yield
    finally:
        for (variable, _), value in zip(pairs, before, strict=True):
            variable.assign(value)


def _in_use(checkpoint: Checkpoint) -> Checkpoint:
    """The same with the running means of weights, where there are any, for the weights."""
    arrays = checkpoint.arrays
    names = {name: _average_of(name) if _average_of(name) in arrays else name for name in arrays}
    if all(name == kept for name, kept in names.items()):
        return checkpoint
    return Checkpoint(ArraysOnDemand(list(names), lambda name: arrays[names[name]]), checkpoint.meta)


def save_checkpoint(directory: Path, checkpoint: Checkpoint, keep: int) -> Path:
    """Write a checkpoint under its step number and remove all but the newest `keep` (the best one stays)."""
    path = directory / f"step-{checkpoint.step:08d}.npz"
    _write(path, checkpoint)
    for old in _numbered(directory)[:-keep]:
        old.unlink(missing_ok=True)
    return path


def save_best(directory: Path, checkpoint: Checkpoint) -> Path:
    """Write the checkpoint as the best one; where it lies there under its number, by a second name for it."""
    path, numbered = directory / BEST, directory / f"step-{checkpoint.step:08d}.npz"
    if numbered.exists():
        place_file(numbered, path)
        fsync_dir(directory)
    else:
        _write(path, checkpoint)
    return path


def _write(path: Path, checkpoint: Checkpoint) -> None:
    """An .npz, array by array, under a temporary name until it is whole."""
    temporary = temporary_beside(path)
    with explain_write(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        drop_leftovers(path.parent, "*.npz")
        try:
            with temporary.open("wb") as stream:
                with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED, allowZip64=True) as packed:
                    meta = np.frombuffer(json.dumps(checkpoint.meta, sort_keys=True).encode(), np.uint8)
                    _add(packed, "meta", meta)
                    for name in checkpoint.arrays:
                        _add(packed, name, checkpoint.arrays[name])
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        fsync_dir(path.parent)


def _add(packed: zipfile.ZipFile, name: str, value: Array) -> None:
    entry = zipfile.ZipInfo(f"{name}.npy")  # of 1980: the same weights give the same bytes
    with packed.open(entry, "w", force_zip64=True) as stream:
        np.lib.format.write_array(stream, np.asanyarray(value), allow_pickle=False)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read one file: its sums are checked now, its arrays are read when they are asked for.

    Raises:
        CheckpointError: it is missing, cut short or damaged.
    """
    try:
        with zipfile.ZipFile(path) as packed:
            broken = packed.testzip()
            if broken is not None:
                raise ValueError(f"{broken} does not have its sum")
        with np.load(path) as stored:
            names = [name for name in stored.files if name != "meta"]
            meta = json.loads(stored["meta"].tobytes())
    except _BROKEN as error:
        raise CheckpointError(
            f"{path}: the checkpoint cannot be read ({error}); it may be cut short"
        ) from error
    content = path.open("rb")  # held: a checkpoint stays readable after newer ones have taken its place
    stored = np.load(content)
    return Checkpoint(ArraysOnDemand(names, lambda name: stored[name]), meta)


def newest_checkpoint(directory: Path) -> Checkpoint | None:
    """The newest readable numbered checkpoint, or None; broken ones are passed over with a warning."""
    for path in reversed(_numbered(directory)):
        try:
            return load_checkpoint(path)
        except CheckpointError as error:
            log.warning("%s: falling back to the checkpoint before it", error)
    return None


def best_checkpoint(directory: Path) -> Checkpoint | None:
    """The best checkpoint on dev, else the newest, or None, with the weights that were measured."""
    path = directory / BEST
    if path.exists():
        try:
            return _in_use(load_checkpoint(path))
        except CheckpointError as error:
            log.warning("%s: falling back to the newest numbered one", error)
    newest = newest_checkpoint(directory)
    return newest and _in_use(newest)


def has_checkpoint(directory: Path) -> bool:
    """Whether there is a file to go on from; it is not read."""
    return (directory / BEST).is_file() or bool(_numbered(directory))


def _numbered(directory: Path) -> list[Path]:
    return sorted(directory.glob("step-*.npz"))
