"""Any stretch of a source → mono int16 at its native rate (at most 16 kHz), verified and hashed.

Decoding happens in this process (the project's own readers for FLAC and SPHERE, else soundfile). Only what
libsndfile does not know goes through ffmpeg (films.py). Whatever the decoder, the number of frames is compared
with what the container declares, and FLAC with its MD5: exit statuses prove nothing. FLAC bytes that already are what
we store pass through unchanged. Nothing is cleaned, trimmed or made louder here.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile

from corpora.audio import containers
from corpora.audio.ogg_pages import check_ogg
from corpora.audio.recording import (
    AHEAD_BYTES,
    EXACT,
    STORED_RATE_HZ,
    Recording,
    Samples,
    check_real,
    flac_damage,
    rounded_from_32,
    to_int16,
)
from corpora.audio.wav_chunks import wav_layout
from corpora.errors import AudioError, CorporaError
from native import FlacError, SphereChecksumError, SphereError, flac, sphere

_MAX_DECODED_BYTES = 2_000_000_000


class UnknownToLibsndfile(AudioError):
    """libsndfile does not even open the file: another decoder may."""


def decode(data: bytes, accept_checksum_mismatch: bool = False) -> Recording:
    """Decode a whole file from its bytes and prove that nothing is missing.

    Args:
        accept_checksum_mismatch: take SPHERE whose samples do not have the header's sum, and flag it.

    Raises:
        AudioError: empty, damaged, cut short, not sound; `check` names the kind, the text the figures.
    """
    kind = containers.kind_of(data)
    if kind == "flac":
        return _decode_flac(data)
    if kind == "sphere":
        return _decode_sphere(data, accept_checksum_mismatch)
    if kind == "other":
        return _decode_foreign(data)
    if kind == "mp3":
        return _decode_mp3(data)
    flags: tuple[str, ...] = ()
    if kind == "wav":
        layout = wav_layout(data)
        flags = layout.flags
        if layout.needs_header:
            data = layout.header() + data[layout.at : layout.at + layout.size]
    elif kind == "ogg":
        flags = check_ogg(data)
    else:
        containers.check_sized(data, kind)
    try:
        samples, rate_hz = _soundfile(data)
    except UnknownToLibsndfile as error:
        return _second_opinion(data, flags, error)
    return _recording(samples, rate_hz, flags)


def _second_opinion(data: bytes, flags: tuple[str, ...], first: AudioError) -> Recording:
    """What ffmpeg makes of a file that libsndfile does not open; the first refusal where it knows no more."""
    try:
        recording = _decode_foreign(data)
    except AudioError as error:
        raise (first if error.check == "audio_unreadable" else error) from error
    return replace(recording, flags=(*flags, *recording.flags))


def _recording(
    samples: Samples, rate_hz: int, flags: tuple[str, ...] = (), flac: bytes | None = None
) -> Recording:
    if len(samples) == 0:
        raise AudioError("audio_empty", "the file holds no samples")
    return Recording(samples, rate_hz, flac, flags)


def _soundfile(data: bytes, exact: bool = True) -> tuple[Samples, int]:
    """Samples as int16; float and lossy forms are scaled, rounded and clipped."""
    try:
        with opened(io.BytesIO(data)) as stream:
            _refuse_too_big(stream.frames, stream.channels)
            rate_hz = stream.samplerate
            if exact and stream.subtype in EXACT:
                exactly: Samples = stream.read(stream.frames, dtype="int16", always_2d=True)
                return exactly, rate_hz
            real = stream.read(stream.frames, dtype="float32", always_2d=True)
    except CorporaError:
        raise
    except Exception as error:  # soundfile lets through what its own reading of sizes raises
        raise AudioError("audio_corrupt", f"the decoder stopped: {_cause(error)}") from error
    check_real(real)
    return to_int16(real), rate_hz


def opened(file: Path | BinaryIO) -> soundfile.SoundFile:
    """A file as libsndfile opens it.

    Raises:
        UnknownToLibsndfile: it does not.
    """
    try:
        return soundfile.SoundFile(file)
    except Exception as error:
        raise UnknownToLibsndfile("audio_corrupt", f"the decoder stopped: {_cause(error)}") from error


def _refuse_too_big(frames: int, channels: int) -> None:
    if frames * channels * 4 > _MAX_DECODED_BYTES:
        raise AudioError("recording_too_big", f"{frames} frames at once; split the recording")


def _cause(error: Exception) -> str:
    text = getattr(error, "error_string", None) or str(error)
    return str(text).split("': ")[-1].strip().rstrip(".")


def _decode_flac(data: bytes) -> Recording:
    info = containers.flac_info(data)
    _refuse_too_big(info.frames, info.channels)
    try:
        decoded = flac.decode(data, most_bytes=_MAX_DECODED_BYTES // 4 * (2 if info.bits <= 16 else 4))
    except FlacError as error:
        raise flac_damage(error) from error
    return _flac_recording(data, info, decoded)


def _flac_recording(data: bytes, info: containers.FlacInfo, decoded: flac.FlacSound) -> Recording:
    samples = decoded.samples if info.bits <= 16 else rounded_from_32(decoded.samples)
    ours = info.bits == 16 and info.channels == 1 and decoded.sample_rate_hz <= STORED_RATE_HZ
    flags = () if decoded.md5 == "ok" else ("no_md5",)
    if any(data[decoded.used_bytes :]):  # zeros fill the end of many files
        flags = (*flags, "trailing_bytes")
    return _recording(samples, decoded.sample_rate_hz, flags, data[: decoded.used_bytes] if ours else None)


def decode_flacs(files: Sequence[bytes]) -> list[Recording | None]:
    """Several short FLAC files at once: what `decode` says of each, and None where it must be asked.

    That is for anything but a whole FLAC file that states up to `AHEAD_BYTES` of samples; such a file may be damaged.
    Eight files are summed side by side, so that the proof of their samples costs a fifth.
    """
    infos = [_short_flac(data) for data in files]
    asked = [at for at, info in enumerate(infos) if info is not None]
    answers = flac.decode_many([files[at] for at in asked], most_bytes=AHEAD_BYTES)
    found: list[Recording | None] = [None] * len(files)
    for at, answer in zip(asked, answers, strict=True):
        info = infos[at]
        if info is not None and not isinstance(answer, FlacError) and len(answer.samples):
            found[at] = _flac_recording(files[at], info, answer)
    return found


def _short_flac(data: bytes) -> containers.FlacInfo | None:
    """What a FLAC file says of itself, where it is short by that."""
    try:
        info = containers.flac_info(data) if containers.kind_of(data) == "flac" else None
    except AudioError:
        return None
    size = 0 if info is None else info.frames * info.channels * (2 if info.bits <= 16 else 4)
    return info if 0 < size <= AHEAD_BYTES else None


def _decode_sphere(data: bytes, accept_checksum_mismatch: bool) -> Recording:
    try:
        info = sphere.info(data)
        flags = list(info["flags"]) + ([] if info["checksum"] is not None else ["no_checksum"])
        try:
            samples = sphere.read(data)
        except SphereChecksumError:
            if not accept_checksum_mismatch:
                raise
            samples = sphere.read(data, verify=False)
            flags.append("checksum_mismatch")
    except SphereChecksumError as error:
        raise AudioError("checksum_mismatch", str(error)) from error
    except SphereError as error:
        check = "audio_truncated" if "truncat" in str(error) or "cut" in str(error) else "audio_corrupt"
        raise AudioError(check, str(error)) from error
    mono_or_more = np.ascontiguousarray(samples, dtype=np.int16)
    return _recording(mono_or_more, int(info["sample_rate_hz"]), tuple(flags))


def _decode_mp3(data: bytes) -> Recording:
    info, flags = containers.check_mp3(data)
    samples, rate_hz = _soundfile(data, exact=False)
    missing = info.frames * info.samples_per_frame - len(samples)
    if missing > 4 * info.samples_per_frame:
        raise AudioError(
            "audio_truncated", f"{len(samples)} samples decoded of {len(samples) + missing}: damaged frames"
        )
    return _recording(samples, rate_hz, flags)


def _decode_foreign(data: bytes) -> Recording:
    """Containers of other programs (m4a, mp4, mkv, wma, amr, …), from their bytes."""
    from corpora.audio.films import decode_film

    with tempfile.NamedTemporaryFile(prefix="speechmill-") as spill:
        spill.write(data)
        spill.flush()
        return decode_film(Path(spill.name))
