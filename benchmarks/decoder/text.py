"""Public-domain prose -> text for a language model, and held-out utterances that are not in it.

Reads a tar archive of .txt files, a folder of them, or one file. Some of the books (every eighteenth by name;
of a single file its last twentieth) are held out; utterances of 20 to 34 words come from those only. Letters
outside a-z and the apostrophe end a sentence or part words; sentences with digits are left out. This is no
product's cleaning (that is `lm`), only enough to give every decoder the same words.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

SHORTEST_WORDS, LONGEST_WORDS = 20, 34
_HELD_OUT_EVERY = 18
_SENTENCE_END = re.compile(r"[.!?;:]+|\n\s*\n|[\u2014\"\u201c\u201d()]|--")
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*")


@dataclass(frozen=True)
class Prose:
    """Sentences for the language model and, from other books, utterances to decode."""

    sentences: list[str]
    utterances: list[str]
    books: int
    held_out: list[str]


def read_prose(path: Path, utterances: int) -> Prose:
    """Splits the books of `path`; raises ValueError when they give fewer utterances than asked for."""
    books = list(_books(path))
    if not books:
        raise ValueError(f"{path} holds no .txt file")
    if len(books) == 1:
        name, text = books[0]
        cut = len(text) - len(text) // 20
        books, held = [(name, text[:cut])], [(f"{name} (end)", text[cut:])]
    else:
        held = books[_HELD_OUT_EVERY // 2 :: _HELD_OUT_EVERY] or books[-1:]
        books = [book for book in books if book not in held]
    found = [one for _, text in held for one in _utterances(_sentences(text))]
    if len(found) < utterances:
        raise ValueError(
            f"{path}: the held-out books {', '.join(n for n, _ in held)} give {len(found)} utterances, "
            f"{utterances} are needed; name more text"
        )
    spread = [found[i * len(found) // utterances] for i in range(utterances)]
    return Prose([s for _, text in books for s in _sentences(text)], spread, len(books), [n for n, _ in held])


def _books(path: Path) -> Iterator[tuple[str, str]]:
    """(name, text) of every .txt file, in the order of names."""
    if path.is_dir():
        for found in sorted(path.rglob("*.txt")):
            yield found.name, found.read_text(encoding="utf-8-sig", errors="replace")
    elif tarfile.is_tarfile(path):
        with tarfile.open(path) as archive:
            texts = {}
            for member in archive:
                if member.isfile() and member.name.endswith(".txt") and (file := archive.extractfile(member)):
                    texts[Path(member.name).name] = file.read().decode("utf-8-sig", errors="replace")
        yield from sorted(texts.items())
    else:
        yield path.name, path.read_text(encoding="utf-8-sig", errors="replace")


def _sentences(text: str) -> Iterator[str]:
    text = text.replace("\r\n", "\n").replace("\u2019", "'").replace("\u2018", "'").lower()
    for piece in _SENTENCE_END.split(text):
        words = _WORD.findall(piece)
        if words and not any(c.isdigit() for c in piece):
            yield " ".join(words)


def _utterances(sentences: Iterable[str]) -> Iterator[str]:
    """Runs of whole sentences of 20 to 34 words."""
    words: list[str] = []
    for sentence in sentences:
        words += sentence.split()
        if len(words) >= SHORTEST_WORDS:
            if len(words) <= LONGEST_WORDS:
                yield " ".join(words)
            words = []
