"""EBU STL (binary subtitles of broadcasters), through ttconv; the time code of the programme's start with it."""

from __future__ import annotations

import io
import re

from corpora.formats.cues import Cue, Hints, Transcript, TranscriptError
from corpora.formats.ttml import paragraph_times

_HEADER_BYTES, _BLOCK_BYTES = 1024, 128
_FORMAT = re.compile(rb"^STL(\d\d)\.\d\d$")


def read(data: bytes, hints: Hints) -> Transcript:
    """All subtitles of a file; times as they stand in it (most begin at 10 h).

    Raises:
        TranscriptError: no STL, or cut short.
    """
    from fractions import Fraction

    from ttconv.stl import reader

    match = _FORMAT.match(data[3:11])
    if match is None:
        raise TranscriptError("bad_stl", "bytes 3–10 name no STL format: not an EBU STL file")
    if (len(data) - _HEADER_BYTES) % _BLOCK_BYTES or len(data) < _HEADER_BYTES + _BLOCK_BYTES:
        raise TranscriptError("bad_stl", f"{len(data)} bytes are no whole number of blocks: cut short")
    declared = data[238:243].strip()
    blocks = (len(data) - _HEADER_BYTES) // _BLOCK_BYTES
    if declared.isdigit() and int(declared) > blocks:
        raise TranscriptError("bad_stl", f"{int(declared)} blocks declared, {blocks} there: cut short")
    try:
        document = reader.to_model(io.BytesIO(data))
    except Exception as error:  # ttconv raises what its parsers raise
        raise TranscriptError("bad_stl", f"no STL that can be understood: {error}") from error
    body = document.get_body() if document is not None else None
    cues = []
    for start, end, text in paragraph_times(body, Fraction(0)) if body is not None else ():
        if start is not None and end is not None:
            cues.append(Cue(None, float(start), float(end), text))
    return Transcript(tuple(cues), programme_start_s=_programme_start(data, int(match[1])), encoding="stl")


def _programme_start(data: bytes, frame_rate: int) -> float | None:
    code = data[256:264]
    if not code.isdigit():
        return None
    hours, minutes, seconds, frames = (int(code[at : at + 2]) for at in (0, 2, 4, 6))
    return hours * 3600 + minutes * 60 + seconds + frames / frame_rate
