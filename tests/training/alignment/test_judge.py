"""What is believed of words that were located: alone, between neighbours, and where the script has something much alike."""

from __future__ import annotations

from dataclasses import replace

import pytest

from training.alignment.judge import Limits, Placed, settled
from training.alignment.listening import TimedWord
from training.alignment.segments import passages

SCRIPT = ("the", "knight", "blew", "stones", "threw", "three", "boats")


def placed(*words: tuple[str, int], score: float = 0.0, stretch: int = 0) -> list[Placed]:
    """Words of ten frames each, with their places."""
    return [
        Placed(TimedWord(word, 12 * number, 12 * number + 10, score, 0.0), place, False, stretch)
        for number, (word, place) in enumerate(words)
    ]


def sure(words: list[Placed]) -> list[bool]:
    return [one.sure for one in settled(words, SCRIPT, Limits())]


def weak(words: list[Placed], index: int, score: float) -> list[Placed]:
    """The same with one word that the sound bears less well."""
    words[index] = replace(words[index], word=replace(words[index].word, score=score))
    return words


def test_a_word_between_believed_neighbours_may_be_borne_less_well() -> None:
    said = [("the", 0), ("knight", 1), ("blew", 2)]
    for index in range(3):
        assert sure(weak(placed(*said), index, -2.0)) == [True] * 3
        assert sure(weak(placed(*said), index, -3.0))[index] is False
    assert sure(weak(placed(("the", 0), ("knight", -1), ("blew", 2)), 2, -2.0)) == [True, False, False]
    assert sure(placed(("the", 0), ("knight", 1), score=-2.0)) == [False, False]
    assert sure(placed(("knight", 1), score=-2.0)) == [False]


@pytest.mark.parametrize("where", ["inside", "touching"])
def test_neighbours_do_not_excuse_what_is_skipped_inside_a_word(where: str) -> None:
    """Another word may be hidden there: the end of *evidence* reaches to the end of *is* behind it."""
    words = placed(("the", 0), ("knight", 1), ("blew", 2))
    words[1] = replace(words[1], word=replace(words[1].word, **{where: -8.2}))
    assert sure(words) == [True, False, True]


def test_a_word_that_may_be_its_passed_over_neighbour_is_not_believed() -> None:
    assert sure(placed(("stones", 3), ("three", 5), ("boats", 6))) == [True, False, True]
    assert sure(placed(("stones", 3), ("threw", 4), ("three", 5))) == [True] * 3
    assert sure(placed(("the", 0), ("boats", 6))) == [True, True]


def test_a_short_word_beside_another_that_begins_alike_and_was_passed_over_is_not_believed() -> None:
    script = ("after", "to", "the", "knight", "in", "two", "boats")
    believed = [one.sure for one in settled(placed(("after", 0), ("to", 1), ("knight", 3)), script, Limits())]
    assert believed == [True, False, True]
    believed = [
        one.sure for one in settled(placed(("knight", 3), ("two", 5), ("boats", 6)), script, Limits())
    ]
    assert believed == [True, True, True]


@pytest.mark.parametrize(("gap", "skipped"), [(10, False), (40, True)])
def test_speech_in_which_the_network_hears_nothing_parts_two_words(gap: int, skipped: bool) -> None:
    first, second = placed(("the", 0), ("knight", 1))
    word = replace(second.word, start=first.word.stop + gap, stop=first.word.stop + gap + 10)
    answer = settled([first, replace(second, word=word)], SCRIPT, Limits())
    assert [one.skipped for one in answer] == [False, skipped]


def test_a_trace_of_another_word_parts_two_words() -> None:
    first, second = placed(("the", 0), ("knight", 1))
    for faint, skipped in ((0.5, False), (0.7, True)):
        answer = settled([first, replace(second, word=replace(second.word, faint=faint))], SCRIPT, Limits())
        assert [one.skipped for one in answer] == [False, skipped]


def test_a_word_of_two_letters_needs_both_and_none_is_said_twice_for_long_or_after_a_pause() -> None:
    script = ("went", "by", "mill")
    words = placed(("went", 0), ("by", 1), ("mill", 2))
    for at, change, believed in (
        (1, {"least": -4.0}, False),
        (1, {"least": -2.0}, True),
        (0, {"least": -4.0}, True),
        (2, {"twice": 12}, False),
        (2, {"twice": 6}, True),
        (2, {"pause": 17}, True),
        (2, {"pause": 30}, False),
    ):
        one = replace(words[at], word=replace(words[at].word, **change))
        answer = settled([*words[:at], one, *words[at + 1 :]], script, Limits())
        assert answer[at].sure is believed, (at, change)


def test_a_lone_word_is_kept_beside_its_neighbours_and_dropped_far_from_them() -> None:
    script = ("the", "old", "salt", "for", "queen", "baker", "ate", "bread", "by", "noon")
    run = [("the", 0), ("old", 1)]
    assert runs(script, [*run, ("queen", 4), ("x", -1), ("bread", 7), ("by", 8)]) == [2, 1, 2]
    assert runs(script, [("the", 0), ("queen", 4), ("baker", 5), ("x", -1), ("noon", 9)]) == [1, 2, 1]
    assert runs(script, [*run, ("salt", 2), ("for", 3), ("x", -1), ("y", -1), ("z", -1), ("noon", 9)]) == [4]
    for word, score, kept in (
        ("salt", -0.4, [2, 1]),
        ("salt", -0.8, [2]),
        ("for", -0.2, [2, 1]),
        ("for", -0.4, [2]),
    ):
        weaker = placed(*run, ("x", -1), (word, script.index(word)))
        weaker[3] = replace(weaker[3], word=replace(weaker[3].word, score=score))
        assert [len(one.words) for one in passages(settled(weaker, script, Limits()))] == kept


def test_a_short_run_among_strangers_is_chance() -> None:
    """Four heard words in a row that no script has: "the son the" between them stands in every text.

    With words of the script right beside them that are believed they are no chance.
    """
    strangers = [("meat", -1), ("sold", -1), ("queen", -1), ("for", -1)]
    script = ("the", "son", "the", "old", "farmer", "carried", "bread")
    run = [("the", 0), ("son", 1), ("the", 2)]
    assert runs(script, [*strangers, *run, *strangers]) == []
    assert runs(script, [*run, ("old", 3), ("farmer", 4)]) == [5]
    assert runs(script, [*strangers, *run, ("old", 3), ("farmer", 4), *strangers]) == [5]
    assert runs(script, [*run, ("meat", -1), ("carried", 5), ("bread", 6)]) == [3, 2]
    beside = [("the", 0), ("son", 1), *strangers[:2], ("old", 3), ("farmer", 4), *strangers]
    assert runs(script, beside) == [2, 2]
    assert runs(script, [("the", 0), ("son", 1), *strangers, ("old", 3), ("farmer", 4), *strangers]) == []


def runs(script: tuple[str, ...], words: list[tuple[str, int]]) -> list[int]:
    """How long the passages are."""
    return [len(one.words) for one in passages(settled(placed(*words), script, Limits()))]
