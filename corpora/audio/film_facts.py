"""What ffprobe says of a film or of a container of another program: its sounds, their clock, and what length is promised.

A length knows what it is: a promise of this very stream, the container's (of its longest stream), an estimate from
the bit rate, or none. A sound may begin later than the film; that is told in seconds of the film's clock. Packets are
read and nothing is decoded. The child may open this one file only: no network, no playlists.
"""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydub.utils import get_prober_name

from corpora.reading import handles_of

_DEMUXERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,mxf,gxf,asf,aac,ac3,eac3,amr,amrnb,amrwb,caf,"
    "flv,w64,wav,mp3,ogg,flac,aiff,au,dv,rm,wv,ape,tta,dsf,voc,nut"
)
# A sound that begins late is found only by who looks far enough; 30 s (microseconds here) and 64 MB are that.
_FAR = ["-analyzeduration", "30000000", "-probesize", "67108864"]
SAFE = [*_FAR, "-format_whitelist", _DEMUXERS, "-protocol_whitelist", "file,pipe"]
_PROBE_S, _PACKETS_S = 120, 1800
# Raw streams without an index: what ffprobe calls their duration it reckons from the first bit rate.
_ESTIMATED = {"aac", "ac3", "eac3", "amr", "amrnb", "amrwb", "mp3", "dsf", "voc", "mpegvideo", "dv"}
_FROM_ZERO = {"mov", "matroska"}  # their clocks begin at 0, those of others where the first stream begins
_GUESSED = 25  # ffprobe's score of what only looks a little like a kind
_GAP_S = 0.1  # between one packet's end and the next one's beginning


@dataclass(frozen=True)
class Facts:
    """What a container says of one of its sounds.

    Attributes:
        tracks: how many sounds there are.
        promised_s: the length this stream, or its container, promises from the film's beginning; None = nothing does.
        kind: whose promise that is: stream, container, estimate or none.
        late_s: how much later than the film the sound begins; 0 where it does not.
        others: whether the film has other streams (pictures, further sounds), which may last longer.
        index: of this sound among all streams.
    """

    tracks: int
    sample_rate_hz: int
    channels: int
    promised_s: float | None
    kind: str
    late_s: float
    others: bool
    index: int


@dataclass(frozen=True)
class Packets:
    """What the packets of a sound say: from its own first moment, in seconds.

    Attributes:
        length_s: of all packets together; None where they state no times.
        end_s: where the last packet of any stream ends, from the film's beginning.
        gap_at_s, gap_s: the first hole (or overlap, negative) between two packets of the sound; 0 = none.
    """

    length_s: float | None
    end_s: float
    gap_at_s: float
    gap_s: float


def probe(path: Path, track: int = 0) -> Facts | None:
    """What a container says of one of its sounds, or None where ffprobe cannot read it or finds none."""
    show = "stream=index,codec_type,sample_rate,channels,duration,start_time:stream_tags=DURATION"
    show += ":stream_disposition=attached_pic:format=format_name,duration,start_time"
    said = _asked(path, ["-show_entries", show, "-of", "json"])
    try:
        streams = said.get("streams") or []
        sounds = [stream for stream in streams if stream.get("codec_type") == "audio"]
        if not sounds:
            return None
        chosen = sounds[min(track, len(sounds) - 1)]
        whole = said.get("format", {})
        forms = set(whole.get("format_name", "").split(","))
        others = [s for s in streams if s is not chosen and not s.get("disposition", {}).get("attached_pic")]
        begins, zero = _seconds(chosen.get("start_time")) or 0.0, _seconds(whole.get("start_time")) or 0.0
        late_s = begins - (min(zero, 0.0) if forms & _FROM_ZERO else zero)
        several = any(s.get("codec_type") in {"audio", "video"} for s in others)
        promised_s, kind = _promise(chosen, whole, forms, late_s)
        if several and kind == "stream" and len({s.get("duration") for s in [chosen, *others]}) == 1:
            kind = "container"  # it gives every stream the length of the longest
        return Facts(
            len(sounds),
            int(chosen["sample_rate"]),
            int(chosen["channels"]),
            promised_s,
            kind,
            max(0.0, late_s),
            several,
            int(chosen["index"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def holds_sound(path: Path) -> bool:
    """Whether ffprobe is sure that a file of no known kind, or its beginning, is sound."""
    said = _asked(path, ["-show_entries", "format=probe_score:stream=codec_type", "-of", "json"])
    sure = said.get("format", {}).get("probe_score", 0) > _GUESSED
    return bool(sure and any(s.get("codec_type") == "audio" for s in said.get("streams", ())))


def _promise(chosen: Any, whole: Any, forms: set[str], late_s: float) -> tuple[float | None, str]:
    of_stream, of_all = _seconds(chosen.get("duration")), _seconds(whole.get("duration"))
    tagged = _clock(chosen.get("tags", {}).get("DURATION", ""))
    if forms & _ESTIMATED:
        return (of_stream or of_all), "estimate"
    if tagged is not None:  # Matroska states there when the stream ends
        return tagged, "stream"
    if of_stream is not None:
        return of_stream + max(0.0, late_s), "stream"
    return of_all, "none" if of_all is None else "container"


def _seconds(text: Any) -> float | None:
    return None if text in (None, "", "N/A") else float(text)


def _clock(text: str) -> float | None:
    """`00:01:02.500000000` in seconds."""
    parts = text.split(":")
    return float(parts[0]) * 3600 + float(parts[1]) * 60 + float(parts[2]) if len(parts) == 3 else None


def _asked(path: Path, questions: list[str]) -> Any:
    command = [get_prober_name(), "-v", "error", *SAFE, *questions, f"file:{path}"]
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=_PROBE_S, check=False, pass_fds=handles_of(path)
        )
        return json.loads(done.stdout or b"{}")
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return {}


def packets(path: Path, facts: Facts) -> Packets | None:
    """Walk all packets of a film; None where ffprobe does not end."""
    show = ["-show_entries", "packet=stream_index,pts_time,duration_time", "-of", "csv=p=0"]
    command = [get_prober_name(), "-v", "quiet", *SAFE, *show, f"file:{path}"]
    ends: dict[int, float] = defaultdict(float)
    first, length_s, gap = None, 0.0, (0.0, 0.0)
    try:
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, errors="replace", pass_fds=handles_of(path)
        ) as child:
            for line in child.stdout or ():
                index, begins_s, lasts_s = _packet(line)
                if begins_s is None:
                    continue
                if index == facts.index:
                    first = begins_s if first is None else first
                    hole = begins_s - ends[index] if index in ends else 0.0
                    if abs(hole) > _GAP_S and not gap[1]:
                        gap = (begins_s - first, hole)
                    length_s += lasts_s
                ends[index] = max(ends[index], begins_s + lasts_s) if index in ends else begins_s + lasts_s
            child.wait(_PACKETS_S)
    except (OSError, subprocess.TimeoutExpired):
        return None
    start_s = (first or 0.0) - facts.late_s
    end_s = max(ends.values(), default=0.0) - start_s
    return Packets(length_s if first is not None and length_s else None, end_s, *gap)


def _packet(line: str) -> tuple[int, float | None, float]:
    """Stream, beginning and length of a packet; None where it states no beginning."""
    fields = line.strip().rstrip(",").split(",")
    try:
        return (
            int(fields[0]),
            float(fields[1]),
            float(fields[2]) if len(fields) > 2 and fields[2] != "N/A" else 0.0,
        )
    except (ValueError, IndexError):
        return -1, None, 0.0
