"""Letters that an alphabet lacks: brought to its own forms in every script, or in English folded onto a to z.

The forms ask for no language: what is written otherwise than in the alphabet, and means the same, follows from its
labels. A text in Arabic letters with vowel marks fits an alphabet without them, one in full-width letters that of a to
z, Arabic letters a Persian alphabet and Persian ones an Arabic. A sign that the alphabet has is left as it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

from corpora.text.tables import LETTERS

# Marks that a script may leave out: vowels of Arabic and Hebrew, stress in Cyrillic. Dropped where no label has them.
_ARABIC_MARKS = frozenset(map(chr, [0x640, *range(0x64B, 0x660), 0x670, *range(0x6D6, 0x6EE)]))
_HEBREW_MARKS = frozenset(map(chr, [*range(0x591, 0x5BE), 0x5BF, 0x5C1, 0x5C2, 0x5C4, 0x5C5, 0x5C7]))
_STRESS = frozenset("\u0300\u0301")

# The same letter in another language's spelling or type: the first of these that the labels can write.
_ALIKE: dict[str, tuple[str, ...]] = {
    "ي": ("ی",), "ی": ("ي",), "ى": ("ی", "ي"), "ې": ("ی", "ي"), "ك": ("ک",), "ک": ("ك",), "ھ": ("ه",),
    "ہ": ("ه",), "ه": ("ہ",), "ۀ": ("ه",), "ۂ": ("ہ",), "ة": ("ه", "ہ"), "أ": ("ا",), "إ": ("ا",), "ٱ": ("ا",),
    "ş": ("ș",), "ţ": ("ț",), "ș": ("ş",), "ț": ("ţ",), "ŀ": ("l·",), "ŉ": ("'n",),
    "٪": ("%",), "٫": (",",), "٬": (",",),
}  # fmt: skip

# Blocks whose characters are other shapes of ones elsewhere: radicals, Hebrew and Arabic presentation forms,
# half-width and full-width forms.
_SHAPES = ((0x2E80, 0x2FDF), (0xFB1D, 0xFDFF), (0xFE70, 0xFEFE), (0xFF01, 0xFFEF))
_SARA_AM = re.compile("ํ([่-๋]?)า")  # Thai am typed as its two halves
_GERSHAYIM = re.compile('(?<=[א-ת])["״](?=[א-ת])')  # of Hebrew acronyms, no quotation mark


class ScriptForms(dict[int, str]):
    """A table for `str.translate` that fills itself: what each character is in an alphabet."""

    def __init__(self, labels: Collection[str]) -> None:
        super().__init__()
        self._labels = frozenset(labels)
        self._optional = frozenset[str]()
        names = {unicodedata.name(label[:1], "").partition(" ")[0] for label in self._labels}
        self._scripts = names - {"LATIN", "APOSTROPHE", "SPACE", ""}
        for marks, script in (
            (_ARABIC_MARKS, "ARABIC"),
            (_HEBREW_MARKS, "HEBREW"),
            (_STRESS, "CYRILLIC"),
        ):
            if script in self._scripts:
                self._optional |= marks
        self._optional -= self._labels

    def __missing__(self, code: int) -> str:
        sign = chr(code)
        form = self[code] = sign if sign in self._labels else self._form(sign)
        return form

    def _form(self, sign: str) -> str:
        if sign in self._optional:
            return ""
        if unicodedata.category(sign) == "Nd" and any(one in unicodedata.name(sign) for one in self._scripts):
            return str(unicodedata.decimal(sign))
        if any(first <= ord(sign) <= last for first, last in _SHAPES):
            return "".join(self[ord(one)] for one in unicodedata.normalize("NFKC", sign))
        small = sign.lower()
        for other in _ALIKE.get(small, ()):
            if set(other) <= self._labels or not other.isalpha():
                return other if small == sign else other.upper()
        return sign


def fitted(text: str, forms: ScriptForms) -> str:
    """A text in NFC, written as the alphabet of `forms` writes it; in NFC again."""
    if "ํ" in text:
        text = _SARA_AM.sub(r"\1ำ", text)
    if max(text, default="") >= "א" and _GERSHAYIM.search(text):
        text = _GERSHAYIM.sub("", text)
    form = text.translate(forms)
    return text if form == text else unicodedata.normalize("NFC", form)


def folded(words: list[str], labels: Collection[str], folds: bool) -> tuple[list[str], set[str]]:
    """(words in the labels, letters that could not be written with them).

    Args:
        folds: whether letters may be folded; else all that the labels lack are odd.
    """
    odd: set[str] = set()
    known = frozenset(labels)
    spelled = [word if set(word) <= known else _fold(word, known, folds, odd) for word in words]
    return [word for word in spelled if word], odd


def _fold(word: str, labels: frozenset[str], folds: bool, odd: set[str]) -> str:
    letters = []
    for letter in unicodedata.normalize("NFC", word):
        if letter in labels:
            letters.append(letter)
            continue
        if not folds:
            odd.add(letter)
            continue
        plain = "".join(LETTERS.get(c, c) for c in unicodedata.normalize("NFD", letter))
        plain = "".join(c for c in plain if unicodedata.category(c) != "Mn")
        if not set(plain) <= labels or (not plain and unicodedata.category(letter) != "Mn"):
            odd.add(letter)
        letters.append(plain)
    return "".join(letters)
