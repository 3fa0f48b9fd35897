"""A network in ONNX Runtime: features of many stretches in, log-probabilities out; whole or as a stream.

The sessions release the GIL and may be called from several threads at once, each call on one core. Reads the two
facts that travel in the file (labels, front end); knows nothing of sound, packages or search.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.errors import CheckpointError
from training.network.features import Float


def open_session(file: Path | bytes, threads: int = 1) -> Any:
    """An ONNX Runtime session on so many cores.

    Raises:
        CheckpointError: the file is missing, damaged or of a version that ONNX Runtime cannot read.
    """
    import onnxruntime

    onnxruntime.set_default_logger_severity(3)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    source = file if isinstance(file, bytes) else str(file)
    try:
        return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors have no common root below Exception
        place = "the network" if isinstance(file, bytes) else str(file)
        raise CheckpointError(f"{place} cannot be opened by ONNX Runtime: {error}") from error


def facts_of(session: Any) -> dict[str, Any]:
    """`labels` and `front_end`, as they were written into the file."""
    properties = session.get_modelmeta().custom_metadata_map
    return {name: json.loads(text) for name, text in properties.items()}


class BatchNetwork:
    """A network that hears whole stretches."""

    def __init__(self, file: Path | bytes) -> None:
        self._session = open_session(file)
        self.facts = facts_of(self._session)

    def log_probs(self, stretches: Sequence[Float]) -> list[Float]:
        """Log-probabilities of each stretch.

        Args:
            stretches: float32 [frames, coefficients] before whitening, each at least one frame.

        Returns:
            float32 [frames, labels] of each, in order.
        """
        lengths = np.array([len(one) for one in stretches], np.int32)
        padded = np.zeros((len(stretches), int(lengths.max()), stretches[0].shape[1]), np.float32)
        for place, one in enumerate(stretches):
            padded[place, : len(one)] = one
        answer = self._session.run(["log_probs"], {"features": padded, "lengths": lengths})[0]
        return [answer[place, :length] for place, length in enumerate(lengths)]


class StreamingNetwork:
    """A network that looks back only, fed as the frames come; its answers lag by the context (9 frames)."""

    def __init__(self, file: Path | bytes, threads: int = 1) -> None:
        self._session = open_session(file, threads)
        self.facts = facts_of(self._session)
        shapes = {one.name: one.shape for one in self._session.get_inputs()}
        if "state_h" not in shapes:
            raise CheckpointError(
                "this network hears each sentence from both ends and cannot stream: release one trained with "
                'direction = "forward"'
            )
        self._cells = int(shapes["state_h"][2])
        self._context = int(self.facts["front_end"]["context"])
        self._mean = np.asarray(self.facts["mean"], np.float32)
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self._state = [np.zeros((1, 1, self._cells), np.float32) for _ in range(2)]
        self._waiting: Float = np.tile(self._mean, (self._context, 1))

    def feed(self, features: Float) -> Float:
        """float32 [frames, coefficients] in; log-probabilities of the frames whose context is complete."""
        self._waiting = np.concatenate([self._waiting, features])
        ready = len(self._waiting) - 2 * self._context
        if ready <= 0:
            return np.zeros((0, len(self.facts["labels"]) + 1), np.float32)
        answer, *self._state = self._session.run(
            ["log_probs", "state_h_after", "state_c_after"],
            {
                "features": self._waiting[None],
                "state_h": self._state[0],
                "state_c": self._state[1],
            },
        )
        self._waiting = self._waiting[ready:]
        log_probs: npt.NDArray[np.float32] = answer[0]
        return log_probs

    def finish(self) -> Float:
        """What was still waiting for its context: silence follows."""
        return self.feed(np.tile(self._mean, (self._context, 1)))
