"""What training costs: its feed beside tf.data, its step beside a plain Keras model, its checkpoints, its waiting."""
