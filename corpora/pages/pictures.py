"""Waveform and spectrogram of a sound, as pages hold them: an SVG path and a PNG inside the page; nothing is played."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from native import flac as codec

WIDTH, WAVE_HEIGHT, ROWS = 320, 40, 64
_WINDOW = 512  # its 256 bins are averaged to ROWS
_FLOOR_DB = -70.0
_SHADES = 32  # 2.2 dB each, which the eye hardly tells apart and a PNG holds in half the bytes
Samples = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class SoundPicture:
    """Attributes:
    wave: an SVG; its colour comes from the page. spectrum: the spectrogram as a `data:image/png` address, time from left
        to right, 0 Hz to half the sampling rate from bottom to top, the loudest place bright, `_FLOOR_DB` below it dark.
    """

    wave: Markup
    spectrum: str


def picture_of(flac: bytes) -> SoundPicture:
    """The picture of one channel of FLAC.

    Raises:
        FlacError: it is no whole FLAC.
    """
    samples = codec.decode(flac).samples
    mono = np.asarray(samples, dtype=np.float32).reshape(len(samples), -1)[:, 0] / 32768.0
    return SoundPicture(_wave(mono), _spectrum(mono))


def _wave(samples: Samples) -> Markup:
    """The lowest and the highest sample of each column, as one closed path."""
    columns = min(WIDTH, max(1, len(samples)))
    edges = np.linspace(0, len(samples), columns + 1).astype(int)[:-1]
    high = np.maximum.reduceat(samples, edges) if len(samples) else np.zeros(1)
    low = np.minimum.reduceat(samples, edges) if len(samples) else np.zeros(1)
    half = WAVE_HEIGHT / 2
    top, bottom = half - half * high, half - half * low + 0.5
    points = [f"{x},{y:.1f}" for x, y in enumerate(top)]
    points += [f"{x},{y:.1f}" for x, y in reversed(list(enumerate(bottom)))]
    return Markup('<svg viewBox="0 0 {} {}" class="wave" aria-hidden="true"><path d="M{}Z"/></svg>').format(
        WIDTH, WAVE_HEIGHT, "L".join(points)
    )


def _spectrum(samples: Samples) -> str:
    from matplotlib.image import imsave

    padded = np.pad(samples, (0, max(0, _WINDOW - len(samples))))
    starts = np.linspace(0, len(padded) - _WINDOW, WIDTH).astype(int)
    frames = padded[starts[:, None] + np.arange(_WINDOW)] * np.hanning(_WINDOW).astype(np.float32)
    power = np.abs(np.fft.rfft(frames, axis=1))[:, 1:] ** 2
    level = 10 * np.log10(np.maximum(power.reshape(WIDTH, ROWS, -1).mean(axis=2), 1e-12))
    shown = np.clip((level - level.max()) / -_FLOOR_DB + 1.0, 0.0, 1.0)
    shown = np.round(shown * _SHADES) / _SHADES
    file = io.BytesIO()
    imsave(
        file,
        shown.T[::-1],
        cmap="magma",
        vmin=0.0,
        vmax=1.0,
        format="png",
        metadata={"Software": "speechmill"},
    )
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
