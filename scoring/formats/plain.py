"""Plain text, one utterance a line, paired by their order; and Kaldi's `text`, whose lines begin with the id."""

from __future__ import annotations

from pathlib import Path

from scoring.errors import ScoringError
from scoring.transcripts import Segment, Transcripts, lines_of


def read(path: Path, text: str) -> Transcripts:
    """Every line is an utterance, a blank one too (nothing was said or heard); ids are line numbers."""
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    segments = [Segment(str(number), line, "all") for number, line in enumerate(lines, 1)]
    return Transcripts(path, "plain", segments)


def read_kaldi(path: Path, text: str) -> Transcripts:
    """Lines `id word word …`.

    Raises:
        ScoringError: an id stands twice.
    """
    segments: dict[str, Segment] = {}
    for number, line in lines_of(text):
        name, _, said = line.strip().replace("\t", " ", 1).partition(" ")
        if name in segments:
            raise ScoringError(f"{path} line {number}: utterance {name!r} stands there twice")
        segments[name] = Segment(name, said)
    return Transcripts(path, "kaldi", list(segments.values()))
