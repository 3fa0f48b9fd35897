"""Intervals and tests of difference: seeded, agreeing with definitions and with values worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.significance import (
    Paired,
    matched_pairs,
    mcnemar,
    paired_bootstrap,
    resampled_unit,
    stretch_differences,
    wer_interval,
)
from scoring.wer import count_errors

WORDS = st.lists(st.sampled_from("abc"), max_size=8).map(" ".join)


def test_one_speaker_is_resampled_by_utterance() -> None:
    assert resampled_unit(["a", "b", "a"]) == "speaker"
    assert resampled_unit(["a", "a"]) == resampled_unit(["", ""]) == "utterance"


def test_the_interval_widens_when_errors_cluster_in_speakers() -> None:
    references = ["a b c d"] * 120
    hypotheses = ["a b c d" if index < 60 else "x b c d" for index in range(120)]
    rates = count_errors(references, hypotheses)
    mixed = [f"s{index % 12}" for index in range(120)]
    clustered = [f"s{index // 10:02d}" for index in range(120)]
    widths = [np.ptp(wer_interval(rates, speakers)) for speakers in (mixed, clustered)]
    assert widths[1] > 2 * widths[0]


def test_equal_answers_do_not_differ() -> None:
    pair = Paired(["a b"] * 5, ["a x"] * 5, ["a x"] * 5, ["s", "t", "u", "v", "w"]).as_json()
    assert pair["difference"] == 0.0
    assert pair["difference_interval"] == [0.0, 0.0]
    assert pair["p_bootstrap"] == pair["p_mcnemar"] == pair["p_matched_pairs"] == 1.0


def test_a_clear_gain_is_significant_and_signed() -> None:
    references = ["a b c d e f g h"] * 60
    before = ["x b c d x f g h"] * 60
    after = [said if index % 7 > 1 else "x b c d e f g h" for index, said in enumerate(references)]
    speakers = [f"s{index % 10}" for index in range(60)]
    pair = Paired(references, before, after, speakers).as_json()
    assert pair["difference"] == pytest.approx(18 / 480 - 120 / 480)
    low, high = pair["difference_interval"]
    assert low < pair["difference"] < high < 0
    assert max(pair["p_bootstrap"], pair["p_matched_pairs"], pair["p_mcnemar"]) < 0.001
    assert (pair["utterances_better"], pair["utterances_worse"], pair["stretches"]) == (42, 0, 120)
    turned = Paired(references, after, before, speakers).as_json()
    assert turned["difference"] == pytest.approx(-pair["difference"])
    assert turned["p_matched_pairs"] == pytest.approx(pair["p_matched_pairs"])
    assert pair == Paired(references, before, after, speakers).as_json(), "the same call, the same figures"


@pytest.mark.parametrize(
    ("reference", "before", "after", "differences"),
    [
        ("a b c d", "a b c d", "a b c d", []),
        ("a b c d", "x b c d", "a b c d", [-1]),
        ("a b c d e", "x b c d y", "a b c d e", [-1, -1]),  # three right words between
        ("a b c d", "x b c y", "a b c d", [-1, -1]),  # two are enough
        ("a b c", "x b y", "a b c", [-2]),  # one is not
        ("a b c d", "x b c d", "a b c y", [-1, 1]),
        ("a b c", "a b c", "a z b c", [1]),  # a word added
        ("a b c", "a b c q", "z a b c", [1, -1]),  # three right words between the added ones
        ("a b", "", "a b", [-2]),
        ("", "x y", "", [-2]),
    ],
)
def test_stretches_by_hand(reference: str, before: str, after: str, differences: list[float]) -> None:
    assert stretch_differences(reference, before, after).tolist() == differences


@settings(max_examples=200, deadline=None)
@given(reference=WORDS, before=WORDS, after=WORDS)
def test_stretches_add_up_to_the_difference_of_edits(reference: str, before: str, after: str) -> None:
    total = count_errors([reference], [after]).edits[0] - count_errors([reference], [before]).edits[0]
    assert stretch_differences(reference, before, after).sum() == total


def test_matched_pairs_by_hand() -> None:
    # mean 0.5, standard deviation 1 over four stretches: 0.5 / (1 / 2) = 1, two-sided p of the normal
    p = matched_pairs(np.array([1.5, 0.5, -0.5, 0.5]) * math.sqrt(1.5) + 0.5 * (1 - math.sqrt(1.5)))
    assert p == pytest.approx(math.erfc(1 / math.sqrt(2)))
    assert p == pytest.approx(0.3173, abs=1e-4)
    assert matched_pairs(np.array([1.0])) is None
    assert matched_pairs(np.array([-1.0, -1.0])) is None
    assert matched_pairs(np.zeros(3)) == 1.0


@pytest.mark.parametrize(
    ("better", "worse", "p"),
    [(0, 0, 1.0), (1, 0, 1.0), (5, 0, 0.0625), (0, 6, 0.03125), (10, 2, 0.03857), (7, 7, 1.0)],
)
def test_mcnemar_is_the_exact_binomial(better: int, worse: int, p: float) -> None:
    assert mcnemar(better, worse) == pytest.approx(p, abs=1e-5)


def test_mcnemar_does_not_overflow() -> None:
    assert 0 <= mcnemar(6000, 5000) < 1e-20


def test_the_paired_bootstrap_uses_one_draw_for_both() -> None:
    generator = np.random.default_rng(5)
    references = ["a b c d e f"] * 200
    heard = [
        " ".join("x" if generator.random() < 0.3 else word for word in one.split()) for one in references
    ]
    speakers = [f"s{index % 20}" for index in range(200)]
    better = [text.replace("x", word, 1) for text, word in zip(heard, "abcdef" * 40, strict=False)]
    before, after = count_errors(references, heard), count_errors(references, better)
    low, high, p = paired_bootstrap(before, after, speakers)
    assert low <= after.wer - before.wer <= high
    single = wer_interval(before, speakers)
    assert high - low < single[1] - single[0], "pairing takes the speakers' own spread out"
    assert p < 0.01
