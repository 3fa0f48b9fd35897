"""Samples in pieces to feature frames: the same frames as of the whole sound, wherever the pieces end."""

from __future__ import annotations

import numpy as np

from training.network.config import FeatureConfig
from training.network.features import Float, frame_count, hop_length, mfcc


class FrameStream:
    """Cepstral frames of a sound that comes piece by piece, at the configured rate."""

    def __init__(self, config: FeatureConfig) -> None:
        self.config = config
        self._hop = hop_length(config)
        self._tail = np.zeros(0, np.float32)

    def feed(self, samples: Float) -> Float:
        """float32 [frames, coefficients]: the frames that these samples complete."""
        audio = np.concatenate([self._tail, samples])
        count = frame_count(len(audio), self.config)
        self._tail = audio[count * self._hop :]
        return mfcc(audio, self.config.sample_rate_hz, self.config)
