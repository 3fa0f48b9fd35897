"""STM, the segment files of TED-LIUM and of the NIST test sets: one line, one segment.

    <file> <channel> <speaker> <start> <end> [<label>] <text…>        ;; comment

The label is optional and never takes a word: `<unk>` and `<sil>` are words. Gap markers
(`ignore_time_segment_in_scoring`, in any case and in its usual misspelling) are never utterances.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from corpora.importer import Ignored, Rejection
from corpora.importers import _calls as recordings
from corpora.sources.lines import TextLine

_LABEL = re.compile(r"^<(?:[^<>\s]*,[^<>\s]*|F\d_[MFmf]|NA)>$")
_IGNORE = "ignore_time_segment"


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


def parse(path: str, line: TextLine) -> StmLine | Rejection | Ignored:
    """One line of an STM file, why it is refused, or why it is passed over."""
    text = line.text or ""
    if text.lstrip().startswith(";;"):
        return Ignored(path, "STM comment")
    if _IGNORE in text.lower():
        return Ignored(path, "marked ignore_time_segment_in_scoring")
    fields = text.split(None, 5)
    if len(fields) < 5:
        reason = f"{len(fields)} fields where STM needs at least five"
        return recordings.bad_line(path, line, "bad_line", reason)
    if fields[2].lower() == "inter_segment_gap":
        return Ignored(path, "gap between segments")
    try:
        start_s, end_s = recordings.parse_span(fields[3], fields[4])
    except ValueError as error:
        return recordings.bad_line(path, line, "bad_times", str(error))
    label, words = split_label(fields[5] if len(fields) > 5 else "")
    return StmLine(fields[0], fields[1].rstrip(":"), fields[2], start_s, end_s, label, words)


def split_label(rest: str) -> tuple[str, str]:
    """What follows the times -> (label or "", words)."""
    first, _, words = rest.strip().partition(" ")
    return (first, words.strip()) if _LABEL.match(first) else ("", rest.strip())


def gender(label: str) -> str | None:
    """f, m or None from `<o,f0,female>`, `<F0_M>` or `<O,en,F,en-F>`."""
    parts = label.strip("<>").lower().replace("_", ",").split(",")
    if "female" in parts or "f" in parts:
        return "f"
    return "m" if "male" in parts or "m" in parts else None
