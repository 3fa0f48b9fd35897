"""What an answer says besides its text: parts of the score, confidence of words, order, weights per call."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import native
from tests.native.ctc_reference import random_log_probs
from tests.native.test_search_faults import spoken

EVERYTHING = 10**6


def agrees(one: native.Hypothesis, which: int, other: native.Hypothesis) -> bool:
    """By definition: the word stands before the two texts part, or behind that in both at a time that overlaps."""
    pairs = zip(one.words, other.words, strict=False)
    parting = next((i for i, (a, b) in enumerate(pairs) if a.word != b.word), None)
    common = min(len(one.words), len(other.words)) if parting is None else parting
    word = one.words[which]
    return which < common or any(
        later.word == word.word and later.start_frame < word.end_frame and word.start_frame < later.end_frame
        for later in other.words[common:]
    )


def agreeing_share(answers: list[native.Hypothesis], one: native.Hypothesis, which: int) -> float:
    """The share of all answers' probability that agrees with a word of one."""
    shares = np.exp(np.array([answer.score for answer in answers], dtype=np.float64))
    return float(shares[[agrees(one, which, other) for other in answers]].sum() / shares.sum())


@settings(max_examples=120, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), frames=st.integers(1, 30), lexicon=st.booleans())
def test_confidence_is_the_share_of_the_beam_that_agrees(
    tiny_model: Path, seed: int, frames: int, lexicon: bool
) -> None:
    scorer = native.Scorer.load(tiny_model)
    rows = random_log_probs(seed, frames, 4, 3.0)[None]
    answers = native.decode(
        rows, [frames], scorer.alphabet, scorer if lexicon else None, 25, 1, EVERYTHING, "exact"
    )[0]
    for answer in answers[:5]:
        for i, word in enumerate(answer.words):
            expected = agreeing_share(answers, answer, i)
            assert word.confidence == pytest.approx(expected, abs=1e-4)


def test_a_clear_word_is_sure_and_a_torn_word_is_not(english_model: Path) -> None:
    scorer = native.Scorer.load(english_model)
    clear, other = (spoken(scorer.alphabet, text, 0.999) for text in ("the cat sat", "the cat mat"))
    rows = np.logaddexp(clear + math.log(0.6), other + math.log(0.4)).astype(np.float32)[None]
    words = native.decode(rows, [rows.shape[1]], scorer.alphabet)[0][0].words
    assert [word.word for word in words] == ["the", "cat", "sat"]
    assert words[0].confidence > 0.95 and words[1].confidence > 0.95
    assert words[2].confidence == pytest.approx(0.6, abs=0.05)


def test_a_decided_doubt_is_remembered(english_model: Path) -> None:
    """A word that was torn when its doubt was decided does not become sure by what is said afterwards."""
    scorer = native.Scorer.load(english_model, alpha=0.0, beta=0.0)
    torn, other = (spoken(scorer.alphabet, text, 0.9999) for text in ("the cat ", "the mat "))
    rest = spoken(scorer.alphabet, "sat on the log i have a good deal of will " * 5, 0.9999)
    rows = np.logaddexp(torn + math.log(0.7), other + math.log(0.3)).astype(np.float32)
    stream = native.Stream(scorer.alphabet, scorer, mode="default")
    stream.feed(np.concatenate([rows, rest]))
    assert stream.usage["settled"] > 50
    words = stream.finish()[0].words
    assert words[1].word == "cat"
    assert words[1].confidence == pytest.approx(0.7, abs=0.02)
    assert all(word.confidence > 0.98 for word in [words[0], *words[2:]])


def test_greedy_words_are_as_sure_as_their_worst_label(english: native.Alphabet) -> None:
    rows = spoken(english, "the cat", 0.9)
    rows[english.encode("the cat").index(english.encode("c")[0]) * 2] = math.log(0.5 / 28)
    rows[english.encode("the cat").index(english.encode("c")[0]) * 2, english.encode("c")[0]] = math.log(0.5)
    words = native.greedy(rows[None], [len(rows)], english)[0].words
    assert [word.word for word in words] == ["the", "cat"]
    assert [word.confidence for word in words] == pytest.approx([0.9, 0.5])


def test_equal_scores_stand_in_the_order_of_their_texts() -> None:
    alphabet = native.Alphabet(["d", "c", "b", "a"])
    rows = np.full((1, 5), math.log(0.2), np.float32)
    answers = native.decode(rows[None], [1], alphabet, mode="exact", n_best=EVERYTHING)[0]
    assert [answer.text for answer in answers] == ["", "a", "b", "c", "d"]
    assert [a.text for a in native.decode(rows[None], [1], alphabet, mode="exact", n_best=3)[0]] == [
        "",
        "a",
        "b",
    ]


def test_weights_of_a_call_are_those_of_a_scorer(english_model: Path) -> None:
    scorer = native.Scorer.load(english_model, alpha=0.5, beta=1.5)
    rows = random_log_probs(4, 60, 29, 3.0)[None]
    called = native.decode(rows, [60], scorer.alphabet, scorer, alpha=1.25, beta=-0.5)[0][0]
    loaded = native.decode(rows, [60], scorer.alphabet, scorer.with_weights(1.25, -0.5))[0][0]
    assert (called.text, called.score) == (loaded.text, loaded.score)
    assert called.lm_score == pytest.approx(1.25 * called.lm, rel=1e-5)
    assert called.word_score == pytest.approx(-0.5 * len(called.words))
    with pytest.raises(native.DecodeError, match="alpha and beta weigh a scorer"):
        native.decode(rows, [60], scorer.alphabet, alpha=1.0)
    with pytest.raises(native.ScorerError, match="alpha"):
        native.decode(rows, [60], scorer.alphabet, scorer, alpha=-1.0)


def test_prunings_have_names_and_limits(english: native.Alphabet) -> None:
    default = native.Pruning.preset("default")
    assert default.label_floor == pytest.approx(1e-4)
    assert (default.score_threshold, default.crowd) == (15.0, 56)
    assert default.blank_skip == pytest.approx(0.999)
    assert default.doubt_labels == 50
    heavier = native.Pruning.preset("default", alpha=2.0)
    assert heavier.score_threshold == 30.0 and heavier.label_floor == pytest.approx(1e-8)
    assert native.Pruning.preset("default", alpha=0.0).score_threshold == 15.0
    exact = native.Pruning.preset("exact")
    assert (exact.label_floor, exact.score_threshold, exact.blank_skip) == (0.0, math.inf, None)
    rows = random_log_probs(9, 50, 29, 2.0)[None]
    for mode in ("exact", "default", "fast"):
        by_name = native.decode(rows, [50], english, mode=mode)[0][0]
        by_value = native.decode(rows, [50], english, mode=native.Pruning.preset(mode))[0][0]
        assert by_name.text == by_value.text
    for wrong in (
        {"label_floor": 1.5},
        {"label_floor": -0.1},
        {"score_threshold": -1.0},
        {"blank_skip": 2.0},
        {"crowd": -1},
    ):
        with pytest.raises(native.DecodeError, match=next(iter(wrong))):
            native.Pruning(**wrong)
    with pytest.raises(native.DecodeError, match="mode must be"):
        native.decode(rows, [50], english, mode=7)  # type: ignore[arg-type]
