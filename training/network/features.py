"""Samples -> MFCC frames: the one definition used in training, evaluation and export.

    frames of 32 ms every 20 ms, periodic Hann window -> magnitude spectrum -> 40 mel filters from 20 Hz to
    half the rate -> natural log (+1e-6) -> DCT-II scaled by 1/sqrt(2 * filters) -> the first 26
    coefficients (in C++: native.features)

Audio at another rate is resampled first (soxr, high quality). Context is added inside the network,
whitening by the training set's mean and deviation when batches are cut. Does not read files.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import soxr

from native.features import FrontEnd, FrontEndOptions
from training.network.config import FeatureConfig

Float = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Whitening:
    """Mean and deviation per coefficient, float32 [coefficients]."""

    mean: Float
    deviation: Float

    def apply(self, features: Float) -> Float:
        """Whitened copy of features [frames, coefficients]."""
        return (features - self.mean) / self.deviation

    def as_json(self) -> dict[str, list[float]]:
        """For a checkpoint."""
        return {"mean": self.mean.tolist(), "deviation": self.deviation.tolist()}

    @classmethod
    def of_json(cls, stored: Mapping[str, list[float]]) -> Whitening:
        """What `as_json` gave."""
        return cls(np.asarray(stored["mean"], np.float32), np.asarray(stored["deviation"], np.float32))


def samples_as_float(samples: npt.NDArray[np.generic]) -> Float:
    """Mono samples as float32 in [-1, 1); int16 is divided by 32768."""
    if samples.ndim != 1:
        raise ValueError(f"mono samples are one-dimensional, got shape {samples.shape}")
    if samples.dtype == np.int16:
        return samples.astype(np.float32) / np.float32(32768.0)
    return samples.astype(np.float32, copy=False)


def resample(samples: Float, rate_hz: float, target_hz: float) -> Float:
    """Samples at `target_hz`; returned as they are when the rates agree."""
    if rate_hz == target_hz or len(samples) == 0:
        return samples
    converted: Float = np.asarray(soxr.resample(samples, rate_hz, target_hz, quality="HQ"), dtype=np.float32)
    return converted


def window_length(config: FeatureConfig) -> int:
    """Samples per window."""
    return round(config.window_s * config.sample_rate_hz)


def hop_length(config: FeatureConfig) -> int:
    """Samples per network step."""
    return round(config.hop_s * config.sample_rate_hz)


def frame_counts(num_samples: npt.NDArray[np.integer], config: FeatureConfig) -> npt.NDArray[np.int64]:
    """Frames of utterances of so many samples at the configured rate (whole windows only)."""
    window = window_length(config)
    counts: npt.NDArray[np.int64] = 1 + (num_samples.astype(np.int64) - window) // hop_length(config)
    return np.where(num_samples < window, 0, counts)


def mfcc(samples: npt.NDArray[np.generic], rate_hz: float, config: FeatureConfig) -> Float:
    """Cepstral coefficients of one utterance.

    Args:
        samples: mono, int16 or float32 in [-1, 1), shape [samples].
        rate_hz: their rate; resampled when it is not `config.sample_rate_hz`.

    Returns:
        float32 [frames, coefficients]; zero frames when the audio is shorter than one window.
    """
    return front_end(config).cepstra(_at_rate(samples, rate_hz, config))


def mfcc_many(
    sounds: Sequence[npt.NDArray[np.generic]], rates_hz: Sequence[float], config: FeatureConfig
) -> list[Float]:
    """`mfcc` of several utterances, in one call without the interpreter's lock."""
    pairs = zip(sounds, rates_hz, strict=True)
    return front_end(config).cepstra_many([_at_rate(samples, rate_hz, config) for samples, rate_hz in pairs])


@functools.lru_cache(maxsize=8)
def front_end(config: FeatureConfig) -> FrontEnd:
    """The C++ front end of a configuration, for samples at its rate."""
    return FrontEnd(
        FrontEndOptions(
            sample_rate_hz=config.sample_rate_hz,
            window=window_length(config),
            hop=hop_length(config),
            filters=config.mel_filters,
            low_hz=config.low_hz,
            coefficients=config.coefficients,
        )
    )


def _at_rate(
    samples: npt.NDArray[np.generic], rate_hz: float, config: FeatureConfig
) -> npt.NDArray[np.int16] | Float:
    """Mono samples as the front end takes them: int16 stays as it is where no resampling is needed."""
    if samples.ndim == 1 and samples.dtype == np.int16 and rate_hz == config.sample_rate_hz:
        whole: npt.NDArray[np.int16] = np.ascontiguousarray(samples, np.int16)
        return whole
    return np.ascontiguousarray(resample(samples_as_float(samples), rate_hz, config.sample_rate_hz))


def whitening_of(frames: Float) -> Whitening:
    """Mean and deviation per coefficient over all frames [frames, coefficients]."""
    if len(frames) == 0:
        raise ValueError("no frames to take the mean of: the training set is empty")
    mean = frames.mean(axis=0, dtype=np.float64)
    deviation = np.sqrt(np.maximum(frames.var(axis=0, dtype=np.float64), 1e-10))
    return Whitening(mean.astype(np.float32), deviation.astype(np.float32))
