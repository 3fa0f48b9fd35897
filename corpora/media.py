"""Recordings that are too long for memory, or in containers of other programs: decoded piece by piece to a file.

Samples go to an unnamed temporary file as they are decoded and are read back by stretches, so that an hour costs
no more memory than a minute. Films and odd containers are decoded by an ffmpeg child that may open this one file
only: no network, no playlists. Lengths are proven as in audio.py: exit statuses say nothing.
"""

from __future__ import annotations

import io
import json
import mmap
import os
import subprocess
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import soundfile
from pydub.utils import get_encoder_name, get_prober_name

from corpora import containers
from corpora.audio import (
    AHEAD_BYTES,
    EXACT,
    Recording,
    Samples,
    decode,
    decode_flacs,
    flac_damage,
    rounded_from_32,
    to_int16,
)
from corpora.errors import AudioError, SourceError
from corpora.importer import AudioRef
from corpora.sources import Source
from native import FlacError, flac

LONG_BYTES = 64 << 20  # decoded; above it samples go to a file
_BLOCK_FRAMES = 1 << 18
_TIMEOUT_S = 6 * 3600
_DEMUXERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,mxf,gxf,asf,aac,ac3,eac3,amr,amrnb,amrwb,caf,"
    "flv,w64,wav,mp3,ogg,flac,aiff,au,dv,rm,wv,ape,tta,dsf,voc,nut"
)
_SAFE = ["-format_whitelist", _DEMUXERS, "-protocol_whitelist", "file,pipe"]
_CUT_S, _CUT_SHARE = 0.5, 0.005  # of the stated length may be missing


@dataclass(frozen=True)
class _Stated:
    """What a container says of its sound."""

    tracks: int
    sample_rate_hz: int
    channels: int
    duration_s: float | None


def open_recording(source: Source, ref: AudioRef) -> Recording:
    """Decode the file a reference names, through memory where it is short, through a file where it is long.

    Raises:
        AudioError: as `audio.decode`; also a film with several sounds of which none was chosen.
        SourceError: it cannot be read.
    """
    member = ref.member
    with source.open(member) as stream:
        kind = containers.kind_of(stream.read(4096))
    if kind == "other":
        return decode_film(source.local_path(member), ref.track)
    if kind == "sphere" or source.member(member).size * 2 < LONG_BYTES // 8:
        return decode(source.read_bytes(member), ref.accept_checksum_mismatch)
    path = source.local_path(member)
    try:
        info = soundfile.info(str(path))
        long = info.frames * info.channels * 2 > LONG_BYTES
    except (soundfile.LibsndfileError, RuntimeError):
        long = False
    return _decode_long(path, kind) if long else decode(source.read_bytes(member))


class LastRecording:
    """The recording decoded last: an importer that looks at the sound and the cutting of it share one decoding."""

    def __init__(self) -> None:
        self._source: Source | None = None
        self._key: tuple[str, int | None, bool] | None = None
        self._recording: Recording | None = None
        self._ahead: dict[str, Recording] = {}
        self._ahead_in: Source | None = None

    def forget(self) -> None:
        """Hold nothing any more."""
        self._source = self._key = self._recording = self._ahead_in = None
        self._ahead = {}

    def look_ahead(self, source: Source, refs: Iterable[AudioRef]) -> None:
        """Decode the short FLAC files among those that will be opened next, all at once; the others wait for `open`.

        Args:
            refs: some 16 utterances: what they hold is in memory together.
        """
        self._ahead, self._ahead_in = {}, source
        names = [name for name in dict.fromkeys(ref.member for ref in refs) if _is_short_flac(source, name)]
        if len(names) < 2:
            return
        files = {}
        for name in names:
            with suppress(SourceError):  # told by `open`
                files[name] = source.read_bytes(name)
        decoded = zip(files, decode_flacs([*files.values()]), strict=True)
        self._ahead = {name: recording for name, recording in decoded if recording is not None}

    def open(self, source: Source, ref: AudioRef) -> Recording:
        """`open_recording`, or what it gave for the same file the last time."""
        key = (ref.member, ref.track, ref.accept_checksum_mismatch)
        if self._recording is None or source is not self._source or key != self._key:
            self._recording = self._ahead.pop(ref.member, None) if source is self._ahead_in else None
            if self._recording is None:
                self._recording = open_recording(source, ref)
            self._source, self._key = source, key
        return self._recording


