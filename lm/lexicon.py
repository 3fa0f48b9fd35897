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
    words: Sequence[str], alphabet: Alphabet, binary: Path, out: Path, identity: dict[str, str]
) -> dict[str, Any]:
    """Writes the trie of a model's words; `identity` goes into its header and into the manifest.

    Returns counts of nodes, words and bytes, and of the words left out by reason. Raises EmptyTextError when
    no word can be spelled with the alphabet, and the errors of `native`.
    """
    counts: dict[str, Any] = native.build_lexicon_trie(
        sorted(words), alphabet, str(binary), str(out), identity, identity.get("unit", "words")
    )
    if not counts["words"]:
        raise EmptyTextError("no word can be spelled with the alphabet; is the text in its language?")
    return counts
