"""What may be read aloud: the rules of the corpora's normaliser, and a length that fits fifteen seconds.

A sentence is refused here for the same reasons for which its recording would be refused later, so that nobody reads
aloud what cannot be learnt from.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from collect.people.secret import hash_of
from corpora.text.languages import labels_for
from corpora.text.normaliser import Normalised, Normaliser, Policies

LONGEST_S = 15.0
SLOW_READER = 10.0  # letters per second, blanks counted: slower than nine in ten readers of LibriSpeech
MOST_LETTERS = int(LONGEST_S * SLOW_READER)
LEAST_LETTERS = 4
_CONTROLS = {chr(code) for code in [*range(32), 127, *range(0x80, 0xA0)]} - {"\t", "\n", "\r"}
# Letters that turn text around: they could make a page show another sentence than the one that is stored.
_TURNERS = {chr(code) for code in [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]}


@dataclass(frozen=True)
class Usable:
    """A sentence as it is shown, as the normaliser writes it, and the hash that finds doubles."""

    text: str
    spoken: str
    sha256: str


@dataclass(frozen=True)
class Unusable:
    """Why a sentence cannot be read aloud here: the check that is counted and a sentence for people."""

    check: str
    reason: str


@lru_cache(maxsize=32)
def _normaliser(language: str) -> Normaliser:
    return Normaliser(labels_for(language), "common_voice", Policies(language=language))


def clean(raw: str, language: str) -> Usable | Unusable:
    """A proposed sentence, or why not; never raises."""
    if any(letter in _CONTROLS or letter in _TURNERS for letter in raw):
        return Unusable("bad_chars", "it holds control characters")
    text = " ".join(raw.split())
    if text[:1] in ("=", "+", "@") or (text[:1] == "-" and text[1:2] != " "):
        return Unusable("bad_chars", f"it begins with {text[:1]!r}, as formulas do")
    if len(text) > 2 * MOST_LETTERS:
        return Unusable(
            "too_long",
            f"{len(text)} letters; at most {MOST_LETTERS}, so that it is read in {LONGEST_S:.0f} s",
        )
    said = _normaliser(language).normalise(text)
    if not isinstance(said, Normalised):
        return Unusable(said.check, said.reason)
    if said.flags:
        return Unusable("unknown_tag", f"it holds tags or notes ({', '.join(said.flags)})")
    if len(said.text) > MOST_LETTERS:
        return Unusable(
            "too_long",
            f"{len(said.text)} letters; at most {MOST_LETTERS}, so that it is read in {LONGEST_S:.0f} s",
        )
    if len(said.text) < LEAST_LETTERS:
        return Unusable("too_short", f"{len(said.text)} letters; at least {LEAST_LETTERS}")
    return Usable(text, said.text, hash_of(said.text))
