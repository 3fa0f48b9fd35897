"""Any stretch of a source → mono int16 at its native rate (at most 16 kHz), verified and hashed.

Decoding happens in this process (the project's own readers for FLAC and SPHERE, else soundfile). Only what
libsndfile does not know goes through ffmpeg (media.py). Whatever the decoder, the number of frames is compared
with what the container declares, and FLAC with its MD5: exit statuses prove nothing. FLAC bytes that already are what
we store pass through unchanged. Nothing is cleaned, trimmed or made louder here.
"""

from __future__ import annotations

import io
import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from corpora import containers
from corpora.errors import AudioError, SourceError
from corpora.importer import AudioRef
from corpora.sources import Source
from native import FlacError, SphereChecksumError, SphereError, flac, sound, sphere
from native.hashes import sha256_many

STORED_RATE_HZ = 16_000
MIX = -1  # AudioRef.channel: mean of all channels
AUTO = -2  # AudioRef.channel: the only channel that speaks; refuse where that is not clear
AHEAD_BYTES = 2 << 20  # of one file's samples, where several are decoded at once
_MAX_DECODED_BYTES = 2_000_000_000
_STATED_TOLERANCE_S = 0.05  # decoders differ by the encoder's delay
_SILENT = 33  # −60 dBFS of int16
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


@dataclass(frozen=True)
class Clip:
    """What a row stores: mono int16 `[samples]` and what its sound measures.

    Attributes:
        flac: the samples as FLAC where the source had that already; else None, see `encoded`.
    """

    samples: Samples
    sample_rate_hz: int
    flac: bytes | None
    figures: sound.SoundFigures
    flags: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """Of the samples; who hashes many clips does it at once (groups.py)."""
        return sha256_many([self.samples])[0]

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.sample_rate_hz


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
    flags: tuple[str, ...] = ()
    if kind == "wav":
        flags = containers.check_wav(data)
    elif kind == "ogg":
        containers.check_ogg(data)
    elif kind == "mp3":
        return _decode_mp3(data)
    else:
        containers.check_sized(data, kind)
    samples, rate_hz = _soundfile(data)
    return _recording(samples, rate_hz, flags)


def _recording(
    samples: Samples, rate_hz: int, flags: tuple[str, ...] = (), flac: bytes | None = None
) -> Recording:
    if len(samples) == 0:
        raise AudioError("audio_empty", "the file holds no samples")
    return Recording(samples, rate_hz, flac, flags)


