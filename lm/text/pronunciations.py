"""A list of pronunciations: how each word is said, in the labels of a network that writes sounds.

    word  label label …      blanks or tabs between; UTF-8
    word(2)  label label …   another pronunciation, as CMUdict numbers them; a repeated word is the same
    ;;; or #                 a comment

as CMUdict and Kaldi's lexicon.txt are. Words are brought to the form that the text is learnt in; those that the
text's letters cannot write (`<eps>`, `!SIL`, `(BREATH`) are counted and passed over.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpora.text.normaliser import Normalised
from lm.errors import LanguageModelUsageError
from lm.text.characters import normaliser_for
from native import Alphabet

RULES_VERSION = 1
"""Raised whenever the same list would give another lexicon."""

SHOWN, TOLD = 40, 8
_APOSTROPHES = "'’"  # other signs before a word make it a mark: !SIL, (BEGIN-PARENS, <eps>
_VARIANT = re.compile(r"(?P<word>.+)\(\d+\)")
_STRESS = re.compile(r"(?P<label>.*\D)[0-9]")


@dataclass(frozen=True)
class Pronunciations:
    """Words and how they are said, in the order of both, each pair once; `record` stands in the manifest."""

    entries: tuple[tuple[str, tuple[str, ...]], ...]
    record: dict[str, Any]

    @property
    def hash(self) -> str:
        """Hex SHA-256 of the entries, one a line."""
        text = "".join(f"{word}\t{' '.join(labels)}\n" for word, labels in self.entries)
        return hashlib.sha256(text.encode("utf-8")).hexdigest()

    def of(self, words: Iterable[str]) -> tuple[list[tuple[str, tuple[str, ...]]], dict[str, Any], list[str]]:
        """The entries of a model's words, what the manifest says of those that lack one, and sentences for it."""
        known = list(words)
        wanted, said = set(known), {word for word, _ in self.entries}
        lacking = [word for word in known if word not in said]
        others = len(said - wanted)
        record = {
            **self.record,
            "without": {"words": len(lacking), "first": lacking[:SHOWN]},
            "not_in_text": {"words": others},
        }
        decisions = (
            [] if not self.record["doubles"] else [f"{self.record['doubles']:,} pronunciations stand twice"]
        )
        if self.record["unfinished"]:
            decisions.append(
                f"the list ends inside a line and may be cut there: {self.record['unfinished']!r}"
            )
        if self.record["outside_letters"]["words"]:
            decisions.append(
                f"{self.record['outside_letters']['words']:,} words of the list cannot be written in the text's "
                f"letters: {_shown(self.record['outside_letters']['first'])}"
            )
        if lacking:
            decisions.append(
                f"{len(lacking):,} of the model's {len(known):,} words have no pronunciation and are never written: "
                f"{_shown(lacking)}"
            )
        return [entry for entry in self.entries if entry[0] in wanted], record, decisions


def read_pronunciations(
    path: Path, letters: tuple[str, ...], network: Alphabet, language: str = "en"
) -> Pronunciations:
    """The list of a file for text of a language (BCP 47) in these letters and a network of these labels.

    Raises:
        LanguageModelUsageError: it cannot be read, a line holds a label that the network lacks or no label at
            all, or no line is left; names file, line and label.
    """
    normaliser, labels = normaliser_for(letters, language), set(network.labels) - {" "}
    entries: set[tuple[str, tuple[str, ...]]] = set()
    outside: dict[str, None] = {}
    wrong: list[str] = []
    doubles = 0
    text = _text(path)
    for number, word, said in _lines(text):
        clean = normaliser.normalise(word) if word[0].isalpha() or word[0] in _APOSTROPHES else None
        if not isinstance(clean, Normalised) or not clean.text or " " in clean.text:
            outside[word] = None
            continue
        complaint = _complaint(word, said, labels)
        if complaint:
            wrong.append(f"{path}:{number}: {complaint}")
        doubles += (clean.text, said) in entries
        entries.add((clean.text, said))
    if wrong:
        more = f" (and {len(wrong) - 1:,} more lines)" if len(wrong) > 1 else ""
        raise LanguageModelUsageError(f"{wrong[0]}{more}")
    if not entries:
        raise LanguageModelUsageError(
            f"{path} holds no pronunciation of a word that the text's letters can write ({len(outside):,} others); "
            "is it of the text's language?"
        )
    record = {
        "pronunciations": len(entries),
        "words": len({word for word, _ in entries}),
        "doubles": doubles,
        "unfinished": text.rpartition("\n")[2].strip()[:SHOWN],
        "outside_letters": {"words": len(outside), "first": list(outside)[:SHOWN]},
    }
    return Pronunciations(tuple(sorted(entries)), record)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise LanguageModelUsageError(f"pronunciations {path} cannot be read as UTF-8: {error}") from error


def _lines(text: str) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """Number, word without its variant's number, and labels of every line that is no comment."""
    for number, line in enumerate(text.split("\n"), start=1):
        fields = line.split()
        if not fields or line.startswith((";;;", "#")):
            continue
        variant = _VARIANT.fullmatch(fields[0])
        yield number, variant["word"] if variant else fields[0], tuple(fields[1:])


def _complaint(word: str, said: tuple[str, ...], labels: set[str]) -> str:
    """What is wrong with an entry; "" where nothing is."""
    if not said:
        return f"{word!r} has no pronunciation; write its labels behind it, with blanks between them"
    odd = next((label for label in said if label not in labels), None)
    if odd is None:
        return ""
    stress = _STRESS.fullmatch(odd)
    if stress and stress["label"] in labels:
        return (
            f"{odd!r} is no label of the network, but {stress['label']!r} is: take the digits of stress away"
        )
    if len(said) == 1 and all(one in labels for one in odd):
        return (
            f"{odd!r} is no label of the network; write its labels with blanks between them: {' '.join(odd)}"
        )
    return f"{odd!r} is no label of the network ({_shown(sorted(labels))}); name its alphabet with --alphabet"


def _shown(words: list[str]) -> str:
    return ", ".join(words[:TOLD]) + (", …" if len(words) > TOLD else "")
