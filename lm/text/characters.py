"""What the normaliser makes of single characters, asked once: the table that the C++ cleaner works from.

A character is in the table when its clean form does not depend on its neighbours. The normaliser itself is the
only source: a table cannot disagree with it, whatever the alphabet. Numerals, signs that open an entity or a
tag, and characters that combine with others are left out; sentences with them go to the normaliser whole.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache

from corpora.text.languages import primary
from corpora.text.normaliser import Normalised, Normaliser, Policies, default_labels
from corpora.text.numbers import is_number_sign
from corpora.text.tables import LEADING_APOSTROPHE, TRAILING_APOSTROPHE
from native import TextCleaner

TITLES = (
    *("Mr", "Mrs", "Ms", "Dr", "St", "Messrs", "Prof", "Rev", "Hon", "Capt", "Col", "Gen", "Lieut", "Lt"),
    *("Sergt", "Sgt", "Maj", "Mme", "Mlle", "Jr", "Sr", "Gov", "Sen", "vs"),
    *("MR", "MRS", "MS", "DR"),
)
"""Words whose point ends no sentence."""

SPOKEN = {
    **{"mr": "mister", "mrs": "missus", "dr": "doctor", "prof": "professor", "capt": "captain"},
    **{"lieut": "lieutenant", "lt": "lieutenant", "sergt": "sergeant", "sgt": "sergeant"},
}
"""Titles of English as they are said before a name; those that may be another word ("st", "gen") stay."""

CharacterRule = tuple[int, str, bool, bool]
"""Code point, clean text, is white space, is capital."""

_ALWAYS = (range(0x00, 0x250), range(0x2000, 0x2070))
_BLOCK = 0x80
_CONTEXT = frozenset("&%<>[]{}♪♫Σ")  # entities, tags, music; capital sigma is one of two letters
_CATEGORIES = ("L", "P", "S", "Z", "Cc", "Cf")


@cache
def normaliser_for(labels: tuple[str, ...], language: str = "en") -> Normaliser:
    """The corpora's normaliser for running text of a language (BCP 47), made once per process and alphabet."""
    return Normaliser(list(labels), "verbatim", Policies(language=language))


@cache
def cleaner_for(labels: tuple[str, ...], language: str = "en") -> TextCleaner:
    """The cleaner of an alphabet, made once per process."""
    return TextCleaner(
        character_rules(labels, language),
        sorted(LEADING_APOSTROPHE),
        sorted(TRAILING_APOSTROPHE),
        list(TITLES),
        "'" in labels,
        SPOKEN if _is_english(labels, language) else {},
        " " in labels,
    )


def say_titles(text: str, labels: tuple[str, ...], language: str = "en") -> str:
    """A clean sentence with the titles of `SPOKEN` before another word as they are said, where it is English."""
    words = text.split(" ")
    if not _is_english(labels, language) or SPOKEN.keys().isdisjoint(words[:-1]):
        return text
    return " ".join([*(SPOKEN.get(word, word) for word in words[:-1]), words[-1]])


def _is_english(labels: tuple[str, ...], language: str) -> bool:
    return primary(language) == "en" and set(labels) == set(default_labels())


@cache
def character_rules(labels: tuple[str, ...], language: str = "en") -> tuple[CharacterRule, ...]:
    """The rule of every character near the alphabet that has one, in the order of code points."""
    probe = next((c for c in labels if len(c) == 1 and c.isalpha() and c.lower() == c), None)
    if probe is None:
        return ()
    normaliser, rules = normaliser_for(labels, language), []
    for code in _codes(labels):
        text = _clean_form(chr(code), probe, normaliser)
        if text is not None:
            character = chr(code)
            rules.append((code, text, character.isspace(), character.isupper()))
    return tuple(rules)


def _codes(labels: Iterable[str]) -> Iterator[int]:
    """Code points worth asking about: Latin, punctuation, and the blocks in which the labels lie."""
    codes = {code for some in _ALWAYS for code in some}
    for label in labels:
        for character in label + label.upper():
            first = ord(character) // _BLOCK * _BLOCK
            codes.update(range(first, first + _BLOCK))
    return iter(sorted(codes))


def _clean_form(character: str, probe: str, normaliser: Normaliser) -> str | None:
    """What the normaliser makes of a character between two letters; None where neighbours may matter."""
    category = unicodedata.category(character)
    if character in _CONTEXT or is_number_sign(character) or not category.startswith(_CATEGORIES):
        return None
    if category == "Cs" or unicodedata.combining(character) or 0x1100 <= ord(character) < 0x1200:
        return None
    if unicodedata.normalize("NFC", character) != character:
        return None
    clean = normaliser.normalise(f"{probe}{character}{probe}")
    if not isinstance(clean, Normalised) or not clean.text.startswith(probe) or len(clean.text) < 2:
        return None
    return clean.text[1:-1] if clean.text.endswith(probe) else None
