"""Samples in pieces to feature frames: the same frames as of the whole sound, wherever the pieces end."""

from __future__ import annotations

from training.network.config import FeatureConfig
from training.network.features import Float, front_end


class FrameStream:
    """Cepstral frames of a sound that comes piece by piece, at the configured rate."""

    def __init__(self, config: FeatureConfig) -> None:
        self.config = config
        self._stream = front_end(config).stream()

    def feed(self, samples: Float) -> Float:
        """float32 [frames, coefficients]: the frames that these samples complete."""
        return self._stream.feed(samples)
