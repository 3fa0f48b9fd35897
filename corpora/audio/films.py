"""Recordings that are too long for memory, or in containers of other programs: decoded piece by piece to a file.

Samples go to an unnamed temporary file as they are decoded and are read back by stretches, so that an hour costs
no more memory than a minute. Films and odd containers are decoded by an ffmpeg child that may open this one file
only: no network, no playlists. Lengths are proven as in audio.py: exit statuses say nothing.
"""

from __future__ import annotations

import io
import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pydub.utils import get_encoder_name, get_prober_name

from corpora.audio.recording import (
    Recording,
    _kept,
)
from corpora.errors import AudioError

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
