"""A fingerprint of a recording's sound that survives another codec, level, rate or a little cutting.

128 bits: in 16 steps through the recording and between 8 neighbouring bands from 200 to 3400 Hz, whether the
balance of the two bands rises or falls (the idea of Haitsma and Kalker, ISMIR 2002, stretched over the whole
recording; computed in C++, native/sound.py). Two takes of one sentence differ in about half of the bits, a copy
in few: near_copies.py. It finds most copies, not all: what proves that two sounds are equal is the hash of their samples.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from native import FlacError, flac, sound

VERSION = 2  # fingerprints of another version are not comparable; 1, where nobody says
UNKNOWN = "0" * 32  # near to nothing
NEAR_BITS = 20  # at most so many of the 128 differ between copies


def fingerprint(samples: npt.NDArray[np.int16], sample_rate_hz: int) -> str:
    """The fingerprint as 32 hex digits.

    Args:
        samples: int16 `[n]`, n ≥ 1, mono.
    """
    return sound.figures(np.ascontiguousarray(samples), sample_rate_hz).fingerprint


def fingerprint_of_stored(stored: bytes) -> str:
    """The fingerprint of a row's sound, for rows whose own is of another version; zeros where it is damaged."""
    try:
        decoded = flac.decode(stored)
    except FlacError:
        return UNKNOWN
    return fingerprint(decoded.samples[:, 0], decoded.sample_rate_hz) if len(decoded.samples) else UNKNOWN


def as_words(hex_text: str) -> tuple[int, int]:
    """A fingerprint as two unsigned 64-bit numbers."""
    return int(hex_text[:16], 16), int(hex_text[16:], 16)
