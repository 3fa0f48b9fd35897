"""What differs by language: the alphabet, accents, lower case and the words for symbols.

An alphabet is chosen by the primary subtag of the language (`de-AT` → de; Chinese in traditional characters is
`zh-hant`); languages without a file of their own take the English one, where letters beyond a–z are folded onto it or
refused. The alphabets are those of docs/languages.md.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Collection
from functools import cache, lru_cache
from pathlib import Path

from native import Alphabet

_FOLDER = Path(__file__).parent / "alphabets"
_TRADITIONAL = frozenset(("hant", "tw", "hk", "mo"))
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
    "ca": {"&": "i", "%": "per cent", "@": "arrova", "+": "més", "°": "graus"},
    "ja": {"%": "パーセント", "+": "プラス"},
    "ko": {"%": "퍼센트"},
    "th": {"%": "เปอร์เซ็นต์"},
    "tr": {"&": "ve", "%": "yüzde", "@": "et", "+": "artı", "°": "derece"},
}


def primary(language: str) -> str:
    """`de-AT` → `de`, always lower case; `zh-TW` → `zh-hant`, which is written with other characters than `zh`."""
    first, *rest = language.replace("_", "-").lower().split("-")
    return "zh-hant" if first == "zh" and _TRADITIONAL & set(rest) else first


def alphabet_languages(folder: Path | None = None) -> tuple[str, ...]:
    """Languages with an alphabet of their own, sorted; `folder` holds a store's own (`Store.alphabets_dir`)."""
    own = [path.stem for path in folder.glob("*.txt")] if folder is not None else []
    return tuple(sorted({*_packaged(), *own}))


@cache
def _packaged() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.txt")))


def alphabet_for(language: str, folder: Path | None = None) -> Alphabet:
    """The labels that text in a language is written with; CTC blank last. A store's own come before those here."""
    name = primary(language)
    if folder is not None:
        try:
            return _loaded(folder / f"{name}.txt", (folder / f"{name}.txt").stat().st_mtime_ns)
        except OSError:
            pass  # the store has none for it
    return _loaded(_FOLDER / f"{name if name in _packaged() else 'en'}.txt", 0)


@lru_cache(maxsize=256)
def _loaded(path: Path, changed_ns: int) -> Alphabet:
    return Alphabet.load(str(path))


def borrows_english(language: str, folder: Path | None = None) -> bool:
    """Whether a language has no alphabet, so that its text is folded onto the English one and flagged."""
    return primary(language) not in alphabet_languages(folder)


def alphabet_remark(language: str, folder: Path | None = None) -> list[str]:
    """A remark for people on a language without an alphabet of its own, else nothing."""
    if not borrows_english(language, folder):
        return []
    return [
        f"language {language} has no alphabet among the {len(_packaged())} here: its letters are folded onto a–z or "
        "refused, every row is flagged english_alphabet; give its letters by --alphabet FILE (python -m corpora doctor "
        "--draft-alphabet FILE makes one from the text)"
    ]


def labels_for(language: str, folder: Path | None = None) -> tuple[str, ...]:
    """The labels of `alphabet_for`, without the CTC blank."""
    return _labels_of(alphabet_for(language, folder))


@lru_cache(maxsize=256)
def _labels_of(alphabet: Alphabet) -> tuple[str, ...]:
    return tuple(alphabet.labels)


def alphabets_hash(folder: Path | None = None) -> str:
    """Changes when any alphabet does."""
    text = " ".join(alphabet_for(language, folder).hash for language in alphabet_languages(folder))
    return hashlib.sha256(text.encode()).hexdigest()


def folds_accents(language: str, labels: Collection[str]) -> bool:
    """Whether letters beyond the alphabet are folded onto it (English), or refused (all that have their own)."""
    return primary(language) == "en" or is_borrowed(language, labels)


def is_borrowed(language: str, labels: Collection[str]) -> bool:
    """Whether labels are the English ones for want of an alphabet of the language's own."""
    return borrows_english(language) and frozenset(labels) == frozenset(labels_for("en"))


def lower(text: str, language: str) -> str:
    """Lower case in NFC; Turkish and Azeri keep the dot of the i apart."""
    if primary(language) in {"tr", "az"}:
        text = unicodedata.normalize("NFC", text).translate(_NO_CASE_DOT)
    return text.lower()


def spoken_symbols(language: str) -> dict[str, str]:
    """How signs are read out in a language; a sign that is not in it has no certain spoken form."""
    return _SYMBOLS.get(primary(language), {})
