"""SubStation Alpha (.ass, .ssa): the `Dialogue:` lines below `[Events]`, with the speaker where one is named.

Comments and lines that only draw are counted as ignored; overrides in braces are taken off by caption_marks.py.
"""

from __future__ import annotations

import re
from collections import Counter

from corpora.formats.cues import Cue, Hints, Transcript, TranscriptError
from corpora.formats.encodings import decode_text
from corpora.formats.times import seconds

_FIELDS = ("Layer", "Start", "End", "Style", "Name", "MarginL", "MarginR", "MarginV", "Effect", "Text")
_BRACED = re.compile(r"\{[^{}]*\}")
_DRAWING = re.compile(r"\\p([0-9]+)")


def read(data: bytes, hints: Hints) -> Transcript:
    """One cue a `Dialogue:` line.

    Raises:
        TranscriptError: it has no [Events].
    """
    decoded = decode_text(data, hints.encoding)
    fields: tuple[str, ...] = _FIELDS
    events, ignored = False, Counter[str]()
    cues = []
    for line in decoded.lines:
        text = line.text
        kind, _, rest = (text or "").partition(":")
        if text is not None and text.startswith("["):
            events = text.strip().lower() == "[events]"
        elif not events:
            continue
        elif text is None:
            cues.append(Cue(line.number, problem=line.problem, check="encoding"))
        elif kind == "Format":
            fields = tuple(name.strip() for name in rest.split(","))
        elif kind == "Comment":
            ignored["comment"] += 1
        elif kind == "Dialogue":
            cue = _cue(line.number, rest.strip(), fields)
            if cue is None:
                ignored["drawing"] += 1
            else:
                cues.append(cue)
        elif text.strip() and not text.startswith(";"):
            cues.append(Cue(line.number, problem="wanted: Dialogue: or Comment:", text=text))
    if not cues and not ignored:
        raise TranscriptError("bad_ass", "no Dialogue: line below [Events]")
    return Transcript(
        tuple(cues), ignored=tuple(ignored.items()), encoding=decoded.encoding, guessed=decoded.guessed
    )


def _cue(number: int, rest: str, fields: tuple[str, ...]) -> Cue | None:
    """A line's cue; None where it only draws."""
    row = dict(zip(fields, rest.split(",", len(fields) - 1), strict=False))
    text, draws = _undrawn(row.get("Text", ""))
    if draws and not _BRACED.sub("", text).strip():
        return None
    try:
        start_s, end_s = seconds(row.get("Start", "")), seconds(row.get("End", ""))
    except ValueError as error:
        return Cue(number, problem=f"times that cannot be read: {error}", text=text)
    text = text.replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ")
    return Cue(number, start_s, end_s, text, row.get("Name", "").strip() or None)


def _undrawn(text: str) -> tuple[str, bool]:
    """A text without what is drawn in it (from `{\\p1}` to `{\\p0}`), and whether anything is."""
    kept, drawing, draws = [], False, False
    for part in re.split(r"(\{[^{}]*\})", text):
        modes = _DRAWING.findall(part) if part.startswith("{") else []
        drawing = modes[-1].strip("0") != "" if modes else drawing
        draws = draws or drawing
        if part.startswith("{") or not drawing:
            kept.append(part)
    return "".join(kept), draws
