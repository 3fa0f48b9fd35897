"""The likeliest path of a text against all paths there are."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import native
from training.alignment.forced import forced_path
from training.alignment.listening import timed_words
from training.network.features import Float

BLANK = 3


def collapsed(path: tuple[int, ...]) -> tuple[int, ...]:
    kept = [label for label, _ in itertools.groupby(path)]
    return tuple(label for label in kept if label != BLANK)


def best_of_all(log_probs: Float, text: tuple[int, ...]) -> float:
    paths = itertools.product(range(4), repeat=len(log_probs))
    return max(
        (
            float(sum(row[label] for row, label in zip(log_probs, path, strict=True)))
            for path in paths
            if collapsed(path) == text
        ),
        default=-np.inf,
    )


@pytest.mark.parametrize("text", [(), (0,), (0, 1), (1, 1), (2, 0, 2), (0, 0, 1)])
def test_no_path_is_likelier(text: tuple[int, ...]) -> None:
    for seed in range(6):
        probabilities = np.random.default_rng(seed).dirichlet(np.ones(4), 6)
        log_probs = np.log(probabilities).astype(np.float32)
        path = forced_path(log_probs, text, BLANK)
        assert path is not None
        assert float(path.scores.sum()) == pytest.approx(best_of_all(log_probs, text), abs=1e-4)
        labels = [text[state // 2] if state % 2 else BLANK for state in path.states]
        assert collapsed(tuple(labels)) == text
        assert (path.behind <= 1e-6).all()


def test_a_sound_too_short_for_its_text_has_none() -> None:
    log_probs = np.full((3, 4), np.log(0.25), np.float32)
    assert forced_path(log_probs, (0, 0, 1), BLANK) is None
    assert forced_path(log_probs[:0], (), BLANK) is None
    assert forced_path(log_probs, (0, 1, 2), BLANK) is not None


def test_words_have_frames_and_scores() -> None:
    alphabet = native.Alphabet(["a", "b", " "])
    rows = np.full((20, 4), np.log(1e-4), np.float32)
    for frame, label in enumerate([3, 3, 3, 3, 0, 0, 3, 1, 3, 3, 2, 3, 3, 1, 1, 3, 3, 0, 3, 3]):
        rows[frame, label] = np.log(0.999)
    first, second = timed_words(rows, ["ab", "ba"], alphabet, 100)
    assert (first.word, first.start, first.stop) == ("ab", 104, 108)
    assert (second.word, second.start, second.stop) == ("ba", 113, 118)
    assert first.score == pytest.approx(0, abs=1e-3) and second.before == pytest.approx(0, abs=1e-2)
    wrong, _ = timed_words(rows, ["bb", "ba"], alphabet, 100)
    assert wrong.score < -3
    skipped = timed_words(rows, ["ba"], alphabet, 100)[0]
    assert skipped.start == 113 or skipped.before < -5
    assert timed_words(rows[:2], ["abab"], alphabet, 0)[0].score < -10


def test_spaces_before_and_after_a_text_are_rest() -> None:
    """A network says spaces where nobody speaks: they are no part of a first or last word."""
    alphabet = native.Alphabet(["a", "b", " "])
    (word,) = timed_words(_rows([2, 2, 2, 0, 3, 1, 2, 2]), ["ab"], alphabet, 0)
    assert (word.start, word.stop) == (3, 6) and word.score == pytest.approx(0, abs=1e-3)
    assert word.before == word.after == word.touching == pytest.approx(0, abs=1e-3)


def test_a_doubled_letter_that_is_said_as_one_skips_nothing() -> None:
    alphabet = native.Alphabet(["a", "b", " "])
    (word,) = timed_words(_rows([3, 0, 1, 1, 1, 1, 0, 3]), ["abba"], alphabet, 0)
    assert word.inside == pytest.approx(0, abs=1e-3)
    (other,) = timed_words(_rows([3, 0, 1, 0, 1, 1, 0, 3]), ["abba"], alphabet, 0)
    assert other.inside < -5 or other.score < -1


def _rows(labels: list[int]) -> Float:
    rows = np.full((len(labels), 4), np.log(1e-4), np.float32)
    rows[np.arange(len(labels)), labels] = np.log(0.999)
    return rows


def test_a_first_letter_that_is_said_early_in_a_pause_does_not_lengthen_its_word() -> None:
    alphabet = native.Alphabet(["a", "b", " "])
    rows = _rows([0, 1, *[3] * 3, 2, 0, *[3] * 14, 1, 1, 3])
    first, second = timed_words(rows, ["ab", "ab"], alphabet, 0)
    assert (first.start, first.stop) == (0, 2)
    assert (second.start, second.stop) == (
        6,
        23,
    )  # four frames after the first word: no pause, its letter stays
    rows = _rows([0, 1, *[3] * 10, 2, 0, *[3] * 14, 1, 1, 3])
    _, second = timed_words(rows, ["ab", "ab"], alphabet, 0)
    assert (second.start, second.begin, second.stop) == (13, 24, 30)


def test_a_first_letter_said_early_hides_no_word_unless_another_letter_is_heard_there() -> None:
    """At the beginning of a stretch networks say it in the silence, leave it and say it again."""
    abc = native.Alphabet(["a", "b", "c", " "])
    rows = np.full((16, 5), np.log(1e-4), np.float32)
    rows[np.arange(16), [3, *[0] * 3, *[3] * 3, *[0] * 5, 1, 1, 3, 4]] = np.log(0.999)
    rows[4:7, [0, 3]] = np.log([0.4, 0.6])
    (word,) = timed_words(rows, ["ab"], abc, 0)
    assert word.early == 7 and word.twice == 0 and (word.begin, word.stop) == (8, 14)
    rows[4:7, [0, 2, 3]] = np.log([0.2, 0.25, 0.55])
    (word,) = timed_words(rows, ["ab"], abc, 0)
    assert word.early == 0 and word.twice == 11, "a letter between may be of another word"


def test_a_word_that_is_hardly_heard_leaves_a_trace_between_two_others() -> None:
    """At no frame is its letter the likeliest, so nothing is skipped; what fades between the two is no trace."""
    abc = native.Alphabet(["a", "b", "c", " "])
    wide = np.full((8, 5), np.log(1e-4), np.float32)
    wide[np.arange(8), [0, 1, 3, 3, 3, 3, 0, 1]] = np.log(0.999)
    assert timed_words(wide, ["ab", "ab"], abc, 0)[1].faint == pytest.approx(0, abs=0.01)
    wide[2, [1, 3]] = wide[5, [0, 3]] = np.log([0.45, 0.55])
    assert timed_words(wide, ["ab", "ab"], abc, 0)[1].faint == pytest.approx(0, abs=0.01)
    wide[3:5, [2, 3]] = np.log([0.45, 0.55])
    assert timed_words(wide, ["ab", "ab"], abc, 0)[1].before == pytest.approx(0, abs=0.01)
    assert timed_words(wide, ["ab", "ab"], abc, 0)[1].faint == pytest.approx(0.9, abs=0.02)


def test_a_pause_inside_a_word_is_told() -> None:
    """In *modern ... and* the last letter of the first may be that of the second, half a second later."""
    alphabet = native.Alphabet(["a", "b", " "])
    (word,) = timed_words(_rows([0, 1, *[3] * 30, 0, 3]), ["aba"], alphabet, 0)
    assert word.pause == 30 and word.score == pytest.approx(0, abs=1e-3)
    (word,) = timed_words(_rows([*[3] * 9, 0, 3, 3, 1, *[3] * 9]), ["ab"], alphabet, 0)
    assert word.pause == 2
    (word,) = timed_words(_rows([3, 0, 0, 3]), ["a"], alphabet, 0)
    assert word.pause == 0


def test_the_least_heard_letter_and_one_that_is_said_twice_are_told() -> None:
    alphabet = native.Alphabet(["a", "b", " "])
    (word,) = timed_words(_rows([3, 0, 1, 1, 1, 3]), ["ab"], alphabet, 0)
    assert word.least == pytest.approx(0, abs=1e-3) and word.twice == 0
    (word,) = timed_words(_rows([3, 3, 1, 1, 1, 1, 1, 1, 3]), ["ab"], alphabet, 0)
    assert word.least < -5 and word.score > -2  # six frames of one letter hide the other in the mean
    rows = _rows([3, 0, 1, 1, 3, 3, 1, 1, 3])
    rows[4:6, [1, 3]] = np.log([0.4, 0.6])
    (word,) = timed_words(rows, ["ab"], alphabet, 0)
    assert word.twice == 6 and word.score > -0.3
    (word,) = timed_words(_rows([3, 0, 1, 1, 3, 1, 1, 3]), ["abb"], alphabet, 0)
    assert word.twice == 0
