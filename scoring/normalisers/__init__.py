"""Named normalisers: what is done to both texts before they are compared. `NAMES` lists them with their rules.

A rate means nothing without the name of its normaliser; `score --normaliser A B` lays several side by side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scoring.errors import ScoringError


@dataclass(frozen=True)
class Normaliser:
    """`normalise` is None where texts stay as they are; `compounds` asks for them to be merged."""

    name: str
    summary: str
    normalise: Callable[[str], str] | None = None
    compounds: bool = False


NAMES = {
    "none": "as written, in lower case by --fold",
    "compounds": "as written, compounds merged: age-old = age old = ageold",
    "basic": "any language: signs and bracketed text away, letters and their accents kept",
    "english": "the Open ASR leaderboard's rules for English: contractions, numbers, spellings, no um",
    "english-compounds": "english, compounds merged",
}


def find(name: str) -> Normaliser:
    """A normaliser by its name.

    Raises:
        ScoringError: there is none of that name.
    """
    if name not in NAMES:
        raise ScoringError(f"normaliser {name!r} is none of {', '.join(NAMES)}")
    compounds = name.endswith("compounds")
    if name in ("none", "compounds"):
        return Normaliser(name, NAMES[name], None, compounds)
    if name == "basic":
        from scoring.normalisers.basic import normalise as basic

        return Normaliser(name, NAMES[name], basic)
    from scoring.normalisers.english import normalise as english

    return Normaliser(name, NAMES[name], english, compounds)