def _soundfile(data: bytes, exact: bool = True) -> tuple[Samples, int]:
    """Samples as int16; float and lossy forms are scaled, rounded and clipped."""
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as stream:
            _refuse_too_big(stream.frames, stream.channels)
            rate_hz = stream.samplerate
            if exact and stream.subtype in EXACT:
                exactly: Samples = stream.read(dtype="int16", always_2d=True)
                return exactly, rate_hz
            real = stream.read(dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise AudioError("audio_corrupt", f"the decoder stopped: {_cause(error)}") from error
    if not np.isfinite(real).all():
        raise AudioError("audio_not_finite", f"{int((~np.isfinite(real)).sum())} samples are not numbers")
    return to_int16(real), rate_hz


def _refuse_too_big(frames: int, channels: int) -> None:
    if frames * channels * 4 > _MAX_DECODED_BYTES:
        raise AudioError("recording_too_big", f"{frames} frames at once; split the recording")


def _cause(error: Exception) -> str:
    text = getattr(error, "error_string", None) or str(error)
    return str(text).split("': ")[-1].strip().rstrip(".")


def to_int16(real: npt.NDArray[np.float32]) -> Samples:
    """Real numbers of −1 to 1, scaled, rounded and clipped."""
    samples: Samples = np.clip(np.rint(real * 32768.0), -32768, 32767).astype(np.int16)
    return samples


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
    return _recording(samples, decoded.sample_rate_hz, flags, data if ours else None)


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


def flac_damage(error: FlacError) -> AudioError:
    """What is wrong with a FLAC file, as this package counts it."""
    check = {"truncated": "audio_truncated", "too_big": "recording_too_big"}.get(error.kind, "audio_corrupt")
    where = "" if check != "audio_corrupt" or error.kind == "md5" else "the decoder stopped: "
    return AudioError(check, f"{where}{error}")


def rounded_from_32(wide: npt.NDArray[np.int32]) -> Samples:
    """Samples that fill 32 bits, rounded to 16."""
    rounded: Samples = np.minimum((wide.astype(np.int64) + (1 << 15)) >> 16, 32767).astype(np.int16)
    return rounded


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
    info = containers.check_mp3(data)
    samples, rate_hz = _soundfile(data, exact=False)
    missing = info.frames * info.samples_per_frame - len(samples)
    if missing > 4 * info.samples_per_frame:
        raise AudioError(
            "audio_truncated", f"{len(samples)} samples decoded of {len(samples) + missing}: damaged frames"
        )
    return _recording(samples, rate_hz)


def _decode_foreign(data: bytes) -> Recording:
    """Containers of other programs (m4a, mp4, mkv, wma, amr, …), from their bytes."""
    from corpora.media import decode_film

    with tempfile.NamedTemporaryFile(prefix="speechmill-") as spill:
        spill.write(data)
        spill.flush()
        return decode_film(Path(spill.name))


def stated_length_s(source: Source, member: str) -> float | None:
    """The length a recording states in its header, seconds; None where it states none. Nothing is decoded."""
    from corpora.media import probe

    try:
        path = source.local_path(member)
        return float(soundfile.info(str(path)).duration)
    except SourceError:
        return None
    except (soundfile.LibsndfileError, RuntimeError):
        stated = probe(path)
        return None if stated is None else stated.duration_s


def cut(recording: Recording, ref: AudioRef) -> Clip:
    """The stretch a segment names, mono, at most 16 kHz, with its figures.

    Raises:
        AudioError: the channel or the span is not in the recording, or the span holds no sample.
    """
    start, end, flags = _span(recording, ref)
    flags += _against_promises(recording, ref)
    mono = channel_samples(recording.samples[start:end], ref.channel)
    rate_hz = recording.sample_rate_hz
    if rate_hz > STORED_RATE_HZ:
        real = soxr.resample(mono.astype(np.float32) / 32768.0, rate_hz, STORED_RATE_HZ, quality="HQ")
        mono, rate_hz = to_int16(real), STORED_RATE_HZ
    if len(mono) == 0:
        raise AudioError("audio_empty", "no sample in the segment")
    whole = start == 0 and end == len(recording.samples)
    coded = recording.flac if whole else None
    return Clip(mono, rate_hz, coded, sound.figures(mono, rate_hz, hashed=False), (*recording.flags, *flags))


def _span(recording: Recording, ref: AudioRef) -> tuple[int, int, tuple[str, ...]]:
    """First and last+1 frame of a segment, and what was done to them."""
    frames, rate_hz = len(recording.samples), recording.sample_rate_hz
    if ref.start_s is None or ref.end_s is None:
        return 0, frames, ()
    if ref.end_s <= ref.start_s or ref.start_s < 0:
        raise AudioError("bad_times", f"the segment goes from {ref.start_s:.3f} s to {ref.end_s:.3f} s")
    start, end = round(ref.start_s * rate_hz), round(ref.end_s * rate_hz)
    if start >= frames or end > frames + round(ref.end_tolerance_s * rate_hz):
        span = f"{ref.start_s:.3f}–{ref.end_s:.3f} s"
        raise AudioError(
            "span_past_end", f"{span} does not lie in a recording of {recording.duration_s:.3f} s"
        )
    return start, min(end, frames), ("end_trimmed",) if end > frames else ()


def _against_promises(recording: Recording, ref: AudioRef) -> tuple[str, ...]:
    """The file beside what its release says of it: flags, or the error of a file that is too short."""
    flags: list[str] = []
    if ref.stated_s is not None and abs(recording.duration_s - ref.stated_s) > _STATED_TOLERANCE_S:
        if recording.duration_s < ref.stated_s:
            told = f"{recording.duration_s:.3f} s decoded, the release states {ref.stated_s:.3f} s: cut short"
            raise AudioError("audio_truncated", told)
        flags.append("longer_than_stated")
    if ref.promised is not None:
        rate_hz, channels = ref.promised
        if recording.sample_rate_hz != rate_hz:
            flags.append("resampled" if recording.sample_rate_hz > STORED_RATE_HZ else "other_rate")
        if recording.samples.shape[1] != channels:
            flags.append("stereo" if recording.samples.shape[1] == 2 else "other_channels")
    return tuple(flags)


def channel_samples(samples: Samples, channel: int) -> Samples:
    """One channel of `[frames, channels]`, or the mean of them.

    Raises:
        AudioError: there is no such channel, or it is not clear which one speaks.
    """
    channels = samples.shape[1]
    if channel >= channels:
        raise AudioError("channel_missing", f"channel {channel} (from 0) of a recording with {channels}")
    if channels == 1 or channel >= 0:
        return np.ascontiguousarray(samples[:, max(channel, 0)])
    if channel == AUTO:
        peaks = np.abs(samples.astype(np.int32)).max(axis=0)
        speaking = np.flatnonzero(peaks > _SILENT)
        if len(speaking) <= 1:
            return np.ascontiguousarray(samples[:, speaking[0] if len(speaking) else 0])
        if not (samples == samples[:, :1]).all():
            raise AudioError(
                "channels_differ", f"{channels} different channels; say channel_mode in donation.toml"
            )
        return np.ascontiguousarray(samples[:, 0])
    mixed: Samples = np.rint(samples.astype(np.float32).mean(axis=1)).astype(np.int16)
    return mixed


def other_channel_db(recording: Recording, ref: AudioRef) -> float | None:
    """How much louder the other side of a call is than the segment's own, in dB; None where none is."""
    if not ref.two_sided or recording.samples.shape[1] != 2 or ref.channel < 0:
        return None
    start, end, _ = _span(recording, ref)
    energies = sound.channel_energies(np.ascontiguousarray(recording.samples[start:end]))
    return 10.0 * math.log10((energies[1 - ref.channel] + 1) / (energies[ref.channel] + 1))


def encoded(clips: list[Clip]) -> list[bytes]:
    """Every clip as 16-bit mono FLAC: the same bytes for the same samples, whatever is installed.

    Those that the source had as such pass through; the others are encoded together, which is cheaper for 8 and more.
    """
    raw = [(np.ascontiguousarray(clip.samples), clip.sample_rate_hz) for clip in clips if clip.flac is None]
    made = iter(flac.encode_many(raw))
    return [next(made) if clip.flac is None else clip.flac for clip in clips]
