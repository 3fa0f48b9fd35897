"""NIST SPHERE audio: header and samples, decoded in C++.

Reads pcm, mu-law and A-law, plain or (pcm, mu-law) compressed by shorten. Truncated data, damaged data and a
checksum that does not agree raise `SphereError`; there is never a silently short answer. Does not resample.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from . import _core

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["info", "read"]


def info(file: str | os.PathLike[str] | bytes) -> dict[str, Any]:
    """The header of a SPHERE file (a path, or the file's bytes).

    Keys: sample_rate_hz, channels, num_samples (per channel, as the file holds; as declared for shorten),
    num_samples_declared (None if absent), duration_s, coding ("pcm", "ulaw", "alaw"), compression ("none",
    "shorten"), sample_bytes, byte_order ("little", "big", "none"), checksum (None if absent), header_bytes,
    truncated (reading would raise), flags (list of what was odd), fields (the header's own lines).
    Raises SphereError naming file and cause.
    """
    return _core.sphere_info(file)


def read(
    file: str | os.PathLike[str] | bytes, start: int = 0, stop: int | None = None, verify: bool = True
) -> npt.NDArray[np.int16]:
    """Samples `start` to `stop` (per channel, None: to the end) as int16 `[samples, channels]`.

    A whole read verifies the header's checksum, unless `verify` is false. A stretch of a shorten stream is
    decoded to its end and no further. 8-bit pcm is scaled to 16 bits. Releases the GIL.
    Raises SphereError on truncation (samples there and expected), damage, or a span outside the file;
    SphereChecksumError where all samples are there but do not have the header's sum.
    """
    return _core.sphere_read(file, start, stop, verify)
