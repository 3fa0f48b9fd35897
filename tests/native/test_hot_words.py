"""Hot words: credited once per occurrence, at the end too, given back on failure, never sold by alpha."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import native
from tests.native.test_search_faults import best, spoken


@pytest.fixture(scope="module")
def scorer(english_model: Path) -> native.Scorer:
    return native.Scorer.load(english_model, alpha=0.8, beta=1.0)


def torn(alphabet: native.Alphabet, one: str, other: str, share: float) -> np.ndarray:  # type: ignore[type-arg]
    """A network that hears `one` with probability 1 - share and `other` (as long) with share, label by label."""
    first, second = spoken(alphabet, one, 0.999), spoken(alphabet, other, 0.999)
    mixed: np.ndarray = np.logaddexp(first + math.log(1 - share), second + math.log(share)).astype(np.float32)  # type: ignore[type-arg]
    return mixed


@pytest.mark.parametrize("mode", ["exact", "default", "fast"])
def test_a_boost_turns_the_balance(scorer: native.Scorer, mode: str) -> None:
    rows = torn(scorer.alphabet, "the mat", "the cat", 0.3)[None]
    plain = native.decode(rows, [rows.shape[1]], scorer.alphabet, None, mode=mode)[0][0]
    hot = native.decode(rows, [rows.shape[1]], scorer.alphabet, None, mode=mode, hot_words={"cat": 2.0})[0][0]
    assert (plain.text, hot.text) == ("the mat", "the cat")
    assert (plain.hot_word_score, hot.hot_word_score) == (0.0, 2.0)
    cold = native.decode(rows, [rows.shape[1]], scorer.alphabet, None, mode=mode, hot_words={"mat": -2.0})
    assert cold[0][0].text == "the cat"


@pytest.mark.parametrize(
    ("phrases", "expected"),
    [
        ({"cat": 2.0}, 2.0),  # once, though it stays in the model's window for the words behind it
        ({"the": 1.5}, 3.0),  # once per occurrence
        ({"mat": 4.0}, 4.0),  # the last word
        ({"on the mat": 4.0}, 4.0),  # the last words
        ({"the cat sat": 3.0, "cat": 1.0}, 4.0),  # phrases may overlap
        ({"on the dog": 9.0, "ma": 9.0, "at": 9.0}, 0.0),  # begun, but not there: nothing is kept
        ({"the  mat ": 2.5}, 2.5),  # blanks in a phrase are as those in a text
    ],
)
def test_what_a_text_is_credited(scorer: native.Scorer, phrases: dict[str, float], expected: float) -> None:
    rows = spoken(scorer.alphabet, "the cat sat on the mat", 0.99)
    for alpha in (0.8, 3.0):
        for tail in (rows, np.concatenate([rows, spoken(scorer.alphabet, " ", 0.99)])):
            answer = native.decode(
                tail[None],
                [len(tail)],
                scorer.alphabet,
                scorer,
                mode="exact",
                alpha=alpha,
                hot_words=phrases,
                open_vocabulary=True,
                oov_penalty=-40.0,
            )[0][0]
            assert answer.text == "the cat sat on the mat"
            assert answer.hot_word_score == pytest.approx(expected)


def test_the_promise_is_given_back_when_the_phrase_fails(scorer: native.Scorer) -> None:
    """The score of a text is that without hot words, but for phrases it holds."""
    rows = spoken(scorer.alphabet, "the cat sat on the mat", 0.9)
    plain = best(rows, scorer)
    hot = native.decode(
        rows[None],
        [len(rows)],
        scorer.alphabet,
        scorer,
        mode="exact",
        hot_words={"the cat sat on the log": 6.0},
    )[0][0]
    assert hot.text == plain.text
    assert hot.score == pytest.approx(plain.score, abs=0.05)
    assert hot.hot_word_score == 0.0


def test_a_promise_keeps_a_phrase_in_a_narrow_beam(scorer: native.Scorer) -> None:
    rows = torn(scorer.alphabet, "don't go on", "the cat sat"[:11], 0.05)[None]
    for boost, expected in ((0.0, "don't go on"), (40.0, "the cat sat")):
        answer = native.decode(
            rows, [rows.shape[1]], scorer.alphabet, None, 4, mode="exact", hot_words={"the cat sat": boost}
        )
        assert answer[0][0].text == expected


@pytest.mark.parametrize(
    ("phrases", "parts"),
    [
        ({"": 1.0}, ["empty"]),
        ({"  ": 1.0}, ["empty"]),
        ({"CAT": 1.0}, ["CAT", "alphabet"]),
        ({"cat": math.inf}, ["cat", "not finite"]),
        ({"cat": math.nan}, ["cat", "not finite"]),
        ({"cat": "much"}, ["cat", "number"]),
        ({"the zebra": 1.0}, ["zebra", "lexicon", "open_vocabulary"]),
        (["cat"], ["mapping"]),
        ({1: 1.0}, ["str"]),
    ],
)
def test_phrases_that_cannot_be_are_refused_by_name(
    scorer: native.Scorer, phrases: object, parts: list[str]
) -> None:
    with pytest.raises(native.DecodeError) as caught:
        native.Stream(scorer.alphabet, scorer, hot_words=phrases)  # type: ignore[arg-type]
    assert all(part in str(caught.value) for part in parts), caught.value


def test_phrases_of_an_alphabet_without_spaces_stand_anywhere() -> None:
    alphabet = native.Alphabet(["a", "b", "c"])
    rows = np.full((6, 4), math.log(0.1), np.float32)
    rows[np.arange(6), [0, 3, 1, 3, 2, 3]] = math.log(0.7)
    answer = native.decode(rows[None], [6], alphabet, hot_words={"bc": 1.25, "ab": 1.0})[0][0]
    assert (answer.text, answer.hot_word_score) == ("abc", 2.25)
    with pytest.raises(native.DecodeError, match="holds a space"):
        native.decode(rows[None], [6], alphabet, hot_words={"b c": 1.0})
