"""FLAC in C++: mono 16-bit samples into the bytes of a file.

The same samples give the same bytes on every machine and whatever is installed there; `ENCODER_VERSION` counts up
when they change, and stands in the keys of caches. Does not resample, mix or read files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from native import _core

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["ENCODER_VERSION", "encode"]

ENCODER_VERSION = _core.FLAC_ENCODER_VERSION


def encode(samples: npt.NDArray[np.int16], sample_rate_hz: int) -> bytes:
    """Mono samples, int16 `[samples]` in one piece, as a whole FLAC file (RFC 9639) with their MD5.

    Read in place; releases the GIL. Rates from 1 to 655,350 Hz.
    Raises ValueError for no samples, a rate outside that range, or samples with gaps in memory; TypeError for
    another type or shape.
    """
    return _core.flac_encode(samples, sample_rate_hz)
