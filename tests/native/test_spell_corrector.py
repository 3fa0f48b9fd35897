"""The spell corrector against its definition: edits made one by one on strings, sentences scored one by one."""

from __future__ import annotations

import itertools
import string
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import native
from tests.native.conftest import ENGLISH_SENTENCES
from tests.native.ctc_reference import build_language_model

LETTERS = "ab"
ENGLISH = sorted({word for sentence in ENGLISH_SENTENCES for word in sentence.split()})
LEXICON = ["a", "ab", "abb", "ba", "bab", "abab", "babb", "aabba", "bbbb", "babab", "aaaaaa"]


def edits_of(word: str, letters: str) -> set[str]:
    """Everything one edit away, spelled out."""
    splits = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    removed = [left + right[1:] for left, right in splits if right]
    swapped = [left + right[1] + right[0] + right[2:] for left, right in splits if len(right) > 1]
    replaced = [left + letter + right[1:] for left, right in splits if right for letter in letters]
    inserted = [left + letter + right for left, right in splits for letter in letters]
    return {*removed, *swapped, *replaced, *inserted}


def expected_candidates(word: str, lexicon: Iterable[str], letters: str) -> list[str]:
    """The rule of the corrector, by brute force."""
    known = set(lexicon)
    if word in known:
        return [word]
    once = edits_of(word, letters)
    twice = {far for near in once for far in edits_of(near, letters)}
    return sorted(once & known) or sorted(twice & known) or [word]


@pytest.fixture(scope="module")
def corrector(tmp_path_factory: pytest.TempPathFactory) -> native.SpellCorrector:
    """Over eleven words of two letters."""
    alphabet = native.Alphabet([" ", "a", "b"])
    folder = tmp_path_factory.mktemp("corrector") / "lm"
    sentences = ["a ab abb", "ba bab abab", "babb aabba bbbb", "babab aaaaaa a", "ab ba ab ba"]
    return native.SpellCorrector(native.Scorer.load(build_language_model(folder, sentences, alphabet)))


@pytest.fixture(scope="module")
def english_scorer(english_model: Path) -> native.Scorer:
    return native.Scorer.load(english_model)


@settings(max_examples=500, deadline=None)
@given(word=st.text(LETTERS, min_size=1, max_size=9))
def test_candidates_equal_brute_force(corrector: native.SpellCorrector, word: str) -> None:
    assert corrector.candidates(word) == expected_candidates(word, LEXICON, LETTERS)


@settings(max_examples=60, deadline=None)
@given(word=st.text("catdoghes'", min_size=1, max_size=6))
def test_candidates_equal_brute_force_in_english(english_scorer: native.Scorer, word: str) -> None:
    found = native.SpellCorrector(english_scorer).candidates(word)
    assert found == expected_candidates(word, ENGLISH, string.ascii_lowercase + "'")


def expected_sentence(
    scorer: native.Scorer, corrector: native.SpellCorrector, text: str
) -> tuple[float, str]:
    """The best of all sentences by score, the first of equal ones."""
    choices = [corrector.candidates(word) for word in text.split()]
    sentences = [" ".join(words) for words in itertools.product(*choices)]
    scored = [(sum(entry[1] for entry in scorer.score_sentence(one)), one) for one in sentences]
    return max(scored, key=lambda item: item[0])


def test_sentences_are_the_best_of_all(english_scorer: native.Scorer) -> None:
    corrector = native.SpellCorrector(english_scorer)
    generator = np.random.default_rng(3)
    for _ in range(60):
        said = [str(generator.choice(ENGLISH)) for _ in range(int(generator.integers(1, 5)))]
        heard = [
            str(generator.choice(sorted(edits_of(word, "atodgx")))) if generator.random() < 0.5 else word
            for word in said
        ]
        text = " ".join(heard)
        score, sentence = expected_sentence(english_scorer, corrector, text)
        (found,) = corrector.correct([text])
        found_score = sum(entry[1] for entry in english_scorer.score_sentence(found))
        assert found_score == pytest.approx(score, abs=1e-4), (text, found, sentence)


def test_known_answers(english_scorer: native.Scorer) -> None:
    corrector = native.SpellCorrector(english_scorer)
    assert corrector.correct(["teh cta sta onn hte matt"]) == ["the cat sat on the mat"]
    assert corrector.correct(["i  have a god deel of wil"]) == ["i have a good deal of will"]
    assert corrector.correct(["the cat sat", "", "  ", "xylophone zzz"]) == [
        "the cat sat",
        "",
        "",
        "xylophone zzz",
    ]
    assert corrector.candidates("élan") == ["élan"], "letters outside the alphabet are left alone"
    assert corrector.candidates("dno't") == ["don't"]


def test_threads_and_narrow_beams_change_only_what_they_say(english_scorer: native.Scorer) -> None:
    texts = ["teh cta", "god dya", "xx yy zz", "hte dgo sta on teh lgo"] * 20
    wide = native.SpellCorrector(english_scorer)
    assert wide.correct(texts, threads=1) == wide.correct(texts, threads=3)
    narrow = native.SpellCorrector(english_scorer, beam_width=1, max_candidates=1)
    assert len(narrow.candidates("xx")) == 1
    assert len(wide.candidates("xx")) > 1
    assert len(narrow.correct(texts)) == len(texts)


def test_the_most_frequent_candidates_are_kept(english_scorer: native.Scorer) -> None:
    assert native.SpellCorrector(english_scorer).candidates("don") == ["dog", "on"]
    assert native.SpellCorrector(english_scorer, max_candidates=1).candidates("don") == ["on"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"beam_width": 0}, "beam_width 0"), ({"max_candidates": -1}, "max_candidates -1")],
)
def test_impossible_settings_are_named(
    english_scorer: native.Scorer, arguments: dict[str, int], message: str
) -> None:
    with pytest.raises(native.DecodeError, match=message):
        native.SpellCorrector(english_scorer, **arguments)
    with pytest.raises(native.DecodeError, match="threads 0"):
        native.SpellCorrector(english_scorer).correct(["a"], threads=0)


def test_a_long_word_is_left_alone(english_scorer: native.Scorer) -> None:
    assert native.SpellCorrector(english_scorer).correct(["x" * 5000]) == ["x" * 5000]
