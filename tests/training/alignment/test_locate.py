"""Finding heard words in a script: against plain dynamic programming, and through moved, lost and foreign passages."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from training.alignment.locate import Costs, gathered, locate

Ints = npt.NDArray[np.int64]


def plain_score(heard: Ints, written: Ints, costs: Costs) -> float:
    """The best score by the definition, place by place."""
    before = [0.0] * (len(written) + 1)
    for word in heard:
        now = [value - costs.heard for value in before]
        for place in range(len(written)):
            same = written[place] == word
            now[place + 1] = max(now[place + 1], before[place] + (1.0 if same else -costs.other))
            if same:
                now[place + 1] = max(now[place + 1], max(before) - costs.jump + 1.0)
        before = [
            max(
                [
                    now[place],
                    *(now[other] - costs.written * (place - other) - costs.passing for other in range(place)),
                ]
            )
            for place in range(len(now))
        ]
    return max(before)


def score_of(places: Ints, heard: Ints, written: Ints, costs: Costs) -> float:
    """What an answer is worth: every step from one placed word to the next the cheaper way."""
    score, behind = 0.0, None
    for word, place in zip(heard, places, strict=True):
        if place < 0:
            score -= costs.heard
            continue
        same = written[place] == word
        score += 1.0 if same else -costs.other
        if behind is not None:
            passed = place - behind - 1
            walked = np.inf if passed < 0 else costs.written * passed + (costs.passing if passed else 0.0)
            score -= min(walked, costs.jump if same else np.inf)
        behind = place
    return score


@pytest.mark.parametrize("seed", range(12))
def test_the_answer_is_worth_the_best_score(seed: int) -> None:
    generator = np.random.default_rng(seed)
    costs = Costs(jump=2.5)
    heard, written = generator.integers(0, 5, 30), generator.integers(0, 5, 25)
    places = locate(heard, written, costs)
    assert score_of(places, heard, written, costs) == pytest.approx(
        plain_score(heard, written, costs), abs=0.05
    )


def script(count: int = 4000, seed: int = 1) -> Ints:
    return np.random.default_rng(seed).integers(0, 300, count)


def test_equal_rows_match_word_by_word() -> None:
    words = script()
    np.testing.assert_array_equal(locate(words, words), np.arange(len(words)))


def test_a_moved_passage_is_found_where_it_went() -> None:
    words = script()
    heard = np.concatenate([words[:1000], words[2000:2100], words[1000:2000], words[2100:]])
    expected = np.concatenate(
        [np.arange(1000), np.arange(2000, 2100), np.arange(1000, 2000), np.arange(2100, 4000)]
    )
    found = locate(heard, words)
    assert (found == expected).mean() > 0.999


def test_lost_and_foreign_words_are_left_out() -> None:
    words = script()
    foreign = np.full(150, 999)
    heard = np.concatenate([words[:1000], foreign, words[1500:3000], np.delete(words[3000:], [5, 50, 500])])
    found = locate(heard, words)
    assert (found[1000:1150] < 0).all()
    np.testing.assert_array_equal(found[:1000], np.arange(1000))
    np.testing.assert_array_equal(found[1150:2650], np.arange(1500, 3000))
    assert (np.diff(found[2650:]) > 0).all()


def test_nothing_matches_nothing() -> None:
    empty = np.zeros(0, np.int64)
    assert len(locate(empty, script())) == 0
    assert (locate(np.full(20, 7777), script()) < 0).sum() >= 19
    assert (locate(np.arange(5), empty) == -1).all()


def test_lone_words_stand_beside_their_neighbours() -> None:
    heard = np.array([1, 2, 5, 9, 9, 9, 5, 6, 7, 9, 9, 4, 8])
    answer = np.array([0, 1, 2, -1, -1, -1, -1, 3, 4, -1, -1, -1, 6])
    moved = gathered(np.array([0, 1, -1, -1, -1, -1, 2, 3, 4, -1, -1, 5, 6]), heard)
    np.testing.assert_array_equal(moved, [0, 1, -1, -1, -1, -1, 2, 3, 4, -1, -1, 5, 6])
    kept = gathered(answer, heard)
    np.testing.assert_array_equal(kept, answer)
    apart = gathered(np.array([0, -1, 2, -1, -1, -1, -1, 3, 4, -1, -1, -1, 6]), heard)
    np.testing.assert_array_equal(apart, [0, -1, -1, -1, -1, -1, 2, 3, 4, -1, -1, -1, 6])
