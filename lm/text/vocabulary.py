"""Which words a model may hold: all, the most frequent, or those of a list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpora.text.normaliser import Normalised
from lm.errors import LanguageModelUsageError
from lm.text.characters import normaliser_for
from native import WordCounter

_SHOWN, _TOLD = 40, 8


@dataclass(frozen=True)
class Vocabulary:
    """The words in their order, and what the manifest says of their choice."""

    words: tuple[bytes, ...]
    record: dict[str, Any]

    def write(self, path: Path) -> Path:
        """Writes the words, one a line, as `lmplz` wants them."""
        path.write_bytes(b"".join(word + b"\n" for word in self.words))
        return path

    def beside(self, learnt: Sequence[str]) -> tuple[dict[str, Any], tuple[str, ...]]:
        """The record and the decisions, with the listed words that the model lacks, as the text has none of them."""
        have = set(learnt)
        lacking = [word for word in map(bytes.decode, self.words) if word not in have]
        record = {**self.record, "not_in_text": {"words": len(lacking), "first": lacking[:_SHOWN]}}
        if not lacking:
            return record, ()
        shown = ", ".join(lacking[:_TOLD]) + (", …" if len(lacking) > _TOLD else "")
        return record, (
            f"{len(lacking):,} of {len(self.words):,} listed words do not stand in the text: {shown}",
        )


def most_frequent(words: WordCounter, size: int) -> Vocabulary:
    """The `size` most frequent words; equal counts in the order of their letters."""
    types, top = words.types(), words.top(size)
    record: dict[str, Any] = {"chosen": "most frequent", "types": types, "size": len(top)}
    if len(top) < types:
        record["least_count"] = top[-1][1]
    return Vocabulary(tuple(word for word, _ in top), record)


def from_list(path: Path, labels: tuple[str, ...], language: str = "en") -> Vocabulary:
    """The words of a file, one a line (anything behind a blank is passed over), spelled as the corpora do.

    Raises LanguageModelUsageError where the file is no UTF-8 or none of its words fits the alphabet.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise LanguageModelUsageError(f"vocabulary file {path} is no UTF-8 ({error})") from error
    normaliser, kept, outside = normaliser_for(labels, language), dict[bytes, None](), []
    for raw in _words(lines):
        clean = normaliser.normalise(raw)
        if isinstance(clean, Normalised) and " " not in clean.text:
            kept[clean.text.encode("utf-8")] = None
        else:
            outside.append(raw)
    if not kept:
        raise LanguageModelUsageError(
            f"no word of vocabulary file {path} can be spelled with the alphabet ({len(outside)} read)"
        )
    record = {
        "chosen": "list",
        "size": len(kept),
        "outside_alphabet": {"words": len(outside), "first": outside[:_SHOWN]},
    }
    return Vocabulary(tuple(kept), record)


def _words(lines: Iterable[str]) -> Iterable[str]:
    return (fields[0] for fields in map(str.split, lines) if fields and not fields[0].startswith("#"))
