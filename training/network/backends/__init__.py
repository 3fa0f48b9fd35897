"""The training step on JAX, for machines that have JAX and no TensorFlow: the same network, the same face."""
