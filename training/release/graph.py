"""A network's weights as an ONNX graph, written node by node: float32, or int8 where the work is.

    features [batch, frames, coefficients], lengths [batch]
      whitened, silenced beyond each length -> dense1 as a convolution over time (the context)
      dense2, dense3 -> LSTM with lengths -> dense5 -> output -> log_probs [batch, frames, labels]

The streaming form of a network that looks back only takes `context` frames more on either side, whitened
frames of the mean where there is no sound, and hands the LSTM's state in and out. In int8 the products of the
layers 2 to 6 and of the LSTM are of bytes: weights by output channel, inputs by the range they have at hand.
Layer 1 stays in float: it sees whitened cepstra, whose range no byte holds well, and is a percent of the work.
Reads arrays, writes bytes; computes nothing and checks nothing (`verify.py` does).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from training.errors import CheckpointError

Array = npt.NDArray[Any]
_OPSET = 17
_MICROSOFT = "com.microsoft"
_NORM_EPSILON = 1e-3  # Keras' own
_GATES = (0, 3, 1, 2)  # Keras orders input, forget, cell, output; ONNX input, output, forget, cell


@dataclass(frozen=True)
class NetworkWeights:
    """What a graph is made of.

    Attributes:
        arrays: variable path (`dense1/kernel`) to values, as a checkpoint names them, without `model/`.
        mean, deviation: of the training set's features, float32 [coefficients].
        relu_clip: upper limit of the rectifier.
        context, lookahead: frames of the past and of the future that layer 1 sees.
        facts: plain JSON that travels in the file (labels, front end).
    """

    arrays: Mapping[str, Array]
    mean: Array
    deviation: Array
    relu_clip: float
    context: int
    lookahead: int
    facts: Mapping[str, Any]

    @property
    def bidirectional(self) -> bool:
        """Whether the LSTM also runs from the end."""
        return any(name.startswith("lstm4_backward") for name in self.arrays)

    def of(self, layer: str, kind: str) -> Array:
        """One array as float32, by its layer and its last name.

        Raises:
            CheckpointError: there is none: the checkpoint is of another network.
        """
        for name, value in self.arrays.items():
            parts = name.split("/")
            if parts[0] == layer and parts[-1] == kind:
                return np.ascontiguousarray(value, np.float32)
        raise CheckpointError(f"the weights hold no {kind} of {layer}: they are of another kind of network")


def network_graph(weights: NetworkWeights, int8: bool = False, streaming: bool = False) -> bytes:
    """The ONNX file of a network.

    Args:
        int8: products of bytes in all layers but the first.
        streaming: state in and out, context handed in; only for a network that looks back.

    Raises:
        CheckpointError: an array is missing, or a bidirectional network was asked to stream.
    """
    if streaming and weights.bidirectional:
        raise CheckpointError(
            "this network hears each sentence from both ends and cannot stream: train one with "
            'model.direction = "unidirectional"'
        )
    return _Graph(weights, int8, streaming).build()


def quantised(kernel: Array) -> tuple[Array, Array]:
    """Bytes and scales of a kernel [inputs, outputs]: int8 of the same shape, float32 [outputs]; symmetric."""
    scales = np.maximum(np.abs(kernel).max(axis=0), 1e-12).astype(np.float32) / np.float32(127.0)
    return np.clip(np.rint(kernel / scales), -127, 127).astype(np.int8), scales


def _reordered(kernel: Array) -> Array:
    """Gates in the order of ONNX, along the last axis."""
    parts = np.split(kernel, 4, axis=-1)
    return np.concatenate([parts[gate] for gate in _GATES], axis=-1)


@dataclass
class _Graph:
    weights: NetworkWeights
    int8: bool
    streaming: bool
    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def build(self) -> bytes:
        from onnx import TensorProto, helper

        inputs = [
            helper.make_tensor_value_info(
                "features", TensorProto.FLOAT, ["batch", "heard", len(self.weights.mean)]
            ),
        ]
        if not self.streaming:
            inputs.append(helper.make_tensor_value_info("lengths", TensorProto.INT32, ["batch"]))
        labels = self.weights.of("output", "bias").shape[0]
        outputs = [helper.make_tensor_value_info("log_probs", TensorProto.FLOAT, ["batch", "frames", labels])]
        if self.streaming:
            cells = self.weights.of("lstm4_forward", "recurrent_kernel").shape[0]
            for name, values in (("", inputs), ("_after", outputs)):
                for state in ("state_h", "state_c"):
                    shape = [1, "batch", cells]
                    values.append(helper.make_tensor_value_info(state + name, TensorProto.FLOAT, shape))
        self._layers()
        graph = helper.make_graph(self.nodes, "speechmill", inputs, outputs, self.constants)
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_MICROSOFT, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="speechmill")
        facts = {
            name: json.dumps(value, sort_keys=True) for name, value in sorted(self.weights.facts.items())
        }
        helper.set_model_props(model, facts)
        data: bytes = model.SerializeToString(deterministic=True)
        return data

    def _layers(self) -> None:
        x = self._context(self._whitened())
        x = self._dense(x, "dense2")
        x = self._dense(x, "dense3")
        x = self._lstm(x)
        x = self._dense(x, "dense5")
        x = self._dense(x, "output", clipped=False)
        x = self._node("LogSoftmax", [x], axis=2)
        self._node("Transpose", [x], output="log_probs", perm=[1, 0, 2])

    def _whitened(self) -> str:
        """[batch, frames, coefficients], zero where nothing is heard."""
        centred = self._node("Sub", ["features", self._constant("mean", self.weights.mean)])
        x = self._node("Div", [centred, self._constant("deviation", self.weights.deviation)])
        if self.streaming:
            return x  # who streams hands in frames of the mean, which are zero now
        frames = self._node("Gather", [self._node("Shape", ["features"]), self._scalar("one", 1)], axis=0)
        steps = self._node("Range", [self._scalar("zero", 0), frames, self._scalar("one", 1)])
        wide = self._node("Cast", ["lengths"], to=7)
        column = self._node("Unsqueeze", [wide, self._constant("last_axis", np.array([1], np.int64))])
        heard = self._node("Less", [steps, column])
        mask = self._node("Unsqueeze", [heard, self._constant("third_axis", np.array([2], np.int64))])
        return self._node("Where", [mask, x, self._constant("silence", np.zeros((), np.float32))])

    def _context(self, x: str) -> str:
        """Layer 1 over each frame and its neighbours, as a convolution; [frames, batch, cells] after it."""
        kernel = self.weights.of("dense1", "kernel")
        coefficients, past, future = len(self.weights.mean), self.weights.context, self.weights.lookahead
        width = past + 1 + future
        if width * coefficients != kernel.shape[0]:
            raise CheckpointError(
                f"layer 1 takes {kernel.shape[0]} values, which is not {width} frames of {coefficients} coefficients"
            )
        taps = np.ascontiguousarray(kernel.reshape(width, coefficients, -1).transpose(2, 1, 0))
        inputs = [
            self._node("Transpose", [x], perm=[0, 2, 1]),
            self._constant("dense1_kernel", taps),
            self._constant("dense1_bias", self.weights.of("dense1", "bias")),
        ]
        pads = [0, 0] if self.streaming else [past, future]
        x = self._node("Conv", inputs, kernel_shape=[width], pads=pads)
        return self._rectified(self._node("Transpose", [x], perm=[2, 0, 1]), 1)

    def _dense(self, x: str, name: str, clipped: bool = True) -> str:
        kernel, bias = self.weights.of(name, "kernel"), self.weights.of(name, "bias")
        if self.int8:
            small, scales = quantised(kernel)
            inputs = [x, self._constant(f"{name}_kernel", small), self._constant(f"{name}_scale", scales)]
            inputs += ["", self._constant(f"{name}_bias", bias)]
            x = self._node("DynamicQuantizeMatMul", inputs, domain=_MICROSOFT)
        else:
            product = self._node("MatMul", [x, self._constant(f"{name}_kernel", kernel)])
            x = self._node("Add", [product, self._constant(f"{name}_bias", bias)])
        return self._rectified(x, int(name[-1])) if clipped else x

    def _rectified(self, x: str, number: int) -> str:
        """Layer normalisation where the network has it, and the clipped rectifier."""
        if f"norm{number}/gamma" in self.weights.arrays:
            parts = [
                self._constant(f"norm{number}_{kind}", self.weights.of(f"norm{number}", kind))
                for kind in ("gamma", "beta")
            ]
            x = self._node("LayerNormalization", [x, *parts], axis=-1, epsilon=_NORM_EPSILON)
        low = self._constant("relu_low", np.zeros((), np.float32))
        high = self._constant("relu_high", np.array(self.weights.relu_clip, np.float32))
        return self._node("Clip", [x, low, high])

    def _lstm(self, x: str) -> str:
        """[frames, batch, directions * cells]"""
        layers = ["lstm4_forward"] + (["lstm4_backward"] if self.weights.bidirectional else [])
        kernels = [_reordered(self.weights.of(layer, "kernel")) for layer in layers]
        recurrent = [_reordered(self.weights.of(layer, "recurrent_kernel")) for layer in layers]
        biases = [_reordered(self.weights.of(layer, "bias")) for layer in layers]
        cells = recurrent[0].shape[0]
        bias = np.stack([np.concatenate([one, np.zeros_like(one)]) for one in biases])
        state = ["state_h", "state_c"] if self.streaming else ["", ""]
        tail = [self._constant("lstm4_bias", bias), "" if self.streaming else "lengths", *state]
        direction = "bidirectional" if len(layers) == 2 else "forward"
        outputs = ["lstm4", *(["state_h_after", "state_c_after"] if self.streaming else [])]
        if self.int8:
            w, w_scale = zip(*map(quantised, kernels), strict=True)
            r, r_scale = zip(*map(quantised, recurrent), strict=True)
            head = [
                self._constant("lstm4_kernel", np.stack(w)),
                self._constant("lstm4_recurrent", np.stack(r)),
            ]
            zeros = self._constant("lstm4_zero_points", np.zeros((len(layers), 4 * cells), np.int8))
            scales = [self._constant("lstm4_kernel_scale", np.stack(w_scale)), zeros]
            scales += [self._constant("lstm4_recurrent_scale", np.stack(r_scale)), zeros]
            inputs, kind, domain = [x, *head, *tail, "", *scales], "DynamicQuantizeLSTM", _MICROSOFT
        else:
            head = [
                self._constant("lstm4_kernel", np.stack([one.T for one in kernels])),
                self._constant("lstm4_recurrent", np.stack([one.T for one in recurrent])),
            ]
            inputs, kind, domain = [x, *head, *tail], "LSTM", ""
        self._add(kind, inputs, outputs, {"hidden_size": cells, "direction": direction, "domain": domain})
        apart = self._node("Transpose", ["lstm4"], perm=[0, 2, 1, 3])
        shape = self._constant("joined", np.array([0, 0, len(layers) * cells], np.int64))
        return self._node("Reshape", [apart, shape])

    def _node(self, kind: str, inputs: Sequence[str], output: str = "", **attributes: Any) -> str:
        name = output or f"{kind.lower()}_{len(self.nodes)}"
        self._add(kind, inputs, [name], attributes)
        return name

    def _add(
        self, kind: str, inputs: Sequence[str], outputs: Sequence[str], attributes: dict[str, Any]
    ) -> None:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, list(inputs), list(outputs), name=outputs[0], **attributes))

    def _constant(self, name: str, value: Array) -> str:
        from onnx import numpy_helper

        if all(one.name != name for one in self.constants):
            self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def _scalar(self, name: str, value: int) -> str:
        return self._constant(name, np.array(value, np.int64))
