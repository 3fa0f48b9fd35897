"""The forms a network can leave in: how each is written and how its own runtime computes it.

    onnx, onnx-int8      written node by node (graph.py), computed by ONNX Runtime
    litert, litert-int8  the frozen TensorFlow graph through the LiteRT converter, one utterance at a time
    saved-model          TensorFlow, samples of features in, texts out: the beam search is an op inside

Nothing is published here: `export.py` checks what these answer and gives files their names.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from training.decoding.acoustic import Network
from training.network.backends.tensorflow_step import start_tensorflow
from training.network.checkpoint import Checkpoint
from training.network.config import parse_config
from training.network.features import Float, Whitening
from training.network.model import NetworkShape
from training.release.graph import NetworkWeights, network_graph
from training.release.verify import Forward


def weights_of(checkpoint: Checkpoint) -> NetworkWeights:
    """What a graph is written from."""
    meta = checkpoint.meta
    config = parse_config(str(meta["config"]), "configuration in the checkpoint")
    arrays = {
        name.removeprefix("model/"): value
        for name, value in checkpoint.arrays.items()
        if name.startswith("model/") and "random_state" not in name
    }
    whitening = Whitening.of_json(meta["whitening"])
    shape = NetworkShape.of(config.features, config.model, len(meta["labels"]) + 1)
    return NetworkWeights(
        arrays=arrays,
        mean=whitening.mean,
        deviation=whitening.deviation,
        relu_clip=config.model.relu_clip,
        context=shape.context,
        lookahead=shape.lookahead,
        facts={
            "labels": list(meta["labels"]),
            "front_end": vars(config.features),
            "lookahead": shape.lookahead,
            "mean": whitening.mean.tolist(),
        },
    )


def onnx_bytes(checkpoint: Checkpoint, int8: bool = False, streaming: bool = False) -> bytes:
    """The ONNX file of a checkpoint."""
    return network_graph(weights_of(checkpoint), int8, streaming)


def onnx_forward(data: bytes, threads: int = 1) -> Forward:
    """What ONNX Runtime computes of a file that takes whole utterances."""
    from training.runtime.network import open_session

    session = open_session(data, threads)

    def forward(features: Float, lengths: npt.NDArray[np.int32]) -> Float:
        answer: Float = session.run(["log_probs"], {"features": features, "lengths": lengths})[0]
        return answer

    return forward


def streaming_forward(data: bytes) -> Forward:
    """What ONNX Runtime computes of a file that is fed some frames at a time."""
    from training.runtime.network import ForwardNetwork

    network = ForwardNetwork(data)

    def forward(features: Float, lengths: npt.NDArray[np.int32]) -> Float:
        rows = network.log_probs([features[place, :length] for place, length in enumerate(lengths)])
        return _padded(rows, features.shape[1])

    return forward


def _padded(rows: list[Float], frames: int) -> Float:
    padded = np.zeros((len(rows), frames, rows[0].shape[1]), np.float32)
    for place, row in enumerate(rows):
        padded[place, : len(row)] = row
    return padded


def litert_bytes(network: Network, int8: bool = False) -> bytes:
    """The LiteRT file: features [1, frames, coefficients] before whitening -> log-probabilities [1, frames, labels].

    The graph is frozen first: from variables the converter makes a file without weights that fails only when it is
    used. One utterance at a time, so no lengths.
    """
    tf = start_tensorflow(network.config.loop.threads)
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    whitening, model = network.whitening, network.model
    coefficients = network.config.features.coefficients

    def forward(features: Any) -> Any:
        white = (features - whitening.mean) / whitening.deviation
        lengths = tf.shape(features)[1:2]
        return tf.nn.log_softmax(model([white, lengths], training=False))

    signature = [tf.TensorSpec((1, None, coefficients), tf.float32, name="features")]
    traced = tf.function(forward, input_signature=signature).get_concrete_function()
    frozen = convert_variables_to_constants_v2(traced)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if int8:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    data: bytes = converter.convert()
    return data


def litert_forward(data: bytes, threads: int = 1) -> Forward:
    """What LiteRT computes, utterance by utterance."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=data, num_threads=threads)
    entry = interpreter.get_input_details()[0]["index"]
    answer = interpreter.get_output_details()[0]["index"]

    def one(features: Float) -> Float:
        interpreter.resize_tensor_input(entry, [1, *features.shape])
        interpreter.allocate_tensors()
        interpreter.set_tensor(entry, features[None])
        interpreter.invoke()
        found: Float = interpreter.get_tensor(answer)[0]
        return found

    def forward(features: Float, lengths: npt.NDArray[np.int32]) -> Float:
        return _padded(
            [one(features[place, :length]) for place, length in enumerate(lengths)], features.shape[1]
        )

    return forward


def save_tensorflow(
    network: Network, lm_dir: str | None, decoder: dict[str, Any] | None, folder: str
) -> None:
    """A SavedModel: features before whitening and lengths -> log_probs, texts, scores; the search is inside.

    Who opens it calls `ctc_op.load()` first. The language model's folder travels as an absolute path.
    """
    tf = start_tensorflow(network.config.loop.threads)
    from training.decoding.ctc_op import BeamSearchDecoder, BeamSearchSettings
    from training.decoding.weights import alphabet_of_network

    chosen = decoder or {}
    known = {key: chosen[key] for key in ("alpha", "beta", "beam_width", "mode") if key in chosen}
    search = BeamSearchDecoder(
        alphabet_of_network(network.labels), BeamSearchSettings(lm_dir=lm_dir, **known)
    )
    whitening = network.whitening

    def recognise(features: Any, lengths: Any) -> Any:
        white = (features - whitening.mean) / whitening.deviation
        log_probs = tf.nn.log_softmax(network.model([white, lengths], training=False))
        found = search(log_probs, lengths)
        return {"log_probs": log_probs, "texts": found.texts, "scores": found.scores}

    module = tf.Module()
    module.network = network.model
    coefficients = network.config.features.coefficients
    signature = [tf.TensorSpec((None, None, coefficients), tf.float32), tf.TensorSpec((None,), tf.int32)]
    module.recognise = tf.function(recognise, input_signature=signature)
    tf.saved_model.save(module, folder, signatures={"serving_default": module.recognise})


def tensorflow_forward(folder: str) -> Forward:
    """What an opened SavedModel computes."""
    tf = start_tensorflow()
    from training.decoding.ctc_op import load

    load()
    module = tf.saved_model.load(folder)

    def forward(features: Float, lengths: npt.NDArray[np.int32]) -> Float:
        answer: Float = module.recognise(features, lengths)["log_probs"].numpy()
        return answer

    forward.module = module  # type: ignore[attr-defined]  # its variables live as long as who asks
    return forward
