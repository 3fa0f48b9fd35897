"""Shards -> features -> batches -> a trained network -> a measured word error rate.

Start with `config.py`, then follow an utterance: `features.py`, `dataset.py`, `model.py`, `loop.py`,
`evaluate.py`. TensorFlow is imported inside the functions that need it, never on import.
"""
