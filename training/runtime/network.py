"""A network in ONNX Runtime: features of many stretches in, log-probabilities out; whole or as a stream.

The sessions release the GIL and may be called from several threads at once, each call on one core. Reads the two
facts that travel in the file (labels, front end); knows nothing of sound, packages or search.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.errors import CheckpointError
from training.network.features import Float


def onnx_runtime() -> Any:
    """The library, told to report nothing.

    By itself it gives the machine a number, keeps a diary of sessions in the user's home and sends it to its maker.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read when the library is loaded
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    return onnxruntime


def open_session(file: Path | bytes, threads: int = 1) -> Any:
    """An ONNX Runtime session on so many cores.

    Raises:
        CheckpointError: the file is missing, damaged or of a version that ONNX Runtime cannot read.
    """
    onnxruntime = onnx_runtime()
    onnxruntime.set_default_logger_severity(3)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # it plans for shapes that hardly come again, and holds more
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
    """A network that hears whole stretches.

    Args:
        file: an ONNX file, or the session that was opened from one.
    """

    def __init__(self, file: Path | bytes | Any) -> None:
        self._session = _opened(file)
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


class ForwardNetwork:
    """A network that looks back (and a few frames ahead) only: it can be fed as sound arrives.

    Sixteen frames at a time, counted from a stretch's beginning, whoever feeds it: so what it says of a stretch does
    not depend, to the last bit, on whether it came at once or frame by frame.

    Args:
        file: an ONNX file, or the session that was opened from one.
    """

    CHUNK = 16

    def __init__(self, file: Path | bytes | Any) -> None:
        self.session = _opened(file)
        self.facts = facts_of(self.session)
        shapes = {one.name: one.shape for one in self.session.get_inputs()}
        if "state_h" not in shapes:
            raise CheckpointError(
                "this network hears each sentence from both ends and cannot stream: release one trained with "
                'direction = "unidirectional"'
            )
        self.cells = int(shapes["state_h"][2])
        self.context = int(self.facts["front_end"]["context"])
        self.lookahead = int(self.facts["lookahead"])
        self.mean = np.asarray(self.facts["mean"], np.float32)

    def log_probs(self, stretches: Sequence[Float]) -> list[Float]:
        """Like `BatchNetwork.log_probs`, one stretch after the other."""
        answers = []
        for frames in stretches:
            stream = self.stream()
            answers.append(np.concatenate([stream.feed(frames), stream.finish()]))
        return answers

    def stream(self) -> ForwardStream:
        """A stretch that begins now."""
        return ForwardStream(self)


class ForwardStream:
    """One stretch on its way through a `ForwardNetwork`; answers lag by the lookahead and a chunk."""

    def __init__(self, network: ForwardNetwork) -> None:
        self._network = network
        self._state = [np.zeros((1, 1, network.cells), np.float32) for _ in range(2)]
        self._waiting: Float = np.tile(network.mean, (network.context, 1))

    def feed(self, features: Float) -> Float:
        """float32 [frames, coefficients] in; log-probabilities of the frames that can be decided now."""
        self._waiting = np.concatenate([self._waiting, features])
        around, chunk = self._network.context + self._network.lookahead, self._network.CHUNK
        answers = [np.zeros((0, len(self._network.facts["labels"]) + 1), np.float32)]
        while len(self._waiting) >= around + chunk:
            answers.append(self._run(self._waiting[: around + chunk]))
            self._waiting = self._waiting[chunk:]
        return np.concatenate(answers)

    def finish(self) -> Float:
        """What still waited for its future: silence follows."""
        ahead = np.tile(self._network.mean, (self._network.lookahead, 1))
        answer = self.feed(ahead)
        around = self._network.context + self._network.lookahead
        rest = [self._run(self._waiting)] if len(self._waiting) > around else []
        return np.concatenate([answer, *rest])

    def _run(self, features: Float) -> Float:
        inputs = {"features": features[None], "state_h": self._state[0], "state_c": self._state[1]}
        names = ["log_probs", "state_h_after", "state_c_after"]
        answer, *self._state = self._network.session.run(names, inputs)
        log_probs: npt.NDArray[np.float32] = answer[0]
        return log_probs


def open_network(file: Path | bytes) -> BatchNetwork | ForwardNetwork:
    """The network in a file, of whichever kind it is."""
    session = open_session(file)
    forward = any(one.name == "state_h" for one in session.get_inputs())
    return ForwardNetwork(session) if forward else BatchNetwork(session)


def _opened(file: Path | bytes | Any) -> Any:
    """A session: opening one twice would take a wide network's memory and start twice."""
    return open_session(file) if isinstance(file, (Path, bytes)) else file
