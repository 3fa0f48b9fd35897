"""The formats of transcripts: one module each, and the guess which one a file has.

The name's ending decides (`.trn .stm .ctm .json .jsonl .seglst`), then the content; what nothing else claims is
plain text. A format by name is always right: `read(path, form="stm")`.
"""

from __future__ import annotations

from pathlib import Path

from scoring.errors import ScoringError
from scoring.formats import ctm, plain, segments, stm, trn
from scoring.transcripts import FOLDS, Transcripts, folded, lines_of, read_text

FORMS = ("trn", "stm", "ctm", "json", "plain", "kaldi")
_ENDINGS = {
    ".trn": "trn",
    ".stm": "stm",
    ".ctm": "ctm",
    ".json": "json",
    ".jsonl": "json",
    ".seglst": "json",
}
_LINES_LOOKED_AT = 200


def guess(path: Path, text: str) -> str:
    """The format of a file by its name and its first lines."""
    if (form := _ENDINGS.get(path.suffix.lower())) is not None:
        return form
    if text.lstrip()[:1] == "[" or text.lstrip()[:2] == '{"':
        return "json"
    lines = []
    for _, line in lines_of(text[:200_000]):
        lines.append(line)
        if len(lines) == _LINES_LOOKED_AT:
            break
    if len(text) > 200_000:
        lines = lines[:-1]
    if trn.looks_like(lines) and lines:
        return "trn"
    if stm.looks_like(lines):
        return "stm"
    return "ctm" if ctm.looks_like(lines) else "plain"


def read(path: Path, form: str | None = None, fold: str = "ascii", hypothesis: bool = False) -> Transcripts:
    """A file of transcripts; `form` is one of FORMS or None to guess, `fold` of FOLDS.

    Raises:
        ScoringError: it cannot be read, or not in that format; names the line.
    """
    if fold not in FOLDS:
        raise ScoringError(f"fold {fold!r} is none of {', '.join(FOLDS)}")
    text = read_text(path)
    form = form or guess(path, text)
    if form == "json":
        return segments.read(path, text, fold, hypothesis)
    readers = {
        "trn": trn.read,
        "stm": stm.read,
        "ctm": ctm.read,
        "plain": plain.read,
        "kaldi": plain.read_kaldi,
    }
    if form not in readers:
        raise ScoringError(f"format {form!r} is none of {', '.join(FORMS)}")
    return readers[form](path, folded(text.replace("\r\n", "\n"), fold))
