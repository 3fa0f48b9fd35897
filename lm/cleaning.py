"""A block of raw text → clean sentences, many megabytes a second.

The rules are the corpora's (`corpora.transcript`), so that the language model spells as the transcripts do.
Whole blocks go through a few passes of `bytes.translate` and regular expressions; only sentences that hold
something out of the ordinary (digits, accents, brackets, a stray quote) are given to the normaliser one by
one. The quick way may never answer differently from the normaliser: a test compares them sentence by
sentence. Numbers are not spelled out: a sentence with digits is left out and counted.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cache

from corpora.transcript import Normaliser, Refused
from lm.text_files import TextBlock

PLAIN_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz' ")
"""The quick way is only taken for alphabets that hold all of these."""

_ODD = 1
"""The byte that marks a place which the quick way does not decide; never in text (control character)."""

_TITLES = (
    b"Mr Mrs Ms Dr St Messrs Prof Rev Hon Capt Col Gen Lieut Lt Sergt Sgt Maj Mme Mlle Jr Sr Gov Sen vs"
).split()
_NO_END = b"".join(b"(?<!\\b" + title + b"\\.)" for title in _TITLES)
_SENTENCE_END = re.compile(rb"([.?!](?<!\b[A-HJ-Z]\.)" + _NO_END + rb"[.?!]*[\"')\]]*) +(?=[\"'(\[]*[A-Z])")
_PARAGRAPH_END = re.compile(rb"\n[ \t]*\n\s*")
_BROKEN_WORD = re.compile(rb"([A-Za-z]+)-\n[ \t]*([a-z]+)")
_WORDS = re.compile(rb"[A-Za-z]+")
_EDGE_APOSTROPHE = re.compile(rb"'(?:(?<![a-z]')|(?![a-z]))")
_BLANKS = re.compile(rb"  +")
_TYPOGRAPHY = (
    (b"\xe2\x80\x99", b"'"),
    (b"\xe2\x80\x98", b"'"),
    (b"\xe2\x80\x9c", b'"'),
    (b"\xe2\x80\x9d", b'"'),
    (b"\xe2\x80\x93", b" - "),
    (b"\xe2\x80\x94", b" - "),
    (b"\xe2\x80\xa6", b"..."),
)
"""Curly quotes, dashes and the ellipsis as the signs that the normaliser treats alike."""


def _quick_table() -> bytes:
    """Bytes of raw text → lower case, a blank for every mark it blanks, `_ODD` for all else."""
    table = bytearray([_ODD] * 256)
    for code in range(ord("a"), ord("z") + 1):
        table[code] = table[code - 32] = code
    for mark in ' \t-,;:.?!"/':
        table[ord(mark)] = ord(" ")
    table[ord("\n")], table[ord("'")] = ord("\n"), ord("'")
    return bytes(table)


_QUICK = _quick_table()


@dataclass
class CleanText:
    """Clean sentences of one block (UTF-8, one per line, each line ended) and what happened to the others."""

    lines: bytes
    read: int
    kept: int
    refused: Counter[str] = field(default_factory=Counter)
    outside_alphabet: Counter[str] = field(default_factory=Counter)
    not_utf8: int = 0


@cache
def normaliser_for(labels: tuple[str, ...]) -> Normaliser:
    """The corpora's normaliser for running text, made once per process and alphabet."""
    return Normaliser(list(labels), "verbatim")


def clean_block(block: TextBlock, labels: tuple[str, ...]) -> CleanText:
    """Cleans one block for an alphabet given by its labels. Never raises on odd text: it is counted."""
    data, not_utf8 = _as_utf8(block.data)
    raw = split_sentences(data, block.wrapped).split(b"\n")
    if set(labels) >= PLAIN_LETTERS:
        quick: list[bytes | None] = _quick_clean(raw)
    else:
        quick = [None if line.strip() else b"" for line in raw]
    result = CleanText(b"", 0, 0, not_utf8=not_utf8)
    normaliser, kept = normaliser_for(labels), []
    for index, clean in enumerate(quick):
        if clean:
            kept.append(clean)
        elif clean is None:
            slow = _slow_clean(raw[index].decode("utf-8"), normaliser, result)
            if slow:
                kept.append(slow)
        elif raw[index].strip():
            result.refused["empty"] += 1
    result.kept = len(kept)
    result.read = result.kept + sum(result.refused.values())
    result.lines = b"\n".join(kept) + b"\n" if kept else b""
    return result


def split_sentences(data: bytes, wrapped: bool) -> bytes:
    """One raw sentence per line: joins wrapped lines and broken words, ends lines where sentences end."""
    data = data.replace(b"\x01", b" ").replace(b"_", b"").replace(b"*", b" ")
    if b"\xe2\x80" in data:
        for sign, plain in _TYPOGRAPHY:
            data = data.replace(sign, plain)
    if wrapped:
        data = _join_broken_words(data)
        data = _PARAGRAPH_END.sub(b"\x01", data).replace(b"\n", b" ").replace(b"\x01", b"\n")
    return _SENTENCE_END.sub(rb"\1\n", data)


def _join_broken_words(data: bytes) -> bytes:
    """`some-⏎thing` becomes one word where the text also has `something`, else `some-thing`."""
    if b"-\n" not in data:
        return data
    known = set(_WORDS.findall(data.lower()))

    def joined(match: re.Match[bytes]) -> bytes:
        first, second = match.groups()
        return first + second if (first + second).lower() in known else first + b"-" + second

    return _BROKEN_WORD.sub(joined, data)


def _quick_clean(raw: list[bytes]) -> list[bytes | None]:
    """Cleans ordinary sentences; None for those that only the normaliser may decide."""
    data = b"\n".join(raw).translate(_QUICK)
    data = _EDGE_APOSTROPHE.sub(b"\x01", data)
    data = _BLANKS.sub(b" ", data).replace(b" \n", b"\n").replace(b"\n ", b"\n").strip(b" ")
    if b"\x01" not in data:
        return list(data.split(b"\n"))
    return [None if b"\x01" in line else line for line in data.split(b"\n")]


def _slow_clean(raw: str, normaliser: Normaliser, result: CleanText) -> bytes | None:
    """One sentence through the normaliser; counts the refusal and the characters behind it."""
    if not raw.strip():
        return None
    outcome = normaliser.normalise(raw)
    if isinstance(outcome, Refused):
        result.refused[outcome.check] += 1
        if outcome.check in ("bad_chars", "symbol"):
            strange = (c for c in set(raw) if isinstance(normaliser.normalise(f"a{c}"), Refused))
            result.outside_alphabet.update(strange)
        return None
    return outcome.text.encode("utf-8")


def _as_utf8(data: bytes) -> tuple[bytes, int]:
    """The block as valid UTF-8, and 1 if it had to be read as Windows-1252 instead."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace").replace("�", " ").encode("utf-8"), 1
    return data, 0
