"""Figures of one utterance's sound as columns of a row: level, clipping, silence, noise, bandwidth, pace.

Measured in C++ (native/sound.py), about 0.06 s of CPU per hour of audio without the hash of the samples. What a
figure means for the utterance is decided in quality.py, never here.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from native import sound

VERSION = 2  # of how the figures are measured: those of another version are not reused

Samples = npt.NDArray[np.int16]


def measure(samples: Samples, sample_rate_hz: int, text: str) -> dict[str, float | None]:
    """The columns of `utterance.MEASURES` for one utterance.

    Args:
        samples: int16 `[n]`, n ≥ 1.

    Returns:
        What `measures_of` says.
    """
    figures = sound.figures(np.ascontiguousarray(samples), sample_rate_hz)
    return measures_of(figures, len(text) * sample_rate_hz / len(samples))


def measures_of(figures: sound.SoundFigures, chars_per_s: float) -> dict[str, float | None]:
    """The columns of `utterance.MEASURES` for sound that was measured.

    Returns:
        snr_db (loud frames over quiet frames, 0–100), peak_dbfs, silence_ratio (0–1), clipped_ratio (0–1),
        bandwidth_hz (99.99 % of the energy lies below), dc_offset (−1–1), chars_per_s; other_channel_db
        is None: only who has the other side of a call (audio.other_channel_db) can tell.
    """
    return {
        "snr_db": figures.snr_db,
        "peak_dbfs": figures.peak_dbfs,
        "silence_ratio": figures.silence_ratio,
        "clipped_ratio": figures.clipped_ratio,
        "bandwidth_hz": figures.bandwidth_hz,
        "dc_offset": figures.dc_offset,
        "chars_per_s": chars_per_s,
        "other_channel_db": None,
    }
