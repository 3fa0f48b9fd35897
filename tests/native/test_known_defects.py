"""One test per fault known from other CTC decoders, in the order of the list in docs/decoder.md."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

import native
from tests.native.ctc_reference import build_language_model, random_log_probs
from tests.native.test_search_faults import spoken

Rows = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def scorer(english_model: Path) -> native.Scorer:
    return native.Scorer.load(english_model, alpha=0.8, beta=1.0)


def decoded(rows: Rows, scorer: native.Scorer, **settings: object) -> native.Hypothesis:
    answers = native.decode(rows[None], [len(rows)], scorer.alphabet, scorer, **settings)  # type: ignore[arg-type]
    return answers[0][0]


def texts(rows: Rows, alphabet: native.Alphabet, pruning: native.Pruning) -> set[str]:
    answers = native.decode(rows[None], [len(rows)], alphabet, None, 10_000, 1, 10**6, pruning)
    return {answer.text for answer in answers[0]}


def test_01_every_pruning_works_alone(english: native.Alphabet) -> None:
    rows = random_log_probs(1, 2, 29, 2.0)
    everything = texts(rows, english, native.Pruning())
    for pruning in (
        native.Pruning(label_floor=0.02),
        native.Pruning(score_threshold=4.0),
        native.Pruning(blank_skip=0.0),
    ):
        assert texts(rows, english, pruning) < everything


def test_02_the_label_floor_is_a_probability(tiny_alphabet: native.Alphabet) -> None:
    rows = np.log(np.array([[0.01, 0.6, 0.29, 0.1]], np.float32))
    for floor, expected in ((0.005, {"", "a", "b"}), (0.28, {"", "a", "b"}), (0.3, {"", "a"}), (0.61, {""})):
        assert texts(rows, tiny_alphabet, native.Pruning(label_floor=floor)) == expected


def test_03_an_unknown_word_costs_once(scorer: native.Scorer) -> None:
    one = spoken(scorer.alphabet, "qq the cat sat on the mat", 0.95)
    answer = decoded(one, scorer, open_vocabulary=True, oov_penalty=-7.0, oov_letter_penalty=0.0)
    assert (answer.text, answer.oov_score) == ("qq the cat sat on the mat", -7.0)


def test_04_a_boost_is_added_once_and_not_weighed(scorer: native.Scorer) -> None:
    rows = spoken(scorer.alphabet, "the cat sat on the mat", 0.95)
    for alpha in (0.1, 2.0):
        for word in ("cat", "mat"):
            assert decoded(rows, scorer, alpha=alpha, hot_words={word: 3.0}).hot_word_score == 3.0


def test_05_the_last_word_is_no_fragment(scorer: native.Scorer) -> None:
    known = {"the", "cat", "sat", "on", "mat", "dog", "log", "has", "a", "good", "day"}
    for cut in range(1, 22):
        answer = decoded(spoken(scorer.alphabet, "the cat sat on the mat"[:cut], 0.99), scorer)
        assert set(answer.text.split()) <= known


def test_06_silence_is_an_empty_text(scorer: native.Scorer) -> None:
    rows = np.full((300, 29), math.log(1e-7), np.float32)
    rows[:, 28] = math.log(1 - 28e-7)
    for frames in (0, 1, 300):
        assert decoded(rows[:frames], scorer).text == ""


def test_07_the_sentence_end_counts(tmp_path: Path, english: native.Alphabet) -> None:
    model = build_language_model(tmp_path / "lm", ["go on", "go on", "on on on i will go on"], english)
    scorer = native.Scorer.load(model, alpha=1.0, beta=0.0)
    answer = decoded(spoken(english, "go on"), scorer)
    end = scorer.score_sentence("go on")[-1]
    assert end[0] == "</s>"
    without_end = sum(log10 for _, log10, _ in scorer.score_sentence("go on")[:-1]) * math.log(10)
    assert answer.lm == pytest.approx(without_end + end[1] * math.log(10), abs=1e-4)


def test_08_what_is_dead_is_gone(scorer: native.Scorer) -> None:
    """Cost per frame depends on what the search holds, and that does not grow with the audio."""
    rows = spoken(scorer.alphabet, "the cat sat on the mat ", 0.9)
    stream = native.Stream(scorer.alphabet, scorer, 20)
    held = []
    for _ in range(300):
        stream.feed(rows)
        held.append(stream.usage["prefixes"])
    assert max(held[200:]) <= max(held[:200])


def test_09_the_order_of_the_answers_is_that_of_their_scores(scorer: native.Scorer) -> None:
    rows = random_log_probs(3, 40, 29, 2.0)
    answers = native.decode(rows[None], [40], scorer.alphabet, None, 400, 1, 400)[0]
    keys = [(-answer.score, answer.text) for answer in answers]
    assert len(keys) > 300 and keys == sorted(keys)


def test_10_another_alphabet_is_an_error(scorer: native.Scorer) -> None:
    other = native.Alphabet([*scorer.alphabet.labels[1:], " "])
    with pytest.raises(native.DecodeError, match="alphabet of the network"):
        native.decode(random_log_probs(1, 3, 29)[None], [3], other, scorer)


def test_11_apostrophes_stay(scorer: native.Scorer) -> None:
    assert decoded(spoken(scorer.alphabet, "don't go on", 0.6), scorer).text == "don't go on"


def test_12_the_last_word_needs_no_separator_behind_it(scorer: native.Scorer) -> None:
    rows = spoken(scorer.alphabet, "the cat sat on the mat")
    for last in (len(rows) - 1, len(rows)):  # with and without a blank behind the last letter
        assert decoded(rows[:last], scorer).text == "the cat sat on the mat"


def test_13_alpha_weighs_natural_logarithms(scorer: native.Scorer) -> None:
    rows = spoken(scorer.alphabet, "the cat sat", 0.9)
    log10 = sum(score for _, score, _ in scorer.score_sentence("the cat sat"))
    for alpha in (0.25, 1.0):
        assert decoded(rows, scorer, alpha=alpha).lm_score == pytest.approx(
            alpha * math.log(10) * log10, abs=1e-4
        )


def test_14_padding_is_not_audio(scorer: native.Scorer) -> None:
    rows = spoken(scorer.alphabet, "the cat sat")
    padded = np.concatenate([rows, spoken(scorer.alphabet, " on the mat")])[None]
    assert native.decode(padded, [len(rows)], scorer.alphabet, scorer)[0][0].text == "the cat sat"


def test_15_as_many_answers_as_the_beam_holds() -> None:
    alphabet = native.Alphabet(["a", "b", "c"])
    rows = random_log_probs(2, 30, 4, 1.0)
    assert len(native.decode(rows[None], [30], alphabet, None, 64, 1, 64, "exact")[0]) == 64


def test_16_no_word_is_dropped_for_its_neighbours(tmp_path: Path, english: native.Alphabet) -> None:
    words = [first + second for first in "abcdefghij" for second in "abcdefghijklmnopqrstuvwxyz"]
    scorer = native.Scorer.load(build_language_model(tmp_path / "lm", [" ".join(words)], english))
    assert all(scorer.knows(word) for word in words)
    assert decoded(spoken(english, "ga jz", 0.99), scorer).text == "ga jz"


def test_17_repeats_are_merged_unless_a_blank_stands_between(tiny_alphabet: native.Alphabet) -> None:
    for path, expected in (([1, 1, 1], "a"), ([1, 3, 1], "aa"), ([1, 1, 3, 1, 1], "aa"), ([1, 2, 1], "aba")):
        rows = np.full((len(path), 4), math.log(1e-4), np.float32)
        rows[np.arange(len(path)), path] = math.log(1 - 3e-4)
        for mode in ("exact", "default", "fast"):
            answer = native.decode(rows[None], [len(path)], tiny_alphabet, mode=mode)[0][0]
            assert answer.text == expected


def test_18_words_stay_apart_without_a_vocabulary(english: native.Alphabet) -> None:
    rows = spoken(english, "the cat sat on the mat", 0.8)
    assert native.decode(rows[None], [len(rows)], english)[0][0].text == "the cat sat on the mat"


def test_19_scorers_of_other_weights_share_one_model(scorer: native.Scorer) -> None:
    """A thousand weightings, such as a tuning makes, cost no thousand models."""
    before = _resident_kib()
    kept = [scorer.with_weights(0.001 * i, 1.0) for i in range(1000)]
    assert _resident_kib() - before < 20_000
    assert kept[-1].lm_hash == scorer.lm_hash


def _resident_kib() -> int:
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])
