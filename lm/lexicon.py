"""Vocabulary → the lexicon trie that the decoder walks, and the hash by which both know each other."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import native
from lm.errors import EmptyTextError
from native import Alphabet


def vocabulary_hash(words: Sequence[str]) -> str:
    """Hex SHA-256 of the sorted words, one per line."""
    return hashlib.sha256("".join(f"{word}\n" for word in sorted(words)).encode("utf-8")).hexdigest()


def build_lexicon(
    words: Sequence[str],
    alphabet: Alphabet,
    folder: Path,
    identity: dict[str, str],
    said: Sequence[tuple[str, Sequence[str]]] | None = None,
) -> dict[str, Any]:
    """Writes `lexicon.trie` beside `lm.binary`: a model's words as they are spelled, or as `said` (word, labels).

    `identity` goes into its header and into the manifest.

    Returns counts of nodes, words and bytes, and of the words left out by reason. Raises EmptyTextError when
    no word can be spelled with the alphabet, and the errors of `native`.
    """
    binary, out, unit = folder / "lm.binary", folder / "lexicon.trie", identity.get("unit", "words")
    listed = sorted(words) if said is None else [word for word, _ in said]
    spelled = None if said is None else [labels for _, labels in said]
    counts: dict[str, Any] = native.build_lexicon_trie(
        listed, alphabet, binary, out, identity, unit, pronunciations=spelled
    )
    if not counts["words"]:
        raise EmptyTextError("no word can be spelled with the alphabet; is the text in its language?")
    return counts
