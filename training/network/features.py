"""Samples -> MFCC frames: the one definition used in training, evaluation and export.

    frames of 32 ms every 20 ms, periodic Hann window -> magnitude spectrum -> 40 mel filters from 20 Hz to
    half the rate -> natural log (+1e-6) -> DCT-II scaled by 1/sqrt(2 * filters) -> the first 26
    coefficients

Audio at another rate is resampled first (soxr, high quality). Context is added inside the network,
whitening by the training set's mean and deviation when batches are cut. Does not read files.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import soxr

from training.network.config import FeatureConfig

Float = npt.NDArray[np.float32]
_LOG_FLOOR = np.float32(1e-6)
_MEL_BREAK_HZ = 700.0
_MEL_HIGH_Q = 1127.0


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


@functools.lru_cache(maxsize=8)
def mel_matrix(config: FeatureConfig) -> Float:
    """Weights [bins, mel_filters] of triangular filters, evenly spaced on the mel scale (HTK formula)."""
    bins = fft_length(config) // 2 + 1
    half_rate = config.sample_rate_hz / 2
    edges = np.linspace(_mel(np.array(config.low_hz)), _mel(np.array(half_rate)), config.mel_filters + 2)
    of_bin = _mel(np.linspace(0.0, half_rate, bins))[:, None]
    lower, centre, upper = edges[:-2], edges[1:-1], edges[2:]
    rising = (of_bin - lower) / (centre - lower)
    falling = (upper - of_bin) / (upper - centre)
    weights: Float = np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)
    weights[0] = 0.0
    return weights


def _mel(hz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    result: npt.NDArray[np.float64] = _MEL_HIGH_Q * np.log1p(hz / _MEL_BREAK_HZ)
    return result


@functools.lru_cache(maxsize=8)
def _cosine_matrix(config: FeatureConfig) -> Float:
    filters = config.mel_filters
    order = np.arange(config.coefficients)[None, :]
    position = np.arange(filters)[:, None]
    angles = np.pi * order * (2 * position + 1) / (2 * filters)
    cosines: Float = (2.0 * np.cos(angles) / np.sqrt(2.0 * filters)).astype(np.float32)
    return cosines


def window_length(config: FeatureConfig) -> int:
    """Samples per window."""
    return round(config.window_s * config.sample_rate_hz)


def hop_length(config: FeatureConfig) -> int:
    """Samples per network step."""
    return round(config.hop_s * config.sample_rate_hz)


def fft_length(config: FeatureConfig) -> int:
    """The power of two that holds a window."""
    return 1 << (window_length(config) - 1).bit_length()


def frame_count(num_samples: int, config: FeatureConfig) -> int:
    """Frames of an utterance of `num_samples` at the configured rate (whole windows only)."""
    window = window_length(config)
    return 0 if num_samples < window else 1 + (num_samples - window) // hop_length(config)


def mfcc(samples: npt.NDArray[np.generic], rate_hz: float, config: FeatureConfig) -> Float:
    """Cepstral coefficients of one utterance.

    Args:
        samples: mono, int16 or float32 in [-1, 1), shape [samples].
        rate_hz: their rate; resampled when it is not `config.sample_rate_hz`.

    Returns:
        float32 [frames, coefficients]; zero frames when the audio is shorter than one window.
    """
    audio = resample(samples_as_float(samples), rate_hz, config.sample_rate_hz)
    window = window_length(config)
    if len(audio) < window:
        return np.zeros((0, config.coefficients), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(audio, window)[:: hop_length(config)]
    hann = _hann(window)
    spectrum = np.abs(np.fft.rfft(frames * hann, n=fft_length(config), axis=1)).astype(np.float32, copy=False)
    log_mel = np.log(spectrum @ mel_matrix(config) + _LOG_FLOOR)
    result: Float = log_mel @ _cosine_matrix(config)
    return result


@functools.lru_cache(maxsize=8)
def _hann(length: int) -> Float:
    return (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(length) / length)).astype(np.float32)


def whitening_of(frames: Float) -> Whitening:
    """Mean and deviation per coefficient over all frames [frames, coefficients]."""
    if len(frames) == 0:
        raise ValueError("no frames to take the mean of: the training set is empty")
    mean = frames.mean(axis=0, dtype=np.float64)
    deviation = np.sqrt(np.maximum(frames.var(axis=0, dtype=np.float64), 1e-10))
    return Whitening(mean.astype(np.float32), deviation.astype(np.float32))
