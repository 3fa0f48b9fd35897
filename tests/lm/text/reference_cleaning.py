"""The rules of cleaning as plain Python, slow and short: what the C++ cleaner is compared with."""

from __future__ import annotations

import re
from collections import Counter

from corpora.text.normaliser import Normalised
from lm.text.characters import TITLES, character_rules, normaliser_for, say_titles

_TYPED = {"’": "'", "‘": "'", "“": '"', "”": '"', "–": " - ", "—": " - ", "…": "..."}
_PARAGRAPH_END = re.compile(r"\n[ \t]*\n[ \t\n\r\v\f]*")
_BROKEN_WORD = re.compile(r"([A-Za-z]+)-\n[ \t]*([a-z]+)")
_FULL_STOP = re.compile(r"([。！？।])")
_LETTERS = re.compile(r"[A-Za-z]+")
_NO_END = "".join(f"(?<!(?<![A-Za-z0-9]){title}\\.)" for title in TITLES)


def plain(text: str, wrapped: bool) -> str:
    """The text before sentences are looked for."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("_", "").replace("*", " ")
    for sign, typed in _TYPED.items():
        text = text.replace(sign, typed)
    if not wrapped:
        return text
    known = {word.lower() for word in _LETTERS.findall(text)}

    def mended(match: re.Match[str]) -> str:
        whole = match[1] + match[2]
        return whole if whole.lower() in known else f"{match[1]}-{match[2]}"

    text = _BROKEN_WORD.sub(mended, text)
    return _PARAGRAPH_END.sub("\x01", text.replace("\x01", "\x02")).replace("\n", " ").replace("\x01", "\n")


def sentences(text: str, labels: tuple[str, ...]) -> list[str]:
    """Raw sentences of a plain text, without those of white space alone."""
    text = _FULL_STOP.sub(r"\1\n", text)
    capitals = "".join(chr(code) for code, _, _, capital in character_rules(labels) if capital and code > 127)
    end = re.compile(
        r"([.?!](?<!(?<![A-Za-z0-9])[A-HJ-Z]\.)" + _NO_END + r"[.?!]*[\"')\]]*) +"
        rf"(?=[\"'(\[]*[A-Z{re.escape(capitals)}])"
    )
    return [line for line in end.sub(r"\1\n", text).split("\n") if line.strip()]


def clean(text: str, wrapped: bool, labels: tuple[str, ...]) -> tuple[list[str], Counter[str]]:
    """Clean sentences, and how many were refused for which reason."""
    kept, refused = [], Counter[str]()
    for sentence in sentences(plain(text, wrapped), labels):
        outcome = normaliser_for(labels).normalise(sentence)
        if isinstance(outcome, Normalised):
            kept.append(say_titles(outcome.text, labels))
        else:
            refused[outcome.check] += 1
    return kept, refused
