"""Letters that an alphabet lacks, folded onto those it has: accents taken off, ligatures written out."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection

from corpora.text.tables import LETTERS


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
