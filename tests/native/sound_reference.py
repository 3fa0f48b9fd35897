"""The figures of native.sound in plain numpy, in double precision and without any care for speed."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]


def figures(samples: Samples, rate_hz: int) -> dict[str, Any]:
    """What `native.sound.figures` says of int16 `[n]`, n ≥ 1, by name."""
    signal = samples.astype(np.float64) / 32768.0
    levels_db = _levels_db(signal, rate_hz)
    quiet_db, loud_db = np.percentile(levels_db, (10, 95))
    full = (samples == 32767) | (samples == -32768)
    peak = float(np.abs(signal).max())
    return {
        "snr_db": float(np.clip(loud_db - quiet_db, 0, 100)),
        "peak_dbfs": 20 * float(np.log10(peak)) if peak else -120.0,
        "silence_ratio": float(np.mean(levels_db < max(-60.0, loud_db - 35.0))),
        "clipped_ratio": float(np.mean(np.append(full[1:] & full[:-1], False))),
        "bandwidth_hz": _bandwidth_hz(signal, rate_hz),
        "dc_offset": float(signal.mean()),
        "fingerprint": _fingerprint(signal, rate_hz),
    }


def _levels_db(signal: npt.NDArray[np.float64], rate_hz: int) -> npt.NDArray[np.float64]:
    width = min(max(1, round(rate_hz * 0.02)), len(signal))
    frames = signal[: len(signal) // width * width].reshape(-1, width)
    levels: npt.NDArray[np.float64] = 10 * np.log10(np.maximum((frames**2).mean(axis=1), 1e-12))
    return levels


def frame_width(rate_hz: int) -> int:
    """Samples of a frame of about 32 ms."""
    return int(1 << max(3, round(np.log2(rate_hz * 0.032))))


def _powers(frames: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    levelled = frames - frames.mean(axis=1, keepdims=True)
    powers: npt.NDArray[np.float64] = np.abs(np.fft.rfft(levelled * np.hanning(frames.shape[1]), axis=1)) ** 2
    return powers


def _bandwidth_hz(signal: npt.NDArray[np.float64], rate_hz: int) -> float:
    width = frame_width(rate_hz)
    if len(signal) < width:
        signal = np.pad(signal, (0, width - len(signal)))
    frames = signal[: len(signal) // width * width].reshape(-1, width)
    below = _powers(frames[:: 4 if len(frames) >= 16 else 1]).sum(axis=0).cumsum()
    if below[-1] == 0:
        return 0.0
    return float(np.searchsorted(below, 0.9999 * below[-1]) * rate_hz / width)


def _fingerprint(signal: npt.NDArray[np.float64], rate_hz: int) -> str:
    width = frame_width(rate_hz)
    hop = width // 4
    if len(signal) < width + 16 * hop:
        signal = np.pad(signal, (0, width + 16 * hop - len(signal)))
    frames = np.lib.stride_tricks.sliding_window_view(signal * 32768.0, width)[::hop]
    powers = _powers(frames[:: max(1, len(frames) // 408)])
    edges = np.geomspace(200, 3400, 10) * width / rate_hz
    edges = np.minimum(np.round(edges).astype(int), width // 2)
    bands = np.stack([powers[:, a : max(a + 1, b)].sum(axis=1) for a, b in pairwise(edges)], axis=1)
    begin = np.linspace(0, len(bands), 18).astype(int)
    sections = np.stack([bands[a:b].sum(axis=0) for a, b in pairwise(begin)])
    level = np.log(sections + 1.0)
    bits = np.diff(level[:, :-1] - level[:, 1:], axis=0) > 0
    return np.packbits(bits).tobytes().hex()
