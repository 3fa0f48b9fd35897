"""Word and character error rates: edits, both definitions, confusions.

    wer                      sum of edits / sum of reference words (today's definition)
    wer_mean_per_utterance   mean over utterances of edits / words (what the 2017 release printed)

Words are what blanks divide; of scripts that divide none (Chinese, Japanese, Thai, Lao, Khmer, Burmese) every character
is one, so that their word error rate is the character error rate, as is the custom. rapidfuzz counts the edits; of the
alternations in a reference, `{ it's / it is / @ }`, the one that was heard counts.
All rates are fractions and may exceed 1. Decodes nothing and normalises nothing;
intervals and tests are in `significance.py`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import Levenshtein

Ints = npt.NDArray[np.int64]
_UNSPACED = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u30ff\u31f0-\u31ff"
    "\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af])"
)
"""Characters of scripts without blanks between words."""


@dataclass(frozen=True)
class Edits:
    """What turns one hypothesis into its reference; `words` and `characters` count the reference."""

    substitutions: int
    deletions: int
    insertions: int
    words: int
    character_edits: int
    characters: int

    @property
    def edits(self) -> int:
        """Word edits in all."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def wer(self) -> float:
        """This utterance's word error rate; with an empty reference 0 or 1 per inserted word."""
        return self.edits / max(1, self.words)


@dataclass(frozen=True)
class ErrorRates:
    """Error rates of many utterances; `per_utterance` is in their order."""

    per_utterance: tuple[Edits, ...]

    def _sum(self, name: str) -> int:
        return sum(getattr(one, name) for one in self.per_utterance)

    @cached_property
    def edits(self) -> Ints:
        """Word edits, [utterances]."""
        return np.array([one.edits for one in self.per_utterance], np.int64)

    @cached_property
    def words_each(self) -> Ints:
        """Reference words, [utterances]."""
        return np.array([one.words for one in self.per_utterance], np.int64)

    @property
    def wer(self) -> float:
        """Total edits / total words."""
        return int(self.edits.sum()) / max(1, self.words)

    @property
    def wer_mean_per_utterance(self) -> float:
        """Mean of the utterances' rates."""
        return sum(one.wer for one in self.per_utterance) / max(1, len(self.per_utterance))

    @property
    def cer(self) -> float:
        """Total character edits / total characters, spaces counted."""
        return self._sum("character_edits") / max(1, self._sum("characters"))

    @property
    def substitutions(self) -> int:
        """Words taken for others."""
        return self._sum("substitutions")

    @property
    def deletions(self) -> int:
        """Words missing from the hypotheses."""
        return self._sum("deletions")

    @property
    def insertions(self) -> int:
        """Words that nobody said."""
        return self._sum("insertions")

    @property
    def words(self) -> int:
        """Reference words."""
        return int(self.words_each.sum())

    def part(self, indices: Iterable[int]) -> ErrorRates:
        """The rates of some of the utterances."""
        return ErrorRates(tuple(self.per_utterance[index] for index in indices))


def words_of(text: str) -> list[str]:
    """The words that are counted."""
    return text.split() if text.isascii() else _UNSPACED.sub(r" \1 ", text).split()


def join_words(words: Sequence[str]) -> str:
    """The text of words: a blank between two, but not between characters of scripts that have none."""
    text = words[0] if words else ""
    for before, word in pairwise(words):
        joined = _UNSPACED.fullmatch(before) and _UNSPACED.fullmatch(word)
        text += word if joined else f" {word}"
    return text


def counts_characters(texts: Iterable[str]) -> bool:
    """Whether most words of these texts are characters of a script without blanks."""
    words = [word for text in texts for word in words_of(text)]
    return 2 * sum(_UNSPACED.fullmatch(word) is not None for word in words) > len(words)


def unit_of(texts: Iterable[str]) -> str:
    """What an error rate over these texts counts: "characters" of a script without blanks, or "words"."""
    return "characters" if counts_characters(texts) else "words"


def rate_name(unit: str | None) -> str:
    """What to call a rate that counts `unit`: CER for "characters", else WER (None: nobody wrote it down)."""
    return "CER" if unit == "characters" else "WER"


def heard_of_choices(reference: str, hypothesis: str) -> str:
    """The reference with the alternative of each alternation that is nearest to what was heard.

    Raises:
        ValueError: an alternation does not end or holds nothing.
    """
    if "{" not in reference:
        return reference
    from native import _core

    steps = _core.align_path(reference, hypothesis)
    return " ".join(said for _, said, _, _, _ in steps if said is not None)


def count_edits(reference: str, hypothesis: str) -> Edits:
    """Edits of one utterance."""
    reference = heard_of_choices(reference, hypothesis)
    expected, heard = words_of(reference), words_of(hypothesis)
    operations = Levenshtein.editops(heard, expected)
    kinds = {"replace": 0, "insert": 0, "delete": 0}
    for operation in operations:
        kinds[operation.tag] += 1
    joined = " ".join(reference.split())
    return Edits(
        substitutions=kinds["replace"],
        deletions=kinds["insert"],  # a word to be inserted into the hypothesis was deleted by the recognizer
        insertions=kinds["delete"],
        words=len(expected),
        character_edits=Levenshtein.distance(" ".join(hypothesis.split()), joined),
        characters=len(joined),
    )


def count_errors(references: Sequence[str], hypotheses: Sequence[str]) -> ErrorRates:
    """Error rates of paired texts."""
    return ErrorRates(tuple(count_edits(r, h) for r, h in zip(references, hypotheses, strict=True)))


def confusions(references: Sequence[str], hypotheses: Sequence[str], limit: int = 30) -> dict[str, Any]:
    """The most frequent mistakes: substitutions [said, heard, count], deletions and insertions [word, count].

    Where several alignments have equally few edits, the one that rapidfuzz finds is counted.
    """
    replaced: Counter[tuple[str, ...]] = Counter()
    missed: Counter[tuple[str, ...]] = Counter()
    added: Counter[tuple[str, ...]] = Counter()
    for reference, hypothesis in zip(references, hypotheses, strict=True):
        said, heard = words_of(heard_of_choices(reference, hypothesis)), words_of(hypothesis)
        for operation in Levenshtein.editops(said, heard):
            if operation.tag == "replace":
                replaced[said[operation.src_pos], heard[operation.dest_pos]] += 1
            elif operation.tag == "delete":
                missed[(said[operation.src_pos],)] += 1
            else:
                added[(heard[operation.dest_pos],)] += 1

    def most(counts: Counter[tuple[str, ...]]) -> list[list[Any]]:
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return [[*words, count] for words, count in ranked[:limit]]

    return {"substitutions": most(replaced), "deletions": most(missed), "insertions": most(added)}


def aligned(reference: str, hypothesis: str) -> list[tuple[str, str, str]]:
    """Words side by side: (equal | replace | missed | added, what was said, what was heard)."""
    said, heard = words_of(heard_of_choices(reference, hypothesis)), words_of(hypothesis)
    result: list[tuple[str, str, str]] = []
    for block in Levenshtein.opcodes(said, heard):
        kind = {"equal": "equal", "replace": "replace", "delete": "missed", "insert": "added"}[block.tag]
        expected, found = said[block.src_start : block.src_end], heard[block.dest_start : block.dest_end]
        for index in range(max(len(expected), len(found))):
            pair = [words[index] if index < len(words) else "" for words in (expected, found)]
            result.append((kind, pair[0], pair[1]))
    return result
