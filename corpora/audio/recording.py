"""What decoding gives: a recording as int16 `[frames, channels]` at its own rate, in memory or in a file.

Types and rounding only; who decodes what stands in decoding.py, films.py and long.py.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import IO, Any, cast

import numpy as np
import numpy.typing as npt

from corpora.errors import AudioError
from native import FlacError

STORED_RATE_HZ = 16_000
_LOUDEST = 64.0  # times full scale: 36 dB


MIX = -1  # AudioRef.channel: mean of all channels


AUTO = -2  # AudioRef.channel: the only channel that speaks; refuse where that is not clear


MOST_SPILLED_BYTES = 16 << 30  # of one recording's samples in a file: two days of mono at 48 kHz


AHEAD_BYTES = 2 << 20  # of one file's samples, where several are decoded at once


EXACT = {"PCM_16", "PCM_S8", "PCM_U8", "PCM_24", "PCM_32", "ULAW", "ALAW"}


Samples = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Recording:
    """A decoded file: int16 `[frames, channels]` at its own rate.

    Attributes:
        flac: the file's own bytes if they already are what we store (16-bit mono FLAC, ≤ 16 kHz).
    """

    samples: Samples
    sample_rate_hz: int
    flac: bytes | None = None
    flags: tuple[str, ...] = ()

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.sample_rate_hz


def check_real(real: npt.NDArray[np.floating[Any]]) -> None:
    """Raises AudioError where samples are no numbers, or beyond what anybody records: they would be clipped to noise."""
    odd = int((~np.isfinite(real)).sum())
    if odd:
        raise AudioError("audio_not_finite", f"{odd} samples are not numbers")
    beyond = np.abs(real) > _LOUDEST
    if beyond.any():
        raise AudioError(
            "audio_out_of_range",
            f"{int(beyond.sum())} of {beyond.size} samples are beyond {_LOUDEST:g} times full scale, up to "
            f"{np.abs(real).max():g}: were they saved as floats without dividing by 32768, or is the file damaged?",
        )


def to_int16(real: npt.NDArray[np.float32]) -> Samples:
    """Real numbers of −1 to 1, scaled, rounded and clipped."""
    samples: Samples = np.clip(np.rint(real * 32768.0), -32768, 32767).astype(np.int16)
    return samples


def flac_damage(error: FlacError) -> AudioError:
    """What is wrong with a FLAC file, as this package counts it."""
    check = {"truncated": "audio_truncated", "too_big": "recording_too_big"}.get(error.kind, "audio_corrupt")
    where = "" if check != "audio_corrupt" or error.kind == "md5" else "the decoder stopped: "
    return AudioError(check, f"{where}{error}")


def rounded_from_32(wide: npt.NDArray[np.int32]) -> Samples:
    """Samples that fill 32 bits, rounded to 16."""
    rounded: Samples = np.minimum((wide.astype(np.int64) + (1 << 15)) >> 16, 32767).astype(np.int16)
    return rounded


class FileSamples:
    """Samples in a file, read when they are asked for: what is used of an array int16 `[frames, channels]`.

    A mapping would count its pages as memory of the process; reading keeps an hour as cheap as a minute.
    """

    dtype = np.dtype(np.int16)

    def __init__(self, stream: IO[bytes], channels: int) -> None:
        self._handle = os.dup(stream.fileno())
        self.shape = (os.fstat(self._handle).st_size // (2 * channels), channels)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, frames: slice) -> Samples:
        start, stop, step = frames.indices(self.shape[0])
        width = 2 * self.shape[1]
        data = os.pread(self._handle, max(0, stop - start) * width, start * width)
        return np.frombuffer(data, dtype="<i2").reshape(-1, self.shape[1])[::step]

    def __del__(self) -> None:
        os.close(self._handle)


def _kept(spill: IO[bytes], rate_hz: int, channels: int) -> Recording:
    """The samples in a temporary file as a recording; the file lives as long as they do."""
    spill.flush()
    samples = FileSamples(spill, channels)
    if not len(samples):
        raise AudioError("audio_empty", "the file holds no samples")
    return Recording(cast(Samples, samples), rate_hz)
