"""Figures of one utterance's sound: level, clipping, silence, noise, bandwidth.

Plain numpy over int16 samples, about 0.3 s of CPU per hour of audio. What a figure means for the utterance is
decided in quality.py, never here.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FLOOR_DB = -120.0
_FRAME_S = 0.02
_SILENT_DB = -60.0
_BELOW_SPEECH_DB = 35.0
_SPECTRUM_EVERY = 4  # frames
_ENERGY_SHARE = 0.9999

Samples = npt.NDArray[np.int16]


def measure(samples: Samples, sample_rate_hz: int, text: str) -> dict[str, float | None]:
    """The columns of `utterance.MEASURES` for one utterance.

    Args:
        samples: int16 `[n]`, n ≥ 1.

    Returns:
        snr_db (loud frames over quiet frames, 0–100), peak_dbfs, silence_ratio (0–1), clipped_ratio (0–1),
        bandwidth_hz (99.99 % of the energy lies below), dc_offset (−1–1), chars_per_s; other_channel_db
        is None: only who has the other side of a call (audio.other_channel_db) can tell.
    """
    signal = samples.astype(np.float32) / 32768.0
    peak = float(np.abs(signal).max())
    frames_db = _frame_levels_db(signal, sample_rate_hz)
    quiet_db, loud_db = np.percentile(frames_db, (10, 95))
    silent_below_db = max(_SILENT_DB, float(loud_db) - _BELOW_SPEECH_DB)
    return {
        "snr_db": float(np.clip(loud_db - quiet_db, 0.0, 100.0)),
        "peak_dbfs": _decibel(peak * peak),
        "silence_ratio": float(np.mean(frames_db < silent_below_db)),
        "clipped_ratio": _clipped_ratio(samples),
        "bandwidth_hz": _bandwidth_hz(signal, sample_rate_hz),
        "dc_offset": float(signal.mean(dtype=np.float64)),
        "chars_per_s": len(text) * sample_rate_hz / len(samples),
        "other_channel_db": None,
    }


def _decibel(power: float) -> float:
    return max(FLOOR_DB, 10.0 * float(np.log10(power))) if power > 0 else FLOOR_DB


def _frame_levels_db(signal: npt.NDArray[np.float32], rate_hz: int) -> npt.NDArray[np.float64]:
    """Level of every 20 ms, dBFS; at least one."""
    width = max(1, round(rate_hz * _FRAME_S))
    count = max(1, len(signal) // width)
    frames = signal[: count * width].reshape(count, -1)
    power = np.einsum("ij,ij->i", frames, frames, dtype=np.float64) / frames.shape[1]
    levels: npt.NDArray[np.float64] = 10.0 * np.log10(np.maximum(power, 1e-12))
    return levels


def _clipped_ratio(samples: Samples) -> float:
    """Share of samples at full scale whose neighbour is there too."""
    full = (samples >= 32767) | (samples <= -32768)
    if not full.any():
        return 0.0
    return float(np.count_nonzero(full[1:] & full[:-1]) / len(samples))


def _bandwidth_hz(signal: npt.NDArray[np.float32], rate_hz: int) -> float:
    """The frequency below which 99.99 % of the energy lies; 0 for silence."""
    width = 1 << round(np.log2(rate_hz * 0.032))
    count = len(signal) // width
    if count == 0:
        signal, count = np.pad(signal, (0, width - len(signal))), 1
    step = _SPECTRUM_EVERY if count >= 4 * _SPECTRUM_EVERY else 1
    frames = signal[: count * width].reshape(count, width)[::step]
    frames = (frames - frames.mean(axis=1, keepdims=True)) * np.hanning(width).astype(np.float32)
    power = (np.abs(np.fft.rfft(frames, axis=1)) ** 2).sum(axis=0)
    total = power.sum()
    if total <= 0:
        return 0.0
    bin_at = int(np.searchsorted(np.cumsum(power), _ENERGY_SHARE * total))
    return float(min(bin_at, width // 2) * rate_hz / width)
