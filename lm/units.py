"""What the language model counts: words, or characters for languages whose words no blank divides.

A text of characters has one token per character; a blank between words is the token `SPACE_WORD`, by which
the lexicon trie knows it too. `split` is the only place that knows how a sentence becomes tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from lm.errors import LanguageModelUsageError
from native import Alphabet

WORDS, CHARACTERS = UNITS = ("words", "characters")
SPACE_WORD = "▁"
"""How a blank is written in a text of characters (U+2581)."""


def split(text: str, unit: str, spaced: bool = True) -> str:
    """A sentence as tokens with blanks between them; its own blanks count only where the alphabet has one."""
    return text if unit == WORDS else " ".join(text.replace(" ", SPACE_WORD if spaced else ""))


def scoring(
    score: Callable[[str], Sequence[tuple[str, float, bool]]], unit: str, alphabet: Alphabet
) -> Callable[[str], Sequence[tuple[str, float, bool]]]:
    """A model's scoring of sentences as they are written, whatever it counts."""
    return score if unit == WORDS else lambda text: score(split(text, unit, alphabet.space >= 0))


def split_file(source: Path, target: Path, unit: str, alphabet: Alphabet) -> int:
    """Writes a file of one sentence per line as tokens; returns the length of the longest in tokens.

    The file is streamed. Raises LanguageModelUsageError where the text itself holds `SPACE_WORD`.
    """
    longest = 0
    with source.open(encoding="utf-8") as lines, target.open("w", encoding="utf-8") as out:
        for line in lines:
            text = line.rstrip("\n")
            if SPACE_WORD in text:
                raise LanguageModelUsageError(
                    f"the text holds {SPACE_WORD!r}, which stands for a blank in a model of characters; "
                    "take it out of the alphabet"
                )
            tokens = split(text, unit, alphabet.space >= 0)
            longest = max(longest, tokens.count(" ") + 1)
            out.write(tokens + "\n")
    return longest
