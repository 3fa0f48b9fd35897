"""A network's labels as the search reads them: the blank is "", a word begins after " " or with "▁"."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Collection, Sequence

BPE_TOKEN = "▁"
UNK_TOKEN = "⁇"
UNK_BPE_TOKEN = "▁⁇▁"

BLANK_TOKEN_PTN = re.compile(r"^[<\[]pad[>\]]$", re.IGNORECASE)
UNK_TOKEN_PTN = re.compile(r"^[<\[]unk[>\]]$", re.IGNORECASE)
_SPECIAL = re.compile(r"[<\[].+[>\]]")
_FOREIGN_SHARE = 0.2
_log = logging.getLogger(__name__)


class Alphabet:
    """Labels in the decoder's form.

    Args:
        labels: one a column of the logits. is_bpe: whether they are pieces of words, "▁" before those that begin one.
    """

    def __init__(self, labels: Sequence[str], is_bpe: bool) -> None:
        self._labels = list(labels)
        self._is_bpe = is_bpe

    @property
    def is_bpe(self) -> bool:
        """Whether the labels are pieces of words."""
        return self._is_bpe

    @property
    def labels(self) -> list[str]:
        """The labels, as a list of one's own."""
        return list(self._labels)

    @classmethod
    def build_alphabet(cls, labels: Sequence[str]) -> Alphabet:
        """From the labels as a network's vocabulary names them; a blank is added at the end where there is none.

        Raises:
            ValueError: a label occurs twice, or pieces of words hold a space.
        """
        is_bpe = any(label.startswith(("##", BPE_TOKEN)) for label in labels)
        if len(set(labels)) != len(labels):
            twice = next(label for label in labels if list(labels).count(label) > 1)
            raise ValueError(f"label {twice!r} occurs twice in the alphabet")
        if is_bpe and any(" " in label for label in labels):
            raise ValueError("the labels are pieces of words (▁ or ##), but one of them holds a space")
        return cls(_normalize_bpe_alphabet(labels) if is_bpe else _normalize_regular_alphabet(labels), is_bpe)

    def dumps(self) -> str:
        """As JSON."""
        return json.dumps({"labels": self._labels, "is_bpe": self._is_bpe})

    @classmethod
    def loads(cls, s: str) -> Alphabet:
        """From JSON as `dumps` writes it.

        Raises:
            ValueError: a key is missing, or there is another one.
        """
        said = json.loads(s)
        if not isinstance(said, dict) or set(said) != {"labels", "is_bpe"}:
            raise ValueError(f"an alphabet has the keys is_bpe and labels, this one {sorted(said)}")
        return cls(said["labels"], said["is_bpe"])


def _with_blank(labels: list[str]) -> list[str]:
    return labels if "" in labels else [*labels, ""]


def _normalize_regular_alphabet(labels: Sequence[str]) -> list[str]:
    """Letters: "|" is the space where there is no other, "_" the blank where there is no other."""
    found = ["" if BLANK_TOKEN_PTN.fullmatch(label) else label for label in labels]
    if " " not in found:
        found = [" " if label == "|" else label for label in found]
    if "" not in found:
        found = ["" if label == "_" else label for label in found]
    found = [UNK_TOKEN if UNK_TOKEN_PTN.fullmatch(label) else label for label in _with_blank(found)]
    if any(len(label) > 1 and not _SPECIAL.fullmatch(label) for label in found):
        _log.warning("labels of several letters, but none begins with ▁ or ##: each is read as letters")
    if " " not in found:
        _log.warning("no label is a space: all that is decoded will be one word")
    return found


def _normalize_bpe_alphabet(labels: Sequence[str]) -> list[str]:
    """Pieces of words: "##x" continues a word, and then every other label begins one."""
    found = list(labels)
    if any(label.startswith("##") for label in found):
        found = [_in_sentencepiece_style(label) for label in found]
    found = _with_blank(["" if BLANK_TOKEN_PTN.fullmatch(label) else label for label in found])
    return [UNK_BPE_TOKEN if UNK_TOKEN_PTN.fullmatch(label) else label for label in found]


def _in_sentencepiece_style(label: str) -> str:
    if label.startswith("##"):
        return label[2:]
    if label in ("", BPE_TOKEN, UNK_BPE_TOKEN) or _SPECIAL.fullmatch(label):
        return label
    return BPE_TOKEN + label


def verify_alphabet_coverage(alphabet: Alphabet, unigrams: Collection[str]) -> None:
    """Warns where more than a fifth of the words' letters stand in no label."""
    letters = set("".join(unigrams))
    foreign = letters - set("".join(alphabet.labels))
    if letters and len(foreign) / len(letters) > _FOREIGN_SHARE:
        shown = " ".join(sorted(foreign)[:10])
        _log.warning("the words hold letters that no label has, such as %s: is this their alphabet?", shown)
