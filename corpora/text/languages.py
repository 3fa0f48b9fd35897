"""What differs by language: the alphabet, accents, lower case and the words for symbols.

An alphabet is chosen by the primary subtag of the language (`de-AT` → de); languages without a file of their own
take the English one, where letters beyond a–z are folded onto it or refused.
"""

from __future__ import annotations

import hashlib
import unicodedata
from functools import cache
from pathlib import Path

from native import Alphabet

_FOLDER = Path(__file__).parent / "alphabets"
_NO_CASE_DOT = str.maketrans({"İ": "i", "I": "ı"})
_SYMBOLS = {
    "en": {"&": "and", "%": "percent", "@": "at", "+": "plus", "°": "degrees"},
    "de": {"&": "und", "%": "prozent", "@": "at", "+": "plus", "°": "grad"},
    "fr": {"&": "et", "%": "pour cent", "@": "arobase", "+": "plus", "°": "degrés"},
    "es": {"&": "y", "%": "por ciento", "@": "arroba", "+": "más", "°": "grados"},
    "cy": {"&": "a", "%": "y cant", "°": "gradd"},
    "it": {"&": "e", "%": "per cento", "@": "chiocciola", "+": "più", "°": "gradi"},
    "nl": {"&": "en", "%": "procent", "@": "apenstaartje", "+": "plus", "°": "graden"},
    "pt": {"&": "e", "%": "por cento", "@": "arroba", "+": "mais", "°": "graus"},
    "tr": {"&": "ve", "%": "yüzde", "@": "et", "+": "artı", "°": "derece"},
}


def primary(language: str) -> str:
    """`de-AT` → `de`; always lower case."""
    return language.replace("_", "-").partition("-")[0].lower()


@cache
def alphabet_languages() -> tuple[str, ...]:
    """Languages with an alphabet of their own, sorted."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.txt")))


@cache
def alphabet_for(language: str) -> Alphabet:
    """The labels that text in a language is written with; CTC blank last."""
    name = "en" if borrows_english(language) else primary(language)
    return Alphabet.load(str(_FOLDER / f"{name}.txt"))


def borrows_english(language: str) -> bool:
    """Whether a language has no alphabet here, so that its text is folded onto the English one and flagged."""
    return primary(language) not in alphabet_languages()


def alphabet_remark(language: str) -> list[str]:
    """A remark for people on a language without an alphabet of its own, else nothing."""
    if not borrows_english(language):
        return []
    known = ", ".join(alphabet_languages())
    return [
        f"language {language} has no alphabet here (there are {known}): its letters are folded onto a–z or refused, "
        "every row is flagged english_alphabet"
    ]


@cache
def labels_for(language: str) -> tuple[str, ...]:
    """The labels of `alphabet_for`, without the CTC blank."""
    return tuple(alphabet_for(language).labels)


@cache
def alphabets_hash() -> str:
    """Changes when any alphabet does."""
    text = " ".join(alphabet_for(language).hash for language in alphabet_languages())
    return hashlib.sha256(text.encode()).hexdigest()


def folds_accents(language: str) -> bool:
    """Whether letters beyond the alphabet are folded onto it (English), or refused (all that have their own)."""
    return borrows_english(language) or primary(language) == "en"


def lower(text: str, language: str) -> str:
    """Lower case in NFC; Turkish and Azeri keep the dot of the i apart."""
    if primary(language) in {"tr", "az"}:
        text = unicodedata.normalize("NFC", text).translate(_NO_CASE_DOT)
    return text.lower()


def spoken_symbols(language: str) -> dict[str, str]:
    """How signs are read out in a language; a sign that is not in it has no certain spoken form."""
    return _SYMBOLS.get(primary(language), {})
