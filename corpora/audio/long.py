"""Recordings that are too long for memory, decoded block by block into a file.

FLAC by the project's own reader, the rest by libsndfile.
"""

from __future__ import annotations

import io
import mmap
import shutil
import tempfile
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from corpora.audio import containers
from corpora.audio.decoding import UnknownToLibsndfile, opened
from corpora.audio.films import decode_film
from corpora.audio.ogg_pages import check_ogg
from corpora.audio.recording import (
    EXACT,
    MOST_SPILLED_BYTES,
    Recording,
    Samples,
    _kept,
    check_real,
    flac_damage,
    rounded_from_32,
    to_int16,
)
from corpora.audio.wav_chunks import WavLayout, wav_layout
from corpora.errors import AudioError, CorporaError
from native import FlacError, flac

LONG_BYTES = 64 << 20  # decoded; above it samples go to a file
_SURELY_SHORT = 64 << 10  # packed: no lossy form that libsndfile reads makes more than `LONG_BYTES` of it


_BLOCK_FRAMES = 1 << 18


def is_long(file: Path | io.BytesIO, kind: str) -> bool:
    """Whether a file of this kind unpacks to more than memory should hold; silence packs to almost nothing.

    Raises:
        AudioError: the header of a FLAC is damaged.
    """
    packed_bytes = file.stat().st_size if isinstance(file, Path) else len(file.getbuffer())
    if packed_bytes > LONG_BYTES:
        return True
    if kind == "flac":
        with file.open("rb") if isinstance(file, Path) else file as stream:
            info = containers.flac_info(stream.read(64))
        unknown = info.frames == 0 and packed_bytes > _SURELY_SHORT
        return unknown or info.frames * info.channels * 2 > LONG_BYTES
    if packed_bytes < _SURELY_SHORT:
        return False
    try:
        with opened(file) as stream:
            return bool(stream.frames * stream.channels * 2 > LONG_BYTES)
    except UnknownToLibsndfile:
        return packed_bytes * 16 > LONG_BYTES


def _decode_long(path: Path, kind: str) -> Recording:
    """A long file of a kind that libsndfile reads, proven as `audio.decode` does it."""
    if kind == "flac":
        return _spill_flac(path)
    flags: tuple[str, ...] = ()
    layout: WavLayout | None = None
    expected: tuple[int, int] | None = None  # frames, and how many of them may be missing
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if kind == "wav":
            layout = wav_layout(data)
            flags = layout.flags
        elif kind == "ogg":
            flags = check_ogg(data)
        elif kind == "mp3":
            mp3, flags = containers.check_mp3(data)
            expected = (mp3.frames * mp3.samples_per_frame, 4 * mp3.samples_per_frame)
        else:
            containers.check_sized(data, kind)
    try:
        recording = _spill_with_header(path, layout) if layout and layout.needs_header else _spill(path, kind)
    except UnknownToLibsndfile:
        recording = decode_film(path)
    if expected is not None and expected[0] - len(recording.samples) > expected[1]:
        reason = f"{len(recording.samples)} frames decoded of {expected[0]} declared: cut short"
        raise AudioError("audio_truncated", reason)
    return Recording(recording.samples, recording.sample_rate_hz, None, (*flags, *recording.flags))


def _spill_with_header(path: Path, layout: WavLayout) -> Recording:
    """A WAV whose sizes cannot be used, through a copy with a header that says what is there."""
    with tempfile.NamedTemporaryFile(prefix="speechmill-", suffix=".wav") as copy:
        copy.write(layout.header())
        with path.open("rb") as stream:
            stream.seek(layout.at)
            shutil.copyfileobj(stream, copy, 1 << 20)
        copy.flush()
        return _spill(Path(copy.name), "wav")


def _spill(path: Path, kind: str) -> Recording:
    """Samples of a file through a temporary file."""
    with tempfile.TemporaryFile(prefix="speechmill-") as spill:
        with opened(path) as stream:
            rate_hz, channels = stream.samplerate, stream.channels
            dtype = "float32" if kind == "mp3" or stream.subtype not in EXACT else "int16"
            try:
                while len(block := stream.read(_BLOCK_FRAMES, dtype=dtype, always_2d=True)):
                    _write(spill, block)
            except CorporaError:
                raise
            except Exception as error:  # soundfile lets through what its own reading of sizes raises
                raise AudioError("audio_corrupt", f"the decoder stopped: {error}") from error
        return _kept(spill, rate_hz, channels)


def _write(spill: IO[bytes], block: Any) -> None:
    if spill.tell() > MOST_SPILLED_BYTES:
        raise AudioError(
            "recording_too_big", f"more than {MOST_SPILLED_BYTES >> 30} GiB of samples; split the recording"
        )
    spill.write(_int16(block).tobytes())


def _spill_flac(path: Path) -> Recording:
    """Samples of a FLAC through a temporary file. What is mapped of it is given back piece by piece."""
    # Not closed here: an error's traceback may still hold the decoder, and with it the mapping.
    with path.open("rb") as stream:
        data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    with tempfile.TemporaryFile(prefix="speechmill-") as spill:
        try:
            pieces = flac.Pieces(data)
            for piece in pieces.read(_BLOCK_FRAMES):
                _write(spill, piece)
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
    check_real(block)
    return to_int16(block).astype("<i2", copy=False)
