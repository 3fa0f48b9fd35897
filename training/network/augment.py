"""Changes to whitened feature batches while training: offset, noise, masks of time and coefficients.

Pure functions of (seed, step), so that a resumed run repeats them exactly. Playing speed is not here: it
changes the audio before features (dataset.py, variants).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from training.network.config import AugmentConfig
from training.network.dataset import Batch


def augment(batch: Batch, config: AugmentConfig, seed: int, step: int) -> Batch:
    """The batch with changes; frames beyond each utterance's length stay zero."""
    if not (config.feature_offset or config.feature_noise or config.time_masks or config.frequency_masks):
        return batch
    generator = np.random.default_rng([seed, step, 11])
    features = batch.features.copy()
    size, frames, coefficients = features.shape
    if config.feature_offset:
        offsets = generator.standard_normal((size, 1, coefficients), dtype=np.float32)
        features += np.float32(config.feature_offset) * offsets
    if config.feature_noise:
        features += np.float32(config.feature_noise) * generator.standard_normal(
            features.shape, dtype=np.float32
        )
    steps = np.arange(frames)
    for _ in range(config.time_masks):
        lengths = generator.integers(0, config.time_mask_frames + 1, size=size)
        starts = (generator.random(size) * np.maximum(1, batch.lengths - lengths)).astype(np.int64)
        masked = (steps >= starts[:, None]) & (steps < (starts + lengths)[:, None])
        features[masked] = 0.0
    places = np.arange(coefficients)
    for _ in range(config.frequency_masks):
        widths = generator.integers(0, min(coefficients, config.frequency_mask_coefficients) + 1, size=size)
        starts = (generator.random(size) * (coefficients - widths + 1)).astype(np.int64)
        masked = (places >= starts[:, None]) & (places < (starts + widths)[:, None])
        features = np.where(masked[:, None, :], np.float32(0), features)
    features[steps >= batch.lengths[:, None]] = 0.0
    return dataclasses.replace(batch, features=features)
