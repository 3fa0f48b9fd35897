"""The corrector's settings in evaluations; its own rules are tested in tests/native."""

from __future__ import annotations

from pathlib import Path

import native
from tests.native.ctc_reference import build_language_model
from training.decoding.correct import correct_texts, counts_words

SENTENCES = ["the cat sat on the mat", "the dog sat on the log", "a cat and a dog"]


def test_unknown_words_become_known_ones(tmp_path: Path) -> None:
    alphabet = native.Alphabet([" ", *"abcdefghijklmnopqrstuvwxyz", "'"])
    scorer = native.Scorer.load(build_language_model(tmp_path / "lm", SENTENCES, alphabet))
    assert counts_words(scorer)
    heard = ["teh caat sat onn the mat", "", "the dog zat on the log"]
    assert correct_texts(heard, scorer) == ["the cat sat on the mat", "", "the dog sat on the log"]
    assert correct_texts(heard, scorer, threads=2) == correct_texts(heard, scorer.with_weights(3.0, -1.0))
