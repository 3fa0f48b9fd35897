"""A stretch of a recording → mono int16 at most at 16 kHz, with its figures, as a row stores it.

Nothing is cleaned, trimmed or made louder here, and nothing is decoded.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np
import soxr

from corpora.audio.recording import AUTO, STORED_RATE_HZ, Recording, Samples, to_int16
from corpora.errors import AudioError
from corpora.importer import AudioRef
from native import flac, sound

_STATED_TOLERANCE_S = 0.05  # decoders differ by the encoder's delay


_SILENT = 33  # −60 dBFS of int16


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
        """Of the samples as little-endian bytes, 64 hex digits."""
        return hashlib.sha256(self.samples.data).hexdigest()

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.sample_rate_hz


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
    return Clip(mono, rate_hz, coded, sound.figures(mono, rate_hz), (*recording.flags, *flags))


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
    if channel >= channels or channel < AUTO:
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
