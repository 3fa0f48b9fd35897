"""Labels' times rise strictly and words do not overlap, whatever the beam forgets and when."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import native

LABELS = native.Alphabet([" ", "a", "b"])


def noise(seed: int, frames: int) -> np.ndarray:
    """Log-probabilities that keep several texts alive: often the blank, never sure."""
    random = np.random.default_rng(seed)
    rows = random.dirichlet([0.5, 0.5, 0.5, 1.0], frames)
    return np.log(np.maximum(rows, 1e-4)).astype(np.float32)


def check(answer: native.Hypothesis, frames: int) -> None:
    times = answer.timesteps
    assert len(times) == len(answer.text)
    assert all(one < other for one, other in pairwise(times)), (times, answer.text)
    assert not times or (times[0] >= 0 and times[-1] < frames)
    assert [word.word for word in answer.words] == answer.text.split()
    for word in answer.words:
        assert word.start_frame < word.end_frame
    for one, other in pairwise(answer.words):
        assert one.end_frame <= other.start_frame, answer.words


@pytest.mark.parametrize("beam_width", range(1, 17))
@pytest.mark.parametrize("doubt_labels", [2, 4, 50])
def test_times_rise_where_labels_settle(beam_width: int, doubt_labels: int) -> None:
    mode = native.Pruning(doubt_labels=doubt_labels)
    for seed in range(6):
        rows = noise(seed, 200)
        for answer in native.decode(rows[None], [200], LABELS, None, beam_width, n_best=4, mode=mode)[0]:
            check(answer, 200)


@pytest.mark.parametrize("beam_width", [1, 4, 10, 16])
def test_times_rise_with_a_lexicon_too(beam_width: int, english_model: Path) -> None:
    scorer = native.Scorer.load(english_model)
    random = np.random.default_rng(beam_width)
    width = len(scorer.alphabet.labels) + 1
    rows = np.log(np.maximum(random.dirichlet(np.full(width, 0.3), (20, 150)), 1e-5)).astype(np.float32)
    mode = native.Pruning(doubt_labels=2)
    for answers in native.decode(rows, [150] * 20, scorer.alphabet, scorer, beam_width, n_best=3, mode=mode):
        for answer in answers:
            check(answer, 150)


def test_a_peek_into_a_stream_shows_rising_times() -> None:
    stream = native.Stream(LABELS, None, 4, native.Pruning(doubt_labels=2))
    rows = noise(99, 640)
    for at in range(0, 640, 32):
        stream.feed(rows[at : at + 32])
        check(stream.peek()[0], at + 32)
