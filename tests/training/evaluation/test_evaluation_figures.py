"""Groups, ranges and totals add up; decoders that were not used stay out."""

from __future__ import annotations

import pytest

from scoring.wer import count_errors
from training.evaluation.figures import Heard, by_range, figures_of, pooled

REFERENCES = ["a b", "c d", "e f g h", "a"]
GREEDY = ["a x", "c d", "e f", "a"]


def heard(**texts: list[str]) -> Heard:
    return Heard(
        references=REFERENCES,
        speakers=["s", "t", "s", "u"],
        genders=["f", "unknown", "f", "m"],
        durations_s=[1.0, 2.0, 30.0, 4.999],
        snrs_db=[None, 10.0, 9.99, 40.0],
        texts={"greedy": GREEDY, **texts},
    )


def test_greedy_alone_has_no_comparison() -> None:
    figures = figures_of(heard())
    assert figures["corrected"] is None and figures["lm"] is None
    assert figures["comparisons"] == []
    assert figures["greedy"]["wer"] == pytest.approx(3 / 9)
    assert figures["speakers"]["s"] == {"utterances": 2, "words": 6, "greedy": pytest.approx(0.5)}
    assert figures["confusions"] == {
        "greedy": {"substitutions": [["b", "x", 1]], "deletions": [["g", 1], ["h", 1]], "insertions": []}
    }


def test_ranges_hold_their_lower_border_and_the_unknown_come_last() -> None:
    figures = figures_of(heard(lm=REFERENCES))
    durations = [(row["from"], row["to"], row["utterances"]) for row in figures["durations"]]
    assert durations == [(None, 2.0, 1), (2.0, 5.0, 2), (15.0, None, 1)]
    snrs = [(row["from"], row["to"], row["unknown"], row["utterances"]) for row in figures["snrs"]]
    assert snrs == [
        (None, 10.0, False, 1),
        (10.0, 20.0, False, 1),
        (40.0, None, False, 1),
        (None, None, True, 1),
    ]
    assert by_range({"greedy": count_errors([], [])}, [], (1.0,)) == []


def test_corpora_taken_as_one_weigh_by_words() -> None:
    one, other = figures_of(heard(lm=REFERENCES)), figures_of(heard())
    total = pooled([one, other])
    assert (total["utterances"], total["words"]) == (8, 18)
    assert total["greedy"]["wer"] == pytest.approx(6 / 18)
    assert total["lm"] is None, "only one of them used it"
    assert pooled([one, one])["lm"]["wer"] == 0.0
