"""One network in every form it can leave in: what computes it, frames in, log-probabilities out, a stretch at a time.

A network is named `released` (the package's own) or WIDTH-both, WIDTH-one (random weights). ONNX files of random ones are
written by `networks.py`, LiteRT files and SavedModels by `convert` in a process of its own, which needs TensorFlow. A
SavedModel has the search inside: its figures include it, with the package's language model for the released network.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.inference.networks import random_network
from training.network.features import Float
from training.network.model import NetworkShape
from training.runtime.network import open_network
from training.runtime.package import Package

FORMS = ("onnx", "onnx-int8", "litert", "litert-int8", "tensorflow", "saved-model")
SUFFIX = {
    "onnx": ".onnx",
    "onnx-int8": "-int8.onnx",
    "litert": ".tflite",
    "litert-int8": "-int8.tflite",
    "saved-model": "-saved-model",
}
RELEASED = "released"
Hear = Callable[[Float], Float]


def shape_of(name: str, package: Package) -> NetworkShape:
    """The shape of the network WIDTH-both or WIDTH-one on the package's front end."""
    width, _, direction = name.partition("-")
    f = package.features
    return NetworkShape(
        len(package.labels) + 1, f.coefficients, f.context, int(width), direction == "both", f.context
    )


def file_of(form: str, name: str, folder: Path, package: Package) -> Path | None:
    """Where a network of a form lies, written if it is an ONNX file; None for TensorFlow, which builds it itself."""
    if form == "tensorflow":
        return None
    if name == RELEASED and form.startswith("onnx"):
        return package.network("int8" if form.endswith("int8") else "float")
    path = folder / f"{name}{SUFFIX[form]}"
    if form.startswith("onnx"):
        path.write_bytes(random_network(shape_of(name, package), package, int8=form.endswith("int8")))
    return path


def convert(form: str, name: str, path: Path, package: Package) -> None:
    """Write a network for LiteRT, or as a SavedModel."""
    from training.release.forms import litert_bytes, save_tensorflow

    if form == "saved-model":
        own = name == RELEASED
        lm_dir = str(package.path / "language_model") if own else None
        decoder = package.manifest["decoder"] if own else None
        save_tensorflow(_network(name, package), lm_dir, decoder, str(path))
        return
    path.write_bytes(litert_bytes(_network(name, package), int8=form.endswith("int8")))


def hear_with(form: str, name: str, path: Path | None, package: Package) -> Hear:
    """What computes log-probabilities float32 [frames, labels] of frames before whitening."""
    if form == "tensorflow":
        return _tensorflow(name, package)
    if path is None:
        raise ValueError(f"form {form} lies in a file: name it")
    if form.startswith("onnx"):
        opened = open_network(path)
        return lambda frames: opened.log_probs([frames])[0]
    from training.release.forms import litert_forward, tensorflow_forward

    saved = form == "saved-model"
    forward = tensorflow_forward(str(path)) if saved else litert_forward(path.read_bytes())
    return lambda frames: np.asarray(forward(frames[None], np.array([len(frames)], np.int32))[0])


def _network(name: str, package: Package):  # type: ignore[no-untyped-def]  # of training.decoding, imported late
    from training.decoding.acoustic import Network
    from training.network.checkpoint import load_checkpoint
    from training.network.config import LoopConfig, ModelConfig, TrainingConfig
    from training.network.features import Whitening
    from training.release.package import WEIGHTS

    if name == RELEASED:
        return Network.of_checkpoint(load_checkpoint(package.path / WEIGHTS))
    shape = shape_of(name, package)
    direction = "bidirectional" if shape.bidirectional else "unidirectional"
    config = TrainingConfig(
        features=package.features,
        model=ModelConfig(n_hidden=shape.n_hidden, direction=direction),
        loop=LoopConfig(threads=1),
    )
    mean = np.zeros(shape.coefficients, np.float32)
    return Network.create(config, Whitening(mean, np.full_like(mean, 3.0)), package.labels)


def _tensorflow(name: str, package: Package) -> Hear:
    from training.decoding.acoustic import LogProbabilities
    from training.network.dataset import Batch

    network = _network(name, package)
    probabilities = LogProbabilities(network)
    nothing = np.zeros((1, 0), np.int32)

    def hear(frames: Float) -> Float:
        white = network.whitening.apply(frames)[None]
        lengths = np.array([len(frames)], np.int32)
        answer: Float = probabilities.of_batch(Batch(white, lengths, nothing, np.zeros(1, np.int64)))[0]
        return answer

    return hear
