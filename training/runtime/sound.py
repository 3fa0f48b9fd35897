"""Any sound or film that ffmpeg opens, as mono samples at the network's rate, piece by piece.

ffmpeg decodes the one file it is given (no network, no playlists) at its own rate; channels are averaged or taken
one by one, the rate is changed as for training (soxr, high quality). Memory holds one piece. What ffmpeg complains
of, and a sound that ends well before its container says, is an error: exit statuses alone say nothing.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import soxr

from training.network.features import Float
from training.runtime.declared import lack_of
from training.runtime.errors import SoundError

PIECE_S = 16.0
_DEMUXERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,mxf,gxf,asf,aac,ac3,eac3,amr,amrnb,amrwb,caf,"
    "flv,w64,wav,mp3,ogg,flac,aiff,au,dv,rm,wv,ape,tta,dsf,voc,nut,nistsphere"
)
_WEB = ("http:/", "https:/", "ftp:/")  # as a path writes them
_SAFE = ["-format_whitelist", _DEMUXERS, "-protocol_whitelist", "file,pipe"]
_CUT_S, _CUT_SHARE = 0.5, 0.005  # of the stated length may be missing


@dataclass(frozen=True)
class SoundFacts:
    """What a container says of one of its sound tracks.

    Attributes:
        duration_s: None where it says nothing.
        track, tracks: which one it is, counted from 0, and how many there are.
        lack: what the file's own bytes show to be missing, where a decoder would say nothing.
    """

    rate_hz: int
    channels: int
    duration_s: float | None
    track: int = 0
    tracks: int = 1
    lack: str | None = None


def facts_of(path: Path, track: int = 0) -> SoundFacts:
    """Rate, channels and length of one of a file's sound tracks, counted from 0.

    Raises:
        SoundError: it cannot be read, is no sound or film, or has no such sound track.
    """
    lack = _readable(path)
    fields = "stream=codec_type,sample_rate,channels,duration:format=duration"
    command = [
        "ffprobe",
        "-v",
        "error",
        *_SAFE,
        "-select_streams",
        "a",
        "-show_entries",
        fields,
        "-of",
        "json",
    ]
    done = _run([*command, f"file:{path}"])
    if done.returncode != 0:
        raise SoundError(f"{path}: no sound or film that can be read: {_reason(done.stderr, path)}")
    told = json.loads(done.stdout or "{}")
    if not told.get("streams"):
        raise SoundError(f"{path}: there is no sound track in it")
    tracks = len(told["streams"])
    if track >= tracks:
        raise SoundError(f"{path}: there is no sound track {track + 1} in it: it has {tracks}")
    stream = told["streams"][track]
    duration_s = None
    for place in (stream, told.get("format", {})):
        with suppress(KeyError, ValueError):
            duration_s = float(place["duration"])
            break
    return SoundFacts(int(stream["sample_rate"]), int(stream["channels"]), duration_s, track, tracks, lack)


def _readable(path: Path) -> str | None:
    """What is missing of a file whose bytes can be read."""
    if "://" in str(path) or str(path).startswith(_WEB):
        raise SoundError(f"{path}: an address, not a file: fetch it first, nothing is downloaded here")
    if path.is_dir():
        raise SoundError(f"{path}: a folder, not a file: name the files in it")
    if not path.is_file():
        raise SoundError(f"{path}: there is no such file")
    try:
        if not path.stat().st_size:
            raise SoundError(f"{path}: empty: it has 0 bytes")
        return lack_of(path)
    except OSError as error:
        raise SoundError(f"{path}: no sound or film that can be read: {error.strerror}") from error


def pieces_of(path: Path, facts: SoundFacts, rate_hz: int, channel: int | None = None) -> Iterator[Float]:
    """Samples as float32 in [-1, 1) at `rate_hz`, mono; `channel` None = the mean of all.

    Raises:
        SoundError: after the last good piece, when the sound is damaged or cut short.
    """
    command = ["ffmpeg", "-v", "error", "-nostdin", *_SAFE, "-i", f"file:{path}", "-map"]
    command += [f"0:a:{facts.track}"]
    command += [
        "-f",
        "s16le",
        "-c:a",
        "pcm_s16le",
        "-ac",
        str(facts.channels),
        "-ar",
        str(facts.rate_hz),
        "-",
    ]
    with tempfile.TemporaryFile() as complaints:
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=complaints, stdin=subprocess.DEVNULL
        ) as process:
            try:
                if process.stdout is None:
                    raise SoundError(f"{path}: ffmpeg could not be started")
                counted = _Counted(_mono(process.stdout, facts, channel))
                yield from at_rate(counted, facts.rate_hz, rate_hz)
            finally:
                process.kill() if process.poll() is None else None
        complaints.seek(0)
        told = complaints.read().decode("utf-8", "replace")
    heard_s = counted.samples / facts.rate_hz
    if told.strip():
        raise SoundError(f"{path}: damaged: {_reason(told, path)}")
    if facts.lack:
        raise SoundError(f"{path}: {facts.lack}")
    if facts.duration_s and facts.duration_s - heard_s > max(_CUT_S, _CUT_SHARE * facts.duration_s):
        raise SoundError(f"{path}: cut short: {heard_s:.1f} s of {facts.duration_s:.1f} s can be heard")


def at_rate(pieces: Iterable[Float], rate_hz: int, target_hz: int) -> Iterator[Float]:
    """Mono pieces at another rate, seamless."""
    if rate_hz == target_hz:
        yield from pieces
        return
    stream = soxr.ResampleStream(rate_hz, target_hz, 1, dtype="float32", quality="HQ")
    for piece in pieces:
        yield np.asarray(stream.resample_chunk(piece), np.float32)
    yield np.asarray(stream.resample_chunk(np.zeros(0, np.float32), last=True), np.float32)


def raw_pieces(stream: IO[bytes], piece_s: float, rate_hz: int, first: bytes = b"") -> Iterator[Float]:
    """16-bit little-endian mono samples from a pipe, as they come; an odd last byte is dropped.

    Args:
        first: bytes that were read from it before.
    """
    size, kept = max(2, int(piece_s * rate_hz)) * 2, first
    read = getattr(stream, "read1", stream.read)
    going_on = True
    while going_on:
        data = read(size)
        going_on = bool(data)
        data = kept + data
        whole = len(data) // 2 * 2
        kept = data[whole:]
        if whole:
            yield np.frombuffer(data[:whole], "<i2").astype(np.float32) / np.float32(32768.0)


class Passing:
    """Pieces of one sound as they pass: how long they are, and what ended them early.

    A sound that ends in damage is heard up to there all the same, so the error becomes `problem` here.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.problem: str | None = None

    def counted(
        self, pieces: Iterable[Float], rate_hz: int, told: Callable[[float], None] | None
    ) -> Iterator[Float]:
        """The same pieces; `told` hears how many seconds each took to its listener."""
        try:
            for piece in pieces:
                seconds = len(piece) / rate_hz
                self.seconds += seconds
                yield piece
                if told is not None:
                    told(seconds)
        except SoundError as error:
            self.problem = str(error)


