"""Files of transcripts for the tests of scoring."""

from __future__ import annotations

from pathlib import Path

from scoring.score import Score, ScoreRequest, score


def scored(folder: Path, reference: str, hypothesis: str, names: tuple[str, str], **rules: object) -> Score:
    """Write both texts under their names and score them."""
    paths = [folder / names[0], folder / names[1]]
    for path, text in zip(paths, (reference, hypothesis), strict=True):
        path.write_text(text, encoding="utf-8")
    return score(ScoreRequest(paths[0], paths[1], **rules))  # type: ignore[arg-type]


def counted(result: Score) -> tuple[int, int, int, int]:
    """Words, substitutions, deletions, insertions."""
    total = result.total
    return total.words, total.substitutions, total.deletions, total.insertions
