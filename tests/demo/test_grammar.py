"""The demo's sentences: pools that never meet, the same for the same seed, homophones on both sides."""

from __future__ import annotations

import pytest

from demo import cast, grammar


def spoken(seed: int, *splits: str) -> set[str]:
    return {one.line.text for plan in cast.PLANS for one in cast.lines_of(plan, seed) if one.split in splits}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_dev_or_test_sentence_is_learnt_from(seed: int) -> None:
    held_out = spoken(seed, "dev", "test")
    assert len(held_out) > 500
    assert not held_out & spoken(seed, "train")
    assert not held_out & set(cast.extra_text(seed))


def test_a_sentence_of_one_seed_held_out_is_never_learnt_under_another() -> None:
    official = [plan for plan in cast.PLANS if not plan.own_pool]
    held_out = {one.line.text for plan in official for one in cast.lines_of(plan, 1) if one.split != "train"}
    assert not held_out & (set(cast.extra_text(2)) | spoken(2, "train"))


def test_sentences_of_corpora_without_official_splits_stay_out_of_the_extra_text() -> None:
    own = {one.line.text for plan in cast.PLANS if plan.own_pool for one in cast.lines_of(plan, 1)}
    assert not own & set(cast.extra_text(1))


def test_the_same_seed_gives_the_same_sentences() -> None:
    assert grammar.sentences(50, "train", "a") == grammar.sentences(50, "train", "a")
    assert grammar.sentences(50, "train", "a") != grammar.sentences(50, "train", "b")


def test_every_word_is_in_the_vocabulary_and_few_words_make_many_sentences() -> None:
    drawn = grammar.sentences(5000, "train", "x")
    words = {word for sentence in drawn for word in sentence.split()}
    assert words <= grammar.vocabulary()
    assert len(grammar.vocabulary()) < 120
    assert len(set(drawn)) == 5000


@pytest.mark.parametrize(
    "pair",
    ["knew new", "to two", "for four", "blew blue", "read red", "won one", "ate eight", "night knight"],
)
def test_homophones_are_both_said(pair: str) -> None:
    said = {word for sentence in grammar.sentences(3000, "train", "h") for word in sentence.split()}
    assert set(pair.split()) <= said


def test_an_unknown_pool_and_an_exhausted_one_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="unknown pool 'validation'"):
        grammar.sentences(1, "validation", "x")
    with pytest.raises(ValueError, match="200 were asked for"):
        monkeypatch.setattr(grammar, "sentence", lambda rng: f"word {rng.randrange(900)}")
        grammar.sentences(200, "dev", "x")
