"""Recordings that are too long for memory, decoded block by block into a file.

FLAC by the project's own reader, the rest by libsndfile.
"""

from __future__ import annotations

import mmap
import tempfile
from pathlib import Path
from typing import Any, cast

import numpy as np
import soundfile

from corpora.audio import containers
from corpora.audio.recording import EXACT, Recording, Samples, _kept, flac_damage, rounded_from_32, to_int16
from corpora.errors import AudioError
from native import FlacError, flac

LONG_BYTES = 64 << 20  # decoded; above it samples go to a file


_BLOCK_FRAMES = 1 << 18


def _decode_long(path: Path, kind: str) -> Recording:
    """A long file of a kind that libsndfile reads, proven as `audio.decode` does it."""
    if kind == "flac":
        return _spill_flac(path)
    flags: tuple[str, ...] = ()
    expected: tuple[int, int] | None = None  # frames, and how many of them may be missing
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if kind == "wav":
            flags = containers.check_wav(data)
        elif kind == "ogg":
            containers.check_ogg(data)
        elif kind == "mp3":
            mp3 = containers.check_mp3(data)
            expected = (mp3.frames * mp3.samples_per_frame, 4 * mp3.samples_per_frame)
        else:
            containers.check_sized(data, kind)
    recording = _spill(path, kind)
    if expected is not None and expected[0] - len(recording.samples) > expected[1]:
        reason = f"{len(recording.samples)} frames decoded of {expected[0]} declared: cut short"
        raise AudioError("audio_truncated", reason)
    return Recording(recording.samples, recording.sample_rate_hz, None, flags)


def _spill(path: Path, kind: str) -> Recording:
    """Samples of a file through a temporary file."""
    with tempfile.TemporaryFile(prefix="speechmill-") as spill:
        try:
            with soundfile.SoundFile(path) as stream:
                rate_hz, channels = stream.samplerate, stream.channels
                dtype = "float32" if kind == "mp3" or stream.subtype not in EXACT else "int16"
                while len(block := stream.read(_BLOCK_FRAMES, dtype=dtype, always_2d=True)):
                    spill.write(_int16(block).tobytes())
        except (soundfile.LibsndfileError, RuntimeError) as error:
            raise AudioError("audio_corrupt", f"the decoder stopped: {error}") from error
        return _kept(spill, rate_hz, channels)


def _spill_flac(path: Path) -> Recording:
    """Samples of a FLAC through a temporary file. What is mapped of it is given back piece by piece."""
    # Not closed here: an error's traceback may still hold the decoder, and with it the mapping.
    with path.open("rb") as stream:
        data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    with tempfile.TemporaryFile(prefix="speechmill-") as spill:
        try:
            pieces = flac.Pieces(data)
            for piece in pieces.read(_BLOCK_FRAMES):
                spill.write(_int16(piece).tobytes())
                data.madvise(mmap.MADV_DONTNEED)
        except FlacError as error:
            raise flac_damage(error) from error
        recording = _kept(spill, pieces.sample_rate_hz, pieces.channels)
    flags = () if pieces.md5 == "ok" else ("no_md5",)
    return Recording(recording.samples, recording.sample_rate_hz, None, flags)


def _int16(block: Any) -> Samples:
    """A block as the decoders give it: int16, 32 bits wide, or real numbers."""
    if block.dtype == np.int16:
        return cast(Samples, block.astype("<i2", copy=False))
    if block.dtype == np.int32:
        return rounded_from_32(block).astype("<i2", copy=False)
    if not np.isfinite(block).all():
        raise AudioError("audio_not_finite", f"{int((~np.isfinite(block)).sum())} samples are not numbers")
    return to_int16(block).astype("<i2", copy=False)
