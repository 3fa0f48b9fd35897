"""CTM, words with times: `<file> <channel> <start> <duration> <word> [<confidence>]`.

Alternatives stand between words `<ALT_BEGIN>`, `<ALT>` and `<ALT_END>` whose times are `*`. One `;` begins a
comment here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scoring.errors import ScoringError
from scoring.transcripts import Side, TimedWord, Transcripts

_FIELDS = 5


def read(path: Path, text: str) -> Transcripts:
    """The file's words by recording and channel, in its order.

    Raises:
        ScoringError: a line with too few fields or times that are none.
    """
    words: dict[Side, list[TimedWord]] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line or line[0] == ";" or line.isspace():
            continue
        fields = line.split()
        if len(fields) < _FIELDS:
            raise ScoringError(f"{path} line {number} has {len(fields)} fields where CTM needs {_FIELDS}")
        row = words.setdefault((fields[0], fields[1]), [])
        try:
            row.append(_word(fields, row[-1] if row else None))
        except ValueError:
            stated = f", or {fields[5]!r} no confidence" if len(fields) > _FIELDS else ""
            raise ScoringError(
                f"{path} line {number}: start {fields[2]!r} and duration {fields[3]!r} are no seconds{stated}"
            ) from None
    return Transcripts(path, "ctm", words=words)


def _word(fields: Sequence[str], before: TimedWord | None) -> TimedWord:
    """One line. A word after an alternation's mark belongs to it until its end."""
    text = fields[4]
    mark = text[:4].lower() == "<alt"
    inside = before is not None and before.in_alternation and before.text.lower() != "<alt_end>"
    if mark:
        return TimedWord(text, 0.0, 0.0, None, True)
    stated = fields[5] if len(fields) > _FIELDS else "na"
    confidence = None if stated.lower() == "na" else float(stated)
    return TimedWord(text, float(fields[2].lstrip("&")), float(fields[3]), confidence, inside)


def looks_like(lines: Sequence[str]) -> bool:
    """Whether the third and fourth field of every line are times, and few fields follow."""
    for line in lines:
        fields = line.split()
        if not _FIELDS <= len(fields) <= _FIELDS + 3:
            return False
        try:
            if fields[2:4] != ["*", "*"]:
                float(fields[2].lstrip("&")), float(fields[3])
        except ValueError:
            return False
    return bool(lines)
