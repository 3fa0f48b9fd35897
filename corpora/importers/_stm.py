"""STM lines as items of an importer: corpora/formats/stm.py reads them, here they get their place."""

from __future__ import annotations

from corpora.formats import stm
from corpora.formats.stm import StmLine
from corpora.formats.stm import gender_of as gender
from corpora.importer import Ignored, Rejection
from corpora.importers import _calls as recordings
from corpora.sources.lines import TextLine

__all__ = ["StmLine", "gender", "parse"]


def parse(path: str, line: TextLine) -> StmLine | Rejection | Ignored:
    """One line of an STM file, why it is refused, or why it is passed over."""
    try:
        said = stm.parse_line(line.text or "")
    except stm.StmError as error:
        return recordings.bad_line(path, line, error.check, str(error))
    return Ignored(path, said) if isinstance(said, str) else said
