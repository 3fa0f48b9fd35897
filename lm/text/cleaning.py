"""A block of raw text → clean sentences, many megabytes a second.

The rules are the corpora's (`corpora.text.normaliser`), so that the language model spells as the transcripts do.
`native.TextCleaner` splits sentences and cleans what follows from a table of characters; sentences with
anything out of the ordinary come back and are given to the normaliser one by one. The quick way may never
answer differently from the normaliser: tests compare the two, sentence by sentence. Numbers are not spelled
out: a sentence with digits is left out and counted.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cache, lru_cache

from corpora.text.normaliser import Normaliser, Refused
from lm.text.characters import cleaner_for, normaliser_for, say_titles
from lm.text.encoding import as_utf8
from lm.text.files import TextBlock
from native import HeldOut

__all__ = ["CleanText", "clean_block", "normaliser_for"]

_OWNER = re.compile(rb"\b([IVX]{2,})(?:'|\xe2\x80\x99)s\b")  # a numeral that the quick way takes for a word
_OWNERS_END = tuple(letter + sign + b"s" for letter in (b"I", b"V", b"X") for sign in (b"'", b"\xe2\x80\x99"))
_TALLY_KEYS = ("read", "kept", "words", "left_out", "readmitted", "short_overlap")


@dataclass
class CleanText:
    """Clean sentences of one block (UTF-8, one per line, each line ended) and what happened to the others.

    read = kept + left_out + sum(refused); `words` are those of the kept sentences, `readmitted` and
    `short_overlap` are among the kept.
    """

    lines: bytes = b""
    read: int = 0
    kept: int = 0
    words: int = 0
    left_out: int = 0
    readmitted: int = 0
    short_overlap: int = 0
    longest_words: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    outside_alphabet: Counter[str] = field(default_factory=Counter)
    lines_not_utf8: int = 0

    def count(self, tally: dict[str, int]) -> None:
        """Adds the counts of the C++ side."""
        for key in _TALLY_KEYS:
            setattr(self, key, getattr(self, key) + tally[key])
        self.longest_words = max(self.longest_words, tally["longest_words"])
        for reason, name in (("numbers", "refused_numbers"), ("empty_text", "refused_empty")):
            if tally[name]:
                self.refused[reason] += tally[name]

    def refuse(self, reason: str) -> None:
        """Counts one sentence as read and refused."""
        self.read += 1
        self.refused[reason] += 1


@cache
def _nothing_held_out() -> HeldOut:
    return HeldOut([], 1)


def clean_block(
    block: TextBlock, labels: tuple[str, ...], held_out: HeldOut | None = None, language: str = "en"
) -> CleanText:
    """Cleans one block for an alphabet given by its labels, by the rules of a language (BCP 47).

    Never raises on odd text: it is counted.
    """
    held_out = held_out or _nothing_held_out()
    cleaner, result = cleaner_for(labels, language), CleanText()
    data = _with_owners_aside(block.data)
    cleaned = cleaner.clean(data, block.wrapped, held_out)
    if cleaned is None:
        data, result.lines_not_utf8 = as_utf8(data)
        cleaned = cleaner.clean(data, block.wrapped, held_out)
    if cleaned is None:  # as_utf8() leaves nothing that could be refused
        return result
    lines, odd, tally = cleaned
    result.count(tally)
    pieces, done = [], 0
    for offset, raw in odd:
        slow = _slow_clean(raw.decode("utf-8"), (labels, language), result)
        if slow:
            admitted, tally = held_out.admit(slow + b"\n")
            result.count(tally)
            pieces += [lines[done:offset], admitted]
            done = offset
    result.lines = b"".join([*pieces, lines[done:]]) if pieces else lines
    return result


def _with_owners_aside(data: bytes) -> bytes:
    """The text with the apostrophe of `Louis XIV's` as an entity, which takes such a sentence to the normaliser whole."""
    return _OWNER.sub(rb"\1&#39;s", data) if any(end in data for end in _OWNERS_END) else data


def _slow_clean(raw: str, written: tuple[tuple[str, ...], str], result: CleanText) -> bytes | None:
    """One sentence through the normaliser of labels and language; counts the refusal and the characters behind it."""
    normaliser = normaliser_for(*written)
    outcome = normaliser.normalise(raw)
    if isinstance(outcome, Refused):
        result.refuse(outcome.check)
        if outcome.check in ("bad_chars", "symbol"):
            result.outside_alphabet.update(c for c in set(raw) if _is_refused(c, normaliser))
        return None
    return say_titles(outcome.text, *written).encode("utf-8")


@lru_cache(maxsize=1 << 16)
def _is_refused(character: str, normaliser: Normaliser) -> bool:
    return isinstance(normaliser.normalise(f"a{character}"), Refused)
