"""Audacity labels: `start<TAB>end<TAB>text`, with a line `\\<TAB>low<TAB>high` where a label selects frequencies."""

from __future__ import annotations

from corpora.formats.cues import Cue, Hints, Transcript
from corpora.formats.encodings import decode_text


def read(data: bytes, hints: Hints) -> Transcript:
    """One cue a label; points (start = end) mark places, not speech, and are ignored.

    A decimal comma is read where the file has it (Audacity writes the locale's).
    """
    decoded = decode_text(data, hints.encoding)
    cues, spectral, points, empty = [], 0, 0, 0
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
            start_s, end_s = (float(field.replace(",", ".")) for field in fields[:2])
        except ValueError:
            cues.append(Cue(line.number, problem="wanted: start TAB end TAB text", text=line.text))
            continue
        text = fields[2] if len(fields) > 2 else ""
        if start_s == end_s:
            points += 1
        elif not text.strip():
            empty += 1
        else:
            cues.append(Cue(line.number, start_s, end_s, text))
    named = (("spectral selection", spectral), ("point label", points), ("label without text", empty))
    ignored = tuple((reason, count) for reason, count in named if count)
    return Transcript(tuple(cues), ignored=ignored, encoding=decoded.encoding, guessed=decoded.guessed)
