"""Films and containers of other programs, decoded by an ffmpeg child, in the film's own clock.

The child may open this one file only: no network, no playlists. Samples go to an unnamed temporary file. Lengths are
proven by packets and by what the container promises (film_facts.py), and every word that ffmpeg says of the sound
counts: exit statuses say nothing.
"""

from __future__ import annotations

import io
import re
import subprocess
import tempfile
from pathlib import Path
from typing import IO

from pydub.utils import get_encoder_name

from corpora.audio.film_facts import SAFE, Facts, Packets, packets, probe
from corpora.audio.recording import MOST_SPILLED_BYTES, Recording, _kept
from corpora.errors import AudioError
from corpora.reading import handles_of

_TIMEOUT_S = 6 * 3600
_CUT_S, _CUT_SHARE = 0.1, 0.002  # of the promised length may be missing
_PRIMING = 3072  # samples that an encoder puts in front and a decoder takes away again
_LATE_S, _LATEST_S = 0.05, 3600.0  # from where on a late beginning counts, and how late one may be
_ABOUT_PICTURES = re.compile(
    r"^\[(?:h26\d|hevc|mpeg\dvideo|mpegvideo|mpeg4|vp\d|av1|mjpeg|png|theora|vc1|wmv\d|dvvideo)\b"
)


def decode_film(path: Path, track: int | None = None) -> Recording:
    """The sound of a container that libsndfile does not know (m4a, mp4, mkv, mxf, ts, wma, amr, …), by the film's clock.

    Where the sound begins later than the film, silence stands before it (flag `sound_starts_late`); holes between its
    packets are filled (`sound_has_gaps`).

    Raises:
        AudioError: no sound in it, several and none chosen, less than is promised, or anything that ffmpeg complains of.
    """
    facts = probe(path, track or 0)
    if facts is None or facts.tracks == 0:
        raise AudioError("audio_unreadable", "neither libsndfile nor ffmpeg finds sound in this file")
    if facts.channels < 1 or facts.sample_rate_hz < 1:
        raise AudioError("audio_corrupt", "no channel or no rate is known of its sound: damaged header")
    if track is None and facts.tracks > 1:
        reason = f"{facts.tracks} sound tracks; choose one with audio_track in donation.toml (from 0)"
        raise AudioError("audio_tracks", reason)
    if track is not None and track >= facts.tracks:
        raise AudioError("audio_tracks", f"audio_track {track} (from 0) of {facts.tracks}")
    if facts.late_s > _LATEST_S:
        reason = f"the sound begins {facts.late_s:.0f} s after the film: its clock cannot be believed"
        raise AudioError("audio_clock", reason)
    seen = packets(path, facts)
    late_s = facts.late_s if facts.late_s >= _LATE_S else 0.0
    flags: tuple[str, ...] = ("sound_starts_late",) if late_s else ()
    flags += ("sound_has_gaps",) if seen is not None and seen.gap_s else ()
    with tempfile.TemporaryFile(prefix="speechmill-") as spill:
        spill.write(bytes(round(late_s * facts.sample_rate_hz) * facts.channels * 2))
        spill.flush()
        command = _command(path, (track or 0, facts), "sound_has_gaps" in flags)
        complaints = _run_ffmpeg(command, spill, handles_of(path))
        recording = _kept(spill, facts.sample_rate_hz, facts.channels)
    flags += _prove_length((recording.duration_s, late_s), facts, seen)
    if complaints:
        raise AudioError(
            "audio_corrupt", f"ffmpeg complains: {complaints[0][:200]} ({len(complaints)} lines): damaged"
        )
    return Recording(recording.samples, recording.sample_rate_hz, None, flags)


def _command(path: Path, chosen: tuple[int, Facts], fill: bool) -> list[str]:
    track, facts = chosen
    command = [
        get_encoder_name(),
        "-nostdin",
        "-v",
        "error",
        "-err_detect",
        "crccheck+bitstream+buffer",
        *SAFE,
    ]
    command += ["-i", f"file:{path}", "-vn", "-sn", "-dn", "-map", f"0:a:{track}"]
    command += ["-af", "aresample=async=1:min_hard_comp=0.1"] if fill else []
    command += ["-ac", str(facts.channels), "-ar", str(facts.sample_rate_hz), "-fs", str(MOST_SPILLED_BYTES)]
    return [*command, "-f", "s16le", "pipe:1"]


def _run_ffmpeg(command: list[str], spill: IO[bytes], handles: tuple[int, ...]) -> list[str]:
    """Decode to a file; answers every word of ffmpeg about the sound: its exit status says nothing."""
    begun = spill.tell()
    try:
        done = subprocess.run(
            command,
            stdout=spill,
            stderr=subprocess.PIPE,
            timeout=_TIMEOUT_S,
            check=False,
            pass_fds=handles,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AudioError("audio_unreadable", f"ffmpeg did not finish: {error}") from error
    told = [line for line in done.stderr.decode(errors="replace").splitlines() if line.strip()]
    size = spill.seek(0, io.SEEK_END)
    if size == begun:
        raise AudioError(
            "audio_unreadable", f"ffmpeg found no sound ({(told or ['no reason given'])[-1][:200]})"
        )
    if size >= MOST_SPILLED_BYTES:
        raise AudioError(
            "recording_too_big", f"more than {MOST_SPILLED_BYTES >> 30} GiB of samples; split the recording"
        )
    if done.returncode and not told:
        told = [f"exit status {done.returncode}"]
    return [line.strip() for line in told if not _ABOUT_PICTURES.search(line)]


def _prove_length(lengths_s: tuple[float, float], facts: Facts, seen: Packets | None) -> tuple[str, ...]:
    """Compare what was decoded with what is promised and with the packets; flags where nothing is promised.

    Args:
        lengths_s: of the whole by the film's clock, and of the silence in front of the sound.

    Raises:
        AudioError: something is missing.
    """
    slack_s = _CUT_S + _PRIMING / facts.sample_rate_hz
    length_s, late_s = lengths_s
    own_s = length_s - late_s
    if facts.promised_s is None and seen is None:
        raise AudioError("audio_truncated", f"{length_s:.2f} s decoded, nothing says how long it should be")
    if seen is not None and seen.length_s is not None and own_s < seen.length_s - slack_s:
        reason = f"{own_s:.2f} s decoded of packets for {seen.length_s:.2f} s: some could not be decoded"
        raise AudioError("audio_truncated", reason)
    if facts.promised_s is None:
        return ("length_undeclared",)
    if facts.kind == "estimate":
        return ("length_estimated",)
    ends_s = length_s
    if facts.kind == "container" and facts.others and seen is not None:
        ends_s = max(length_s, seen.end_s)  # the promise is of the longest stream
    if ends_s < facts.promised_s - max(slack_s, _CUT_SHARE * facts.promised_s):
        told = f"{length_s:.2f} s decoded, the container declares {facts.promised_s:.2f} s: cut short"
        raise AudioError("audio_truncated", told)
    return ()
