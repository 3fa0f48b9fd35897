"""Error rates against jiwer, both definitions, and the interval."""

from __future__ import annotations

import jiwer
import numpy as np
import pytest

from scoring.significance import wer_interval
from scoring.wer import (
    aligned,
    confusions,
    count_edits,
    count_errors,
    counts_characters,
    heard_of_choices,
    join_words,
)


def random_pairs(count: int) -> list[tuple[str, str]]:
    generator = np.random.default_rng(1)
    words = np.array(["the", "cat", "cats", "sat", "on", "a", "mat"])
    pick = lambda low: " ".join(generator.choice(words, generator.integers(low, 9)))  # noqa: E731
    return [(pick(1), pick(0)) for _ in range(count)]


def test_rates_equal_jiwers_on_random_pairs() -> None:
    pairs = random_pairs(300)
    references, hypotheses = [one for one, _ in pairs], [one for _, one in pairs]
    ours = count_errors(references, hypotheses)
    theirs = jiwer.process_words(references, hypotheses)
    assert ours.wer == pytest.approx(theirs.wer)
    assert ours.substitutions + ours.deletions + ours.insertions == (
        theirs.substitutions + theirs.deletions + theirs.insertions
    )
    assert ours.deletions - ours.insertions == theirs.deletions - theirs.insertions
    assert ours.cer == pytest.approx(jiwer.cer(references, hypotheses))
    mean = np.mean([jiwer.wer(reference, hypothesis) for reference, hypothesis in pairs])
    assert ours.wer_mean_per_utterance == pytest.approx(float(mean))


def test_edits_are_told_apart() -> None:
    edits = count_edits("a b c d", "a x c d e")
    assert (edits.substitutions, edits.deletions, edits.insertions, edits.words) == (1, 0, 1, 4)
    edits = count_edits("a b c d", "a d")
    assert (edits.substitutions, edits.deletions, edits.insertions) == (0, 2, 0)
    assert count_edits("", "a b").wer == 2.0


def test_both_definitions_differ_where_lengths_do() -> None:
    rates = count_errors(["a b c d e f g h", "i"], ["a b c d e f g h", "x"])
    assert rates.wer == pytest.approx(1 / 9)
    assert rates.wer_mean_per_utterance == pytest.approx(0.5)


def test_the_interval_is_seeded_and_holds_the_rate() -> None:
    pairs = random_pairs(120)
    rates = count_errors([one for one, _ in pairs], [one for _, one in pairs])
    speakers = [f"s{index % 12}" for index in range(120)]
    low, high = wer_interval(rates, speakers)
    assert low < rates.wer < high
    assert (low, high) == wer_interval(rates, speakers)
    assert (low, high) != wer_interval(rates, ["one"] * 120)


def test_a_perfect_result_has_a_perfect_interval() -> None:
    rates = count_errors(["a b", "c"], ["a b", "c"])
    assert wer_interval(rates, ["s", "t"]) == (0.0, 0.0)
    assert wer_interval(count_errors([], []), []) == (0.0, 0.0)


def test_confusions_are_counted_and_ordered() -> None:
    references = ["the cat sat", "the cat ran", "a dog", "a b"]
    hypotheses = ["the cap sat", "the cap ran on", "dog", "x b"]
    found = confusions(references, hypotheses)
    assert found["substitutions"] == [["cat", "cap", 2], ["a", "x", 1]]
    assert found["deletions"] == [["a", 1]]
    assert found["insertions"] == [["on", 1]]
    assert confusions(references, hypotheses, limit=1)["substitutions"] == [["cat", "cap", 2]]


def test_a_part_has_the_rates_of_its_utterances() -> None:
    pairs = random_pairs(20)
    rates = count_errors([one for one, _ in pairs], [one for _, one in pairs])
    some = count_errors([one for one, _ in pairs[3:9]], [one for _, one in pairs[3:9]])
    assert rates.part(range(3, 9)).wer == some.wer
    assert rates.part([]).wer == 0.0


def test_the_alternative_that_was_heard_counts() -> None:
    assert heard_of_choices("{ it's / it is } so { um / @ }", "it is so") == "it is so"
    edits = count_edits("{ it's / it is } a { th- / @ } day", "its a day")
    assert (edits.words, edits.edits) == (3, 1)
    assert [kind for kind, _, _ in aligned("now { um / uh } see", "now uh see")] == ["equal"] * 3
    assert confusions(["{ cat / dog } x"], ["dog y"])["substitutions"] == [["x", "y", 1]]


def test_scripts_without_blanks_count_characters_and_latin_words_stay_words() -> None:
    edits = count_edits("今天 天气好", "今天天汽")
    assert (edits.words, edits.substitutions, edits.deletions, edits.insertions) == (5, 1, 1, 0)
    rates = count_errors(["สวัสดีครับ", "你好 world"], ["สวัสดีครบ", "你 world"])
    assert rates.words == 10 + 3 and rates.edits.sum() == 2
    assert count_edits("今天天气", "今天天汽").wer == count_errors(["今天天气"], ["今天天汽"]).cer == 0.25
    assert counts_characters(["今天天气", "好"]) and not counts_characters(
        ["안녕하세요 세계", "hello 你好"][:1]
    )
    assert [one[0] for one in aligned("今天", "今大")] == ["equal", "replace"]
    assert join_words(["今", "天", "radio", "大", "家"]) == "今天 radio 大家"
    assert join_words(["two", "words"]) == "two words" and join_words([]) == ""
