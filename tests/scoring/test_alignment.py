"""Alignment by NIST's rules: costs, ties, alternations, deletable words, fragments, times; the narrow band is exact."""

from __future__ import annotations

import random

import pytest

from native import _core


def counts(reference: str, hypothesis: str, **rules: bool) -> tuple[int, int, int, int]:
    return _core.align_counts([reference], [hypothesis], **rules)[0]


def kinds(reference: str, hypothesis: str, **rules: bool) -> str:
    return "".join(step[0] for step in _core.align_path(reference, hypothesis, **rules))


def table(said: list[str], heard: list[str]) -> tuple[int, int, int, int]:
    """The whole table in plain Python: 4 a substitution, 3 a gap; pair before missing before added."""
    cost = [[3 * (i + j) for j in range(len(heard) + 1)] for i in range(len(said) + 1)]
    for i in range(1, len(said) + 1):
        for j in range(1, len(heard) + 1):
            pair = cost[i - 1][j - 1] + 4 * (said[i - 1] != heard[j - 1])
            cost[i][j] = min(pair, cost[i - 1][j] + 3, cost[i][j - 1] + 3)
    found = {"C": 0, "S": 0, "D": 0, "I": 0}
    i, j = len(said), len(heard)
    while i or j:
        same = i and j and said[i - 1] == heard[j - 1]
        if i and j and cost[i][j] == cost[i - 1][j - 1] + 4 * (not same):
            found["C" if same else "S"] += 1
            i, j = i - 1, j - 1
        elif i and (not j or cost[i - 1][j] < cost[i][j - 1]):
            found["D"] += 1
            i -= 1
        else:
            found["I"] += 1
            j -= 1
    return found["C"], found["S"], found["D"], found["I"]


def test_plain_rows_equal_the_whole_table() -> None:
    chance = random.Random(7)
    for _ in range(400):
        said = [chance.choice("abcd") for _ in range(chance.randrange(40))]
        heard = [chance.choice("abcd") for _ in range(chance.randrange(40))]
        assert counts(" ".join(said), " ".join(heard)) == table(said, heard), (said, heard)


def test_a_pair_costs_less_than_two_gaps_and_three_gaps_less_than_two_pairs() -> None:
    assert kinds("a", "b") == "S"
    assert counts("a b c", "x a") == table(["a", "b", "c"], ["x", "a"])


def test_the_cheapest_alternative_is_taken_and_nothing_said_costs_nothing() -> None:
    assert counts("i've { um / uh / @ } seen", "i've seen") == (2, 0, 0, 0)
    assert counts("{ it's / it is } so", "it is so") == (3, 0, 0, 0)
    assert counts("{ it's / it is } so", "its so") == (1, 1, 0, 0)
    assert counts("a { b { c / d e } / f }", "a b d e") == (4, 0, 0, 0)
    assert counts("this is {the/a}end", "this is a end") == (4, 0, 0, 0)
    assert counts("one two", "{ one / won } { to / two }") == (2, 0, 0, 0)


def test_the_answer_is_that_of_the_best_alternative() -> None:
    chance = random.Random(3)
    for _ in range(200):
        choices = [[chance.choice("abc") for _ in range(chance.randrange(1, 4))] for _ in range(3)]
        before, after = ([chance.choice("abc") for _ in range(chance.randrange(3))] for _ in range(2))
        heard = [chance.choice("abc") for _ in range(chance.randrange(7))]
        text = " ".join([*before, "{", " / ".join(" ".join(one) for one in choices), "}", *after])
        _, subs, dels, ins = counts(text, " ".join(heard))
        prices = [
            4 * s + 3 * (d + i) for _, s, d, i in (table([*before, *one, *after], heard) for one in choices)
        ]
        assert 4 * subs + 3 * (dels + ins) == min(prices)


def test_deletable_words_and_fragments_only_when_asked_for() -> None:
    assert counts("(uh) yes", "yes") == (1, 0, 1, 0)
    assert counts("(uh) yes", "yes", deletable=True) == (2, 0, 0, 0)  # NIST counts the missing one as right
    assert counts("(uh) yes", "oh yes", deletable=True) == (1, 1, 0, 0)
    assert counts("th- that", "the that") == (1, 1, 0, 0)
    assert counts("th- that", "the that", fragments=True) == (2, 0, 0, 0)
    assert counts("-nother one", "another one", fragments=True) == (2, 0, 0, 0)
    assert counts("(th-) that", "the that", deletable=True, fragments=True) == (2, 0, 0, 0)


def test_tags_stars_and_backslashes_are_no_part_of_a_word() -> None:
    assert counts(r"they;tag pride* a\;s", "they pride a;s") == (3, 0, 0, 0) or counts(
        r"they;tag pride*", "they pride"
    ) == (2, 0, 0, 0)


@pytest.mark.parametrize("text", ["a { b / c", "a { } b", "a { / } b", "a x{b / c} d", "a } b"])
def test_broken_alternations_are_sentences(text: str) -> None:
    with pytest.raises(ValueError, match=r"alternation|brace"):
        counts(text, "a b")


def test_by_time_what_is_near_is_a_pair() -> None:
    spans = [(0.0, 0.5), (5.0, 5.5)]
    assert kinds("yes no", "yes no") == "CC"
    far = _core.align_path("yes no", "no yes", False, False, spans, [(0.1, 0.4), (5.1, 5.4)])
    assert [step[0] for step in far] == ["S", "S"]
    early = _core.align_path("yes no", "no", False, False, spans, [(0.1, 0.4)])
    assert [step[0] for step in early] == ["S", "D"]
    with pytest.raises(ValueError, match="1 times for the 2 words"):
        _core.align_path("yes no", "no", False, False, [(0.0, 1.0)], [(0.0, 1.0)])


def test_long_texts_with_few_mistakes_are_quick_and_right() -> None:
    said = [f"w{number % 977}" for number in range(20_000)]
    heard = [word for number, word in enumerate(said) if number % 100]
    assert counts(" ".join(said), " ".join(heard)) == (19_800, 0, 200, 0)
    with pytest.raises(ValueError, match="divide them into utterances"):
        counts("{ a / b } " * 30_000, "c " * 30_000)
