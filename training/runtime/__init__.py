"""The engine that turns sound into log-probabilities and words: numpy, ONNX Runtime and `native`, no TensorFlow."""
