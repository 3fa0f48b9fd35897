"""The exact search is the sum over all alignments: held against brute force on thousands of small cases."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import native
from tests.native.ctc_reference import best_texts, random_log_probs, text_masses

NEVER_FULL = 100_000
WORDS = {"a", "ab", "b", "aa", "ba"}

seeds = st.integers(0, 2**32 - 1)


def assert_same(hypotheses: list[native.Hypothesis], expected: list[tuple[float, str]]) -> None:
    assert len(hypotheses) == len(expected)
    by_text = {text: score for score, text in expected}
    for hypothesis, (score, _) in zip(hypotheses, expected, strict=True):
        assert hypothesis.score == pytest.approx(score, abs=1e-4)
        assert hypothesis.score == pytest.approx(by_text[hypothesis.text], abs=1e-4)


@settings(max_examples=400, deadline=None)
@given(
    seed=seeds, frames=st.integers(0, 5), blank=st.integers(0, 3), sharpness=st.sampled_from([0.5, 2.0, 6.0])
)
def test_without_a_scorer_the_search_sums_all_alignments(
    seed: int, frames: int, blank: int, sharpness: float
) -> None:
    alphabet = native.Alphabet([" ", "a", "b"], blank=blank)
    log_probs = random_log_probs(seed, frames, 4, sharpness)
    answer = native.decode(
        log_probs[None], [frames], alphabet, beam_width=NEVER_FULL, mode="exact", n_best=10**6, threads=1
    )[0]
    assert_same(answer, best_texts(text_masses(log_probs, alphabet)))


@settings(max_examples=400, deadline=None)
@given(
    seed=seeds,
    frames=st.integers(0, 6),
    alpha=st.floats(0, 3, width=32),
    beta=st.floats(-2, 4, width=32),
)
def test_with_a_scorer_the_search_sums_all_alignments_of_whole_words(
    tiny_model: Path, seed: int, frames: int, alpha: float, beta: float
) -> None:
    scorer = native.Scorer.load(tiny_model, alpha, beta)
    log_probs = random_log_probs(seed, frames, 4)
    answer = native.decode(log_probs[None], [frames], scorer.alphabet, scorer, NEVER_FULL, 1, 10**6, "exact")[
        0
    ]
    assert_same(answer, best_texts(text_masses(log_probs, scorer.alphabet), WORDS, scorer))


@settings(max_examples=100, deadline=None)
@given(seed=seeds, blank=st.integers(0, 2))
def test_the_blank_may_stand_elsewhere_than_when_the_trie_was_built(
    tiny_model: Path, seed: int, blank: int
) -> None:
    scorer = native.Scorer.load(tiny_model)
    moved = native.Alphabet(scorer.alphabet.labels, blank=blank)
    log_probs = random_log_probs(seed, 20, 4, 3.0)
    columns = [moved.encode(label)[0] for label in moved.labels]
    rearranged = np.empty_like(log_probs)
    rearranged[:, [*columns, blank]] = log_probs
    last = native.decode(log_probs[None], [20], scorer.alphabet, scorer, mode="exact")[0][0]
    first = native.decode(rearranged[None], [20], moved, scorer, mode="exact")[0][0]
    assert (last.text, last.score) == (first.text, first.score)


@settings(max_examples=100, deadline=None)
@given(seed=seeds)
def test_score_parts_add_up_and_times_rise(tiny_model: Path, seed: int) -> None:
    scorer = native.Scorer.load(tiny_model, 0.8, 1.1)
    log_probs = random_log_probs(seed, 25, 4, 3.0)
    for best in native.decode(log_probs[None], [25], scorer.alphabet, scorer, n_best=5)[0]:
        assert best.score == pytest.approx(
            best.acoustic + scorer.alpha * best.lm + scorer.beta * len(best.text.split()), abs=1e-3
        )
        assert len(best.timesteps) == len(best.text)
        assert best.timesteps == sorted(set(best.timesteps))
        assert [word.word for word in best.words] == best.text.split()
        ends = [frame for word in best.words for frame in (word.start_frame, word.end_frame)]
        assert ends == sorted(ends)


@settings(max_examples=200, deadline=None)
@given(seed=seeds, frames=st.integers(0, 40))
def test_greedy_is_the_best_path(tiny_alphabet: native.Alphabet, seed: int, frames: int) -> None:
    log_probs = random_log_probs(seed, frames, 4, 4.0)
    path = log_probs.argmax(axis=1) if frames else []
    letters = [label for i, label in enumerate(path) if label != 3 and (i == 0 or path[i - 1] != label)]
    answer = native.greedy(log_probs[None], [frames], tiny_alphabet)[0]
    assert answer.text == " ".join(tiny_alphabet.decode(letters).split())
    assert answer.score == pytest.approx(float(log_probs.max(axis=1).sum()) if frames else 0.0, abs=1e-3)
