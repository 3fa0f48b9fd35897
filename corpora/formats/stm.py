"""STM: `file channel speaker start end [<label>] text…`, one segment a line; `;;` lines are comments.

The only parser of it in the house: donors' files, TED-LIUM and the NIST test sets differ in what they make of a
line, not in how it is read. Fields end at any white space. The label is optional and never takes a word: `<unk>`
and `<sil>` are words. Gap markers (`ignore_time_segment_in_scoring`, in any case and in its usual misspelling) are
never utterances.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from corpora.formats.ctm import channel_of
from corpora.formats.cues import Cue, Hints, Transcript
from corpora.formats.encodings import decode_text
from corpora.formats.times import span

_LABEL = re.compile(r"<[^<>\s]*>")
_WHOLE_LABELS = re.compile(r"<(?:F\d_[MFmf]|NA)>")
_GENDERS = {"male": "m", "female": "f", "m": "m", "f": "f"}
_IGNORE = "ignore_time_segment"


class StmError(ValueError):
    """A line that is none; `check` is the rejection it becomes."""

    def __init__(self, check: str, reason: str) -> None:
        super().__init__(reason)
        self.check = check


@dataclass(frozen=True)
class StmLine:
    """One segment: times in seconds, the label as written or "", the words as written."""

    recording: str
    channel: str
    speaker: str
    start_s: float
    end_s: float
    label: str
    words: str


def parse_line(text: str) -> StmLine | str:
    """One line, or why it is passed over.

    Raises:
        StmError: it is no segment.
    """
    if text.lstrip().startswith(";;"):
        return "STM comment"
    if _IGNORE in text.lower():
        return "marked ignore_time_segment_in_scoring"
    fields = text.split(None, 5)
    if len(fields) < 5:
        raise StmError("bad_line", f"{len(fields)} fields where STM needs at least five")
    if fields[2].lower() == "inter_segment_gap":
        return "gap between segments"
    if fields[2].lower() == "excluded_region":
        return "excluded region"
    try:
        start_s, end_s = span(fields[3], fields[4])
    except ValueError as error:
        raise StmError("bad_times", str(error)) from error
    label, words = split_label(fields[5] if len(fields) > 5 else "")
    return StmLine(fields[0], fields[1].rstrip(":"), fields[2], start_s, end_s, label, words)


def split_label(rest: str) -> tuple[str, str]:
    """What follows the times → (label or "", words)."""
    first, *words = rest.strip().split(None, 1)[:2] or [""]
    is_label = _LABEL.fullmatch(first) and ("," in first or _WHOLE_LABELS.fullmatch(first))
    return (first, "".join(words).strip()) if is_label else ("", rest.strip())


def gender_of(label: str) -> str | None:
    """f, m or None from `<o,f0,female>`, `<F0_M>` or `<O,en,F,en-F>`."""
    parts = label.strip("<>").lower().replace("_", ",").split(",")
    return next((_GENDERS[part] for part in reversed(parts) if part in _GENDERS), None)


def read(data: bytes, hints: Hints) -> Transcript:
    """Cues of all recordings in a file."""
    decoded = decode_text(data, hints.encoding)
    ignored: Counter[str] = Counter()
    cues = []
    for line in decoded.lines:
        if line.text is None:
            cues.append(Cue(line.number, problem=line.problem, check="encoding"))
        elif line.text.strip():
            said = _cue(line.number, line.text)
            if isinstance(said, str):
                ignored[said] += 1
            else:
                cues.append(said)
    return Transcript(
        tuple(cues), ignored=tuple(ignored.items()), encoding=decoded.encoding, guessed=decoded.guessed
    )


def _cue(number: int, text: str) -> Cue | str:
    try:
        said = parse_line(text)
        if isinstance(said, str):
            return said
        channel = channel_of(said.channel)
    except StmError as error:
        reason = f"wanted: file channel speaker start end text ({error})"
        return Cue(number, problem=reason, check=error.check, text=text)
    except ValueError as error:
        return Cue(number, problem=f"wanted: file channel speaker start end text ({error})", text=text)
    return Cue(
        number,
        said.start_s,
        said.end_s,
        said.words,
        said.speaker,
        recording=said.recording,
        channel=channel,
        gender=gender_of(said.label),
    )
