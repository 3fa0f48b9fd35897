"""Audacity labels: `start<TAB>end<TAB>text`, with a line `\\<TAB>low<TAB>high` where a label selects frequencies."""

from __future__ import annotations

import re

from corpora.formats.cues import Cue, Hints, Transcript
from corpora.formats.encodings import decode_text
from corpora.formats.labels import SILENCE, silent
from corpora.formats.times import plain_seconds

_TIME = rb"[0-9]{1,7}[.,][0-9]{1,9}"
_LINES = re.compile(rb"(?:" + _TIME + rb"\t" + _TIME + rb"\t[^\r\n]*(?:[\r\n]+|$)){1,3}")


def read(data: bytes, hints: Hints) -> Transcript:
    """One cue a label; points (start = end) mark places, not speech, and are ignored.

    A decimal comma is read where the file has it (Audacity writes the locale's).
    """
    decoded = decode_text(data, hints.encoding)
    cues, spectral, points, empty, silences = [], 0, 0, 0, 0
    for line in decoded.lines:
        if line.text is None:
            cues.append(Cue(line.number, problem=line.problem, check="encoding"))
            continue
        if not line.text.strip():
            continue
        if line.text.startswith("\\"):
            spectral += 1
            continue
        fields = line.text.split("\t", 2)
        try:
            start_s, end_s = (plain_seconds(field) for field in fields[:2])
        except ValueError as error:
            cues.append(Cue(line.number, problem=f"wanted: start TAB end TAB text ({error})", text=line.text))
            continue
        text = fields[2] if len(fields) > 2 else ""
        if start_s == end_s:
            points += 1
        elif silent(text):
            silences += 1
        elif not text.strip():
            empty += 1
        else:
            cues.append(Cue(line.number, start_s, end_s, text))
    named = (
        ("spectral selection", spectral),
        ("point label", points),
        ("label without text", empty),
        (SILENCE, silences),
    )
    ignored = tuple((reason, count) for reason, count in named if count)
    return Transcript(tuple(cues), ignored=ignored, encoding=decoded.encoding, guessed=decoded.guessed)


def looks_like(head: bytes) -> bool:
    """Whether a text begins with two times and tabs, as Audacity exports labels whatever the file is called."""
    return bool(_LINES.match(head.removeprefix(b"\xef\xbb\xbf")))
