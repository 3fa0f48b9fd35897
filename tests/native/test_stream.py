"""Streams: any pieces give the batch's answer, memory is bounded, and misuse is refused by name."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import native
from tests.native.ctc_reference import random_log_probs
from tests.native.test_search_faults import spoken

Facts = list[tuple[str, float, list[int], list[tuple[str, int, int, float]]]]


def facts(hypotheses: list[native.Hypothesis]) -> Facts:
    return [
        (h.text, h.score, h.timesteps, [(w.word, w.start_frame, w.end_frame, w.confidence) for w in h.words])
        for h in hypotheses
    ]


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    cuts=st.lists(st.integers(0, 90), max_size=8),
    mode=st.sampled_from(["exact", "default", "fast"]),
    extras=st.sets(st.sampled_from(["lexicon", "hot words", "open vocabulary"])),
)
def test_any_pieces_give_the_answer_of_the_batch(
    tiny_model: Path, seed: int, cuts: list[int], mode: str, extras: set[str]
) -> None:
    scorer = native.Scorer.load(tiny_model) if "lexicon" in extras else None
    hot_words = {"ab a": 3.0} if "hot words" in extras else None
    is_open = extras >= {"lexicon", "open vocabulary"}
    alphabet = native.Alphabet([" ", "a", "b"])
    rows = random_log_probs(seed, 90, 4, 3.0)
    whole = native.decode(
        rows[None], [90], alphabet, scorer, 12, 1, 3, mode, hot_words=hot_words, open_vocabulary=is_open
    )[0]
    stream = native.Stream(alphabet, scorer, 12, mode, hot_words=hot_words, open_vocabulary=is_open)
    for start, stop in zip([0, *sorted(cuts)], [*sorted(cuts), 90], strict=True):
        stream.feed(rows[start:stop])
        stream.peek()
    assert stream.frames == 90
    assert facts(stream.peek(3)) == facts(whole)
    assert facts(stream.finish(3)) == facts(whole)


def test_what_a_stream_holds_is_bounded_however_long_the_audio(english_model: Path) -> None:
    scorer = native.Scorer.load(english_model)
    rows = spoken(scorer.alphabet, "the cat sat on the mat the dog sat on the log ", 0.8)
    stream = native.Stream(scorer.alphabet, scorer, beam_width=50)
    most = 0
    for _ in range(200):
        stream.feed(rows)
        usage = stream.usage
        most = max(most, usage["prefixes"] + usage["times"])
    assert most < 15_000, most
    assert stream.usage["settled"] > 8000
    words = stream.finish()[0].text.split()
    assert words == ["the", "cat", "sat", "on", "the", "mat", "the", "dog", "sat", "on", "the", "log"] * 200


@pytest.mark.parametrize("with_scorer", [False, True])
def test_settling_does_not_change_the_answer(english_model: Path, with_scorer: bool) -> None:
    """A beam of one width settles at another time than a wider one; on clear speech both give the same."""
    scorer = native.Scorer.load(english_model)
    used = scorer if with_scorer else None
    rows = np.tile(spoken(scorer.alphabet, "don't go on the cat has a good day ", 0.95), (60, 1))
    narrow, wide = (native.Stream(scorer.alphabet, used, beam_width) for beam_width in (5, 150))
    for stream in (narrow, wide):
        stream.feed(rows)
    one, other = narrow.finish()[0], wide.finish()[0]
    assert narrow.usage["settled"] > 0
    assert one.text == other.text == " ".join(["don't go on the cat has a good day"] * 60)
    assert one.timesteps == other.timesteps


def test_a_stream_begins_empty_and_begins_again(english: native.Alphabet) -> None:
    stream = native.Stream(english)
    assert stream.peek()[0].text == "" and stream.frames == 0
    stream.feed(np.empty((0, 29), np.float32))
    stream.feed(spoken(english, "the cat"))
    assert stream.peek()[0].text == "the cat"
    assert stream.finish()[0].text == "the cat"
    with pytest.raises(native.DecodeError, match="finished; reset"):
        stream.feed(spoken(english, "sat"))
    stream.reset()
    stream.feed(spoken(english, "sat"))
    assert stream.finish()[0].text == "sat"


@pytest.mark.parametrize(
    ("rows", "parts"),
    [
        (np.zeros((2, 28), np.float32), ["28 labels", "alphabet has 29"]),
        (np.zeros((1, 2, 29), np.float32), ["[frames, labels]", "3 dimensions"]),
        (np.zeros((2, 29)), ["float32", "float64"]),
        (np.zeros((4, 29), np.float32)[::2], ["contiguous"]),
        (np.full((2, 29), np.nan, np.float32), ["frame 3", "NaN"]),
    ],
)
def test_bad_pieces_are_refused_by_name(
    english: native.Alphabet, rows: npt.NDArray[np.float32], parts: list[str]
) -> None:
    stream = native.Stream(english)
    stream.feed(random_log_probs(1, 3, 29))
    with pytest.raises(native.DecodeError) as caught:
        stream.feed(rows)
    assert all(part in str(caught.value) for part in parts), caught.value


def test_calls_from_several_threads_take_turns(english_model: Path) -> None:
    scorer = native.Scorer.load(english_model)
    rows = spoken(scorer.alphabet, "the cat sat on the mat ", 0.8)
    stream = native.Stream(scorer.alphabet, scorer)
    threads = [threading.Thread(target=stream.feed, args=(rows,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stream.finish()[0].text == " ".join(["the cat sat on the mat"] * 6)


def test_a_stream_outlives_its_scorer(english_model: Path) -> None:
    scorer = native.Scorer.load(english_model)
    rows = spoken(scorer.alphabet, "the cat sat")
    stream = native.Stream(scorer.alphabet, scorer, alpha=0.3)
    del scorer
    stream.feed(rows)
    assert stream.finish()[0].text == "the cat sat"
