"""TRN: one utterance a line, its id in parentheses at the end: `she had your { um / @ } suit (cmh_sa01)`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scoring.errors import ScoringError
from scoring.transcripts import Segment, Transcripts, lines_of

_WSJ_ID_CHARACTERS = 8
_WSJ_SPEAKER_CHARACTERS = 3
SPEAKER_RULES = ("auto", "spu_id", "wsj", "one")


def read(path: Path, text: str) -> Transcripts:
    """The file's utterances in its order; speakers are set by `with_speakers`.

    Raises:
        ScoringError: a line without an id.
    """
    segments = []
    for number, line in lines_of(text):
        start, end = line.rfind("("), line.rfind(")")
        if start < 0 or end < start:
            raise ScoringError(
                f"{path} line {number} has no (utterance id) at its end: {line.strip()[:60]!r}"
            )
        segments.append(Segment(line[start + 1 : end], line[:start]))
    return Transcripts(path, "trn", segments)


def looks_like(lines: Sequence[str]) -> bool:
    """Whether every line ends with a word in parentheses, and not all the same one."""
    ends = [line.rstrip() for line in lines]
    ids = [end[end.rfind("(") + 1 : -1] for end in ends if end.endswith(")") and "(" in end]
    return len(ids) == len(lines) and all(one and not one[0].isspace() for one in ids)


def speaker_of(utterance: str, rule: str) -> str:
    """The speaker in an id: before the first - (else _) by spu_id, the first three signs by wsj."""
    if rule == "wsj":
        return utterance[:_WSJ_SPEAKER_CHARACTERS]
    if rule == "one":
        return "all"
    for sign in "-_":
        if sign in utterance:
            return utterance.partition(sign)[0]
    if rule == "auto" and len(utterance) == _WSJ_ID_CHARACTERS and utterance.isalnum():
        return utterance[:_WSJ_SPEAKER_CHARACTERS]
    return "all"
