"""The front end in plain numpy: what `training.network.features.mfcc` must equal to 1e-4."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from training.network.config import FeatureConfig
from training.network.features import Float, frame_counts, hop_length, window_length

LOG_FLOOR = 1e-6


def mel_matrix(config: FeatureConfig) -> Float:
    """Weights [bins, mel_filters] of triangular filters, evenly spaced on the mel scale (HTK formula)."""
    half_rate = config.sample_rate_hz / 2
    bins = fft_length(config) // 2 + 1
    edges = np.linspace(_mel(np.array(config.low_hz)), _mel(np.array(half_rate)), config.mel_filters + 2)
    of_bin = _mel(np.linspace(0.0, half_rate, bins))[:, None]
    lower, centre, upper = edges[:-2], edges[1:-1], edges[2:]
    rising = (of_bin - lower) / (centre - lower)
    falling = (upper - of_bin) / (upper - centre)
    weights: Float = np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)
    weights[0] = 0.0
    return weights


def _mel(hz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    result: npt.NDArray[np.float64] = 1127.0 * np.log1p(hz / 700.0)
    return result


def fft_length(config: FeatureConfig) -> int:
    """The power of two that holds a window."""
    return 1 << (window_length(config) - 1).bit_length()


def mfcc(audio: npt.NDArray[Any], config: FeatureConfig, dtype: type = np.float32) -> npt.NDArray[Any]:
    """Cepstra [frames, coefficients] of samples at the configured rate, computed in float32 or float64."""
    window = window_length(config)
    if not int(frame_counts(np.array(len(audio)), config)):
        return np.zeros((0, config.coefficients), dtype)
    frames: npt.NDArray[Any] = np.lib.stride_tricks.sliding_window_view(audio.astype(dtype), window)[
        :: hop_length(config)
    ]
    hann = (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(window) / window)).astype(np.float32)
    spectrum: npt.NDArray[Any] = np.abs(
        np.fft.rfft(frames * hann.astype(dtype), n=fft_length(config), axis=1)
    ).astype(dtype)
    log_mel = np.log(spectrum @ mel_matrix(config).astype(dtype) + dtype(LOG_FLOOR))
    order = np.arange(config.coefficients)[None, :]
    position = np.arange(config.mel_filters)[:, None]
    angles = np.pi * order * (2 * position + 1) / (2 * config.mel_filters)
    cosines = (2.0 * np.cos(angles) / np.sqrt(2.0 * config.mel_filters)).astype(dtype)
    result: npt.NDArray[Any] = log_mel @ cosines
    return result
