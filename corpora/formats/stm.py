"""STM: `file channel speaker start end [<label>] text…`, one segment a line; `;;` lines are comments.

The label is optional: the sixth field counts as one only where it stands in angle brackets, so that an
unlabelled line keeps its first word. TED-LIUM has an importer of its own; this is what donors send.
"""

from __future__ import annotations

import re

from corpora.formats.ctm import channel_of
from corpora.formats.cues import Cue, Hints, Transcript
from corpora.formats.encodings import decode_text

_LABEL = re.compile(r"^<[^<>\s]*>$")
_GENDERS = {"male": "m", "female": "f", "m": "m", "f": "f"}
_GAP = "ignore_time_segment_in_scor"


def read(data: bytes, hints: Hints) -> Transcript:
    """Cues of all recordings in a file."""
    decoded = decode_text(data, hints.encoding)
    cues, comments, gaps = [], 0, 0
    for line in decoded.lines:
        if line.text is None:
            cues.append(Cue(line.number, problem=line.problem, check="encoding"))
        elif line.text.startswith(";;"):
            comments += 1
        elif _GAP in line.text.lower():
            gaps += 1
        elif line.text.strip():
            cues.append(_cue(line.number, line.text))
    ignored = tuple((r, n) for r, n in (("comment", comments), ("gap marker", gaps)) if n)
    return Transcript(tuple(cues), ignored=ignored, encoding=decoded.encoding, guessed=decoded.guessed)


def _cue(number: int, text: str) -> Cue:
    fields = text.split(None, 5)
    try:
        recording, channel, speaker, start, end = fields[:5]
        start_s, end_s, where = float(start), float(end), channel_of(channel)
    except ValueError as error:
        return Cue(number, problem=f"wanted: file channel speaker start end text ({error})", text=text)
    rest = fields[5] if len(fields) > 5 else ""
    head, _, tail = rest.partition(" ")
    label = head if _LABEL.match(head) and "," in head else ""
    gender = next((_GENDERS[part] for part in label.strip("<>").split(",") if part in _GENDERS), None)
    said = tail.strip() if label else rest
    return Cue(number, start_s, end_s, said, speaker, recording=recording, channel=where, gender=gender)
