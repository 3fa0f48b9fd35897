"""By which rules a row's text was made, as one word of its column `text_rules`; and what those rules may say.

`fisher partial_words=keep` is a style of transcript_rules.py and the policies that differ from the defaults: with
it and `text_raw` the text can be made again without the source.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from corpora.text.languages import labels_for
from corpora.text.normaliser import Normaliser, Policies

_KEPT = ("numbers", "partial_words", "uncertain", "unknown_words")
# What the normaliser answers: refusals, and flags of rows.
_CHECKS = (
    "empty_text noise_only bad_chars gap_marker skipped_speech unintelligible unknown_word unknown_tag foreign "
    "uncertain partial_word numbers symbol"
)
_FLAGS = (
    "has_noise_tag unknown_dropped unknown_kept uncertain_kept editorial_dropped partial_kept numbers_spelled "
    "english_alphabet"
)
TEXT_CHECKS, TEXT_FLAGS = frozenset(_CHECKS.split()), frozenset(_FLAGS.split())


def rules_of(style: str, policies: Policies) -> str:
    """Style and policies as one text."""
    plain = Policies()
    chosen = [
        f"{key}={getattr(policies, key)}" for key in _KEPT if getattr(policies, key) != getattr(plain, key)
    ]
    return " ".join([style, *chosen])


def normaliser_for(text_rules: str, language: str, alphabets: Path | None = None) -> Normaliser:
    """The normaliser that a row's `text_rules` and language ask for; without rules that of plain text.

    Args:
        alphabets: folder of a store's own alphabets.
    """
    return normaliser_of(text_rules, language, labels_for(language, alphabets))


@lru_cache(maxsize=1024)
def normaliser_of(text_rules: str, language: str, labels: tuple[str, ...]) -> Normaliser:
    """The same for the labels of an alphabet; made once a process."""
    style, *chosen = (text_rules or "verbatim").split()
    policies = Policies(**dict(entry.split("=", 1) for entry in chosen))
    return Normaliser(labels, style, replace(policies, language=language))
