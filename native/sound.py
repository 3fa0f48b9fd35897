"""Figures of one utterance's sound, measured in C++ in one go: levels, spectrum, fingerprint.

    figures(samples, 16_000).snr_db

Samples are read in place and the GIL is released. The same samples have the same figures on every machine,
bit by bit. What they mean for an utterance is decided by who asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from . import _core

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["SoundFigures", "channel_energies", "figures"]


class SoundFigures(NamedTuple):
    """What `figures` answers.

    Attributes:
        snr_db: level of the loud frames of 20 ms (95 % quantile) over the quiet ones (10 %), 0–100.
        peak_dbfs: −120 (digital silence) to 0.
        silence_ratio: share of the frames below −60 dBFS or 35 dB below the loud ones.
        clipped_ratio: share of the samples at full scale whose neighbour is there too.
        bandwidth_hz: 99.99 % of the energy lies below, 0 for silence.
        dc_offset: mean, −1 to 1.
        fingerprint: of how it sounds, 32 hex digits (corpora/fingerprint.py says what it is good for).
    """

    snr_db: float
    peak_dbfs: float
    silence_ratio: float
    clipped_ratio: float
    bandwidth_hz: float
    dc_offset: float
    fingerprint: str


def figures(samples: npt.NDArray[np.int16], sample_rate_hz: int, *, portable: bool = False) -> SoundFigures:
    """All figures of mono sound.

    Args:
        samples: int16 `[n]`, n ≥ 1, without gaps.
        sample_rate_hz: 1 to 768,000.
        portable: do without vector instructions, for tests: it changes nothing in the figures.

    Raises:
        TypeError: not int16, or a strided view. ValueError: no samples, more than one dimension, such a rate.
    """
    return SoundFigures(*_core.sound_figures(samples, sample_rate_hz, portable))


def channel_energies(pairs: npt.NDArray[np.int16]) -> tuple[int, int]:
    """The sums of the squares of both channels of int16 `[frames, 2]`, exactly.

    Raises:
        TypeError: not int16, or a strided view. ValueError: not two channels.
    """
    return _core.channel_energies(pairs)