class _Counted:
    """Pieces that are counted as they pass."""

    def __init__(self, pieces: Iterator[Float]) -> None:
        self._pieces = pieces
        self.samples = 0

    def __iter__(self) -> Iterator[Float]:
        for piece in self._pieces:
            self.samples += len(piece)
            yield piece


def _mono(stream: IO[bytes], facts: SoundFacts, channel: int | None) -> Iterator[Float]:
    size = int(PIECE_S * facts.rate_hz) * facts.channels * 2
    while data := stream.read(size):
        data = data[: len(data) // (2 * facts.channels) * (2 * facts.channels)]
        frames = np.frombuffer(data, "<i2").reshape(-1, facts.channels)
        if channel is not None:
            yield frames[:, channel].astype(np.float32) / np.float32(32768.0)
        else:
            yield frames.mean(axis=1, dtype=np.float32) / np.float32(32768.0)


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    except FileNotFoundError as error:
        raise SoundError(f"{command[0]} is not installed: set-up installs it") from error


def _reason(complaints: str, path: Path) -> str:
    """The first complaint, without memory addresses and the file's name."""
    lines = [line.strip() for line in complaints.splitlines() if line.strip()]
    first: Any = lines[0] if lines else "no reason given"
    text = first.partition("] ")[2] if first.startswith("[") and "] " in first else first
    return str(text).replace(f"file:{path}: ", "").replace(str(path), path.name)
