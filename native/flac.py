"""FLAC in C++: files into samples, mono 16-bit samples into the bytes of a file.

Decoding makes every check the format offers: header and frame sums, numbering, the declared total, MD5. What does
not agree raises `FlacError`; there is never a silently short or changed answer.

Encoding gives the same bytes for the same samples on every machine and whatever is installed there;
`ENCODER_VERSION` counts up when they change, and stands in the keys of caches. Does not resample, mix or read files.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import _core
from .errors import FlacError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    ENCODER_VERSION: int

__all__ = [
    "ENCODER_VERSION",
    "MOST_BYTES",
    "FlacSound",
    "Pieces",
    "decode",
    "decode_many",
    "encode",
    "encode_many",
]

MOST_BYTES = 2_000_000_000  # of samples that are decoded at once

Bytes = bytes | bytearray | memoryview | mmap.mmap


def __getattr__(name: str) -> Any:
    if name == "ENCODER_VERSION":  # asked of the library only when it is needed
        return _core.FLAC_ENCODER_VERSION
    raise AttributeError(f"module 'native.flac' has no attribute {name!r}")


@dataclass(frozen=True)
class FlacSound:
    """A decoded file.

    Attributes:
        samples: `[frames, channels]`, int16 for up to 16 bits, else int32; filled from the top bit, so that
            full scale is full scale of the type.
        bits: of the samples in the file, 4 to 32.
        md5: "ok": the file states its samples' MD5, and they have it; "none": it states none.
        used_bytes: of the file, up to the end of its last block: what stands behind them is no FLAC.
    """

    samples: npt.NDArray[Any]
    sample_rate_hz: int
    bits: int
    md5: str
    used_bytes: int


def _sound(answer: tuple[npt.NDArray[Any], int, int, bool, int]) -> FlacSound:
    samples, sample_rate_hz, bits, has_md5, size = answer
    return FlacSound(samples, sample_rate_hz, bits, "ok" if has_md5 else "none", size)


def decode(data: Bytes, most_bytes: int = MOST_BYTES) -> FlacSound:
    """A whole file, from its bytes. Releases the GIL.

    Memory grows with what is decoded, never by what a header claims.

    Raises:
        FlacError: damaged, cut short, of a reserved kind, or more than `most_bytes` of samples; see its kind.
    """
    return _sound(_core.flac_decode(data, most_bytes))


def decode_many(files: Sequence[Bytes], most_bytes: int = MOST_BYTES) -> list[FlacSound | FlacError]:
    """Several whole files: for each, in order, what `decode` returns or raises (returned here, not raised).

    The MD5 of 8- to 16-file groups costs a fifth of what it costs one by one, because eight are summed side by
    side (AVX2; without it they are summed one after the other). All samples are in memory at once: give some
    16 utterances, not a corpus. `most_bytes` is the limit of each file. Releases the GIL.
    """
    answers = _core.flac_decode_many(files, most_bytes)
    return [answer if isinstance(answer, FlacError) else _sound(answer) for answer in answers]


class Pieces:
    """A file that is decoded piece by piece, in bounded memory, from bytes or a mapped file.

    The bytes are in use as long as this object lives.

    Raises:
        FlacError: the metadata are damaged; while iterating, as `decode`. Only what has been read to the end
            is proved to be whole.
    """

    def __init__(self, data: Bytes) -> None:
        self._pieces = _core.FlacPieces(data)
        self.sample_rate_hz = self._pieces.sample_rate_hz
        self.channels = self._pieces.channels
        self.bits = self._pieces.bits
        self.md5 = "ok" if self._pieces.has_md5 else "none"

    def read(self, frames: int) -> Iterator[npt.NDArray[Any]]:
        """Samples as in `FlacSound`, in pieces of at least `frames` (1 or more) and some blocks more at most."""
        while len(piece := self._pieces.read(frames)):
            yield piece


def encode(samples: npt.NDArray[np.int16], sample_rate_hz: int) -> bytes:
    """Mono samples, int16 `[samples]` in one piece, as a whole FLAC file (RFC 9639) with their MD5.

    Read in place; releases the GIL. Rates from 1 to 655,350 Hz.
    Raises ValueError for no samples, a rate outside that range, or samples with gaps in memory; TypeError for
    another type or shape.
    """
    return _core.flac_encode(samples, sample_rate_hz)


def encode_many(sounds: Sequence[tuple[npt.NDArray[np.int16], int]]) -> list[bytes]:
    """For each (samples, rate in Hz) the file that `encode` makes of it, and its errors.

    The MD5 of eight are summed side by side (AVX2), which halves the time; give 16 utterances or so, not a corpus.
    """
    return _core.flac_encode_many(sounds)