def _is_short_flac(source: Source, name: str) -> bool:
    try:
        return name.lower().endswith(".flac") and source.member(name).size < AHEAD_BYTES
    except SourceError:
        return False


LAST = LastRecording()  # of this process


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


# --- films and odd containers -----------------------------------------------------------------------------


def decode_film(path: Path, track: int | None = None) -> Recording:
    """The sound of a container that libsndfile does not know (m4a, mp4, mkv, mxf, ts, wma, amr, …).

    Raises:
        AudioError: no sound in it, several and none chosen, or less than the container declares.
    """
    stated = probe(path, track or 0)
    if stated is None or stated.tracks == 0:
        raise AudioError("audio_unreadable", "neither libsndfile nor ffmpeg finds sound in this file")
    if track is None and stated.tracks > 1:
        reason = f"{stated.tracks} sound tracks; choose one with audio_track in donation.toml (from 0)"
        raise AudioError("audio_tracks", reason)
    if track is not None and track >= stated.tracks:
        raise AudioError("audio_tracks", f"audio_track {track} (from 0) of {stated.tracks}")
    command = [get_encoder_name(), "-nostdin", "-v", "error", *_SAFE, "-i", f"file:{path}", "-vn", "-sn"]
    command += ["-map", f"0:a:{track or 0}", "-ac", str(stated.channels), "-ar", str(stated.sample_rate_hz)]
    with tempfile.TemporaryFile(prefix="speechmill-") as spill:
        try:
            done = subprocess.run(
                [*command, "-f", "s16le", "pipe:1"],
                stdout=spill,
                stderr=subprocess.PIPE,
                timeout=_TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise AudioError("audio_unreadable", f"ffmpeg did not finish: {error}") from error
        if spill.seek(0, io.SEEK_END) == 0:
            told = done.stderr.decode(errors="replace").strip().splitlines()
            raise AudioError(
                "audio_unreadable", f"ffmpeg found no sound ({(told or ['no reason given'])[-1][:200]})"
            )
        recording = _kept(spill, stated.sample_rate_hz, stated.channels)
    _prove_length(recording.duration_s, stated.duration_s)
    return recording


def _prove_length(length_s: float, declared_s: float | None) -> None:
    if declared_s is None or abs(declared_s - length_s) > max(_CUT_S, _CUT_SHARE * declared_s):
        told = "no length" if declared_s is None else f"{declared_s:.2f} s"
        raise AudioError("audio_truncated", f"{length_s:.2f} s decoded, the container declares {told}")


def probe(path: Path, track: int = 0) -> _Stated | None:
    """What a container says of one of its sounds, or None where ffprobe cannot read it."""
    show = ["-show_entries", "stream=codec_type,sample_rate,channels,duration:format=duration", "-of", "json"]
    command = [get_prober_name(), "-v", "error", *_SAFE, "-select_streams", "a", *show, f"file:{path}"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=120, check=False)
        said = json.loads(done.stdout or b"{}")
        streams = said.get("streams") or []
        if not streams:
            return None
        chosen = streams[min(track, len(streams) - 1)]
        length = chosen.get("duration") or said.get("format", {}).get("duration")
        duration_s = None if length in (None, "N/A") else float(length)
        return _Stated(len(streams), int(chosen["sample_rate"]), int(chosen["channels"]), duration_s)
    except (OSError, ValueError, KeyError, TypeError, subprocess.TimeoutExpired):
        return None
