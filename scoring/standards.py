"""How papers score a test set: `hub5`, NIST's way with conversational telephone speech (Hub5'00, RT-03 CTS).

All alternatives of the reference count, `(word)` may be missing, fragments equal words that begin so, hesitations are
one word. NIST's own map of words (the .glm beside the references) can be given; without it a small one of ours makes
the hesitations and the backchannels alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scoring.errors import ScoringError
from scoring.glm import Rules, apply_to
from scoring.score import Score, ScoreRequest, score_files
from scoring.transcripts import Segment, Transcripts

_HESITATIONS = "ach ah eee eh er ew ha hee hm hmm huh mm oof uh uhm um %uh %um %ah %eh %hm %mm %er".split()  # noqa: SIM905
_BACKCHANNELS = ("mm-hm", "mm-hmm", "mhm", "uh-huh", "mhmm", "uhhuh")


@dataclass(frozen=True)
class Standard:
    """One way of scoring by name."""

    name: str
    summary: str
    glm: str


def _map_of_words() -> str:
    rules = [f"[{word.upper()}] => [%HESITATION] / [ ] __ [ ]" for word in _HESITATIONS]
    rules += [f"[{word.upper()}] => [%BACKCHANNEL] / [ ] __ [ ]" for word in _BACKCHANNELS]
    return "\n".join([";; hesitations and backchannels are one word each", "* copy_no_hit = 'T'", *rules, ""])


STANDARDS = {
    "hub5": Standard("hub5", "conversational telephone speech as NIST scores it", _map_of_words()),
}


def score_by(name: str, references: list[Segment], heard: list[str], glm: Path | None = None) -> Score:
    """Score texts of a test set; `references` hold the raw text, the part of the set as `label`.

    Raises:
        ScoringError: there is no such standard, or a text's mark-up is broken.
    """
    if name not in STANDARDS:
        raise ScoringError(f"standard {name!r} is none of {', '.join(STANDARDS)}")
    said = Transcripts(Path("references"), "stm", references)
    hypotheses = [Segment(one.id, text) for one, text in zip(references, heard, strict=True)]
    found = Transcripts(Path("hypotheses"), "ctm", hypotheses)
    path = glm or Path(f"{name}.glm")
    sides = []
    for transcripts, side in ((said, "ref"), (found, "hyp")):
        form = transcripts.form
        own = Rules.parse(path, STANDARDS[name].glm, form, side)
        rules = own if glm is None else Rules.load(glm, form, side)
        sides.append(apply_to(Transcripts(transcripts.path, "trn", transcripts.segments), rules, "ascii"))
    request = ScoreRequest(said.path, found.path, deletable=True, fragments=True, missing="delete")
    return score_files(request, sides[0], sides[1])
