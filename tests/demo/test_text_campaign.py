"""The campaign that listens: it hears what is wrong, and finds nothing wrong in a seeded sample."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from demo.layouts import RATE_HZ
from demo.layouts.odd_texts import FORMS
from demo.layouts.spoken_truth import Truth, judged, recording, words_heard
from demo.layouts.text_campaign import listen


@pytest.fixture(name="truth")
def _truth() -> Truth:
    return recording("talk", 3, random.Random("a talk"))


def test_the_listener_hears_the_words_of_a_stretch_and_no_others(truth: Truth) -> None:
    first, second, third = truth.sentences
    whole = truth.samples[round(second.start_s * RATE_HZ) : round(third.end_s * RATE_HZ)]
    assert words_heard(whole, truth) == f"{second.text} {third.text}".split()
    assert not judged(f"{second.text} {third.text}", whole, truth)
    for wrong in (second.text, first.text, f"{second.text} {third.text} more", ""):
        assert judged(wrong, whole, truth)


def test_half_a_sentence_is_not_heard_as_the_whole(truth: Truth) -> None:
    sentence = truth.sentences[0]
    half = truth.samples[round(sentence.start_s * RATE_HZ) : round(sentence.words[2].start_s * RATE_HZ)]
    assert words_heard(half, truth) == sentence.text.split()[:2]
    assert "there sounds" in judged(sentence.text, half, truth)


@pytest.mark.parametrize("form", list(dict.fromkeys(FORMS)), ids=lambda form: form.__name__)
def test_every_form_is_the_same_for_the_same_seed(form: object, truth: Truth) -> None:
    one, two = (form(truth, random.Random(7)) for _ in range(2))  # type: ignore[operator]
    assert one == two
    assert one[1]


def test_a_donation_of_odd_texts_holds_no_row_that_says_what_does_not_sound(tmp_path: Path) -> None:
    heard = listen(tmp_path / "one", seed=1, recordings=4)
    assert not heard.wrong
    assert heard.rows["row says what sounds in it"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 104))
def test_more_donations_of_odd_texts(seed: int, tmp_path: Path) -> None:
    assert not listen(tmp_path / "more", seed).wrong
