"""Faults known from other decoders, and input that is no log-probability: defined answers or clear errors."""

from __future__ import annotations

import math
import threading
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

import native
from tests.native.conftest import ENGLISH_SENTENCES
from tests.native.ctc_reference import build_language_model, random_log_probs

FLOOR = 1e-6


def spoken(alphabet: native.Alphabet, text: str, confidence: float = 0.9) -> npt.NDArray[np.float32]:
    """Log-probabilities of a network that hears `text`: each label one frame, a blank after each."""
    path = [item for label in alphabet.encode(text) for item in (label, alphabet.blank)]
    rows = np.full((len(path), alphabet.size), (1 - confidence) / (alphabet.size - 1))
    rows[np.arange(len(path)), path] = confidence
    log_probs: npt.NDArray[np.float32] = np.log(rows).astype(np.float32)
    return log_probs


def best(log_probs: npt.NDArray[np.float32], scorer: native.Scorer, mode: str = "exact") -> native.Hypothesis:
    return native.decode(log_probs[None], [len(log_probs)], scorer.alphabet, scorer, mode=mode)[0][0]


@pytest.fixture(scope="module")
def scorer(english_model: Path) -> native.Scorer:
    return native.Scorer.load(english_model, alpha=0.8, beta=1.0)


@pytest.mark.parametrize("mode", ["exact", "default", "fast"])
@pytest.mark.parametrize("sentence", ENGLISH_SENTENCES)
def test_the_last_word_needs_no_closing_space(scorer: native.Scorer, sentence: str, mode: str) -> None:
    assert best(spoken(scorer.alphabet, sentence), scorer, mode).text == sentence
    assert best(spoken(scorer.alphabet, f" {sentence}  "), scorer, mode).text == sentence


def test_a_cut_off_last_word_is_not_written(scorer: native.Scorer) -> None:
    answer = best(spoken(scorer.alphabet, "the cat sa", 0.999), scorer)
    assert set(answer.text.split()) <= {word for line in ENGLISH_SENTENCES for word in line.split()}
    narrow = native.decode(
        spoken(scorer.alphabet, "the cat sa", 0.999999)[None], [20], scorer.alphabet, scorer, beam_width=1
    )[0][0]
    assert narrow.text == "the cat"


def test_silence_and_nothing_give_an_empty_text(scorer: native.Scorer) -> None:
    silence = np.full((200, 29), math.log(FLOOR), np.float32)
    silence[:, 28] = math.log(1 - 28 * FLOOR)
    batch = np.stack([silence, silence])
    for with_scorer in (None, scorer):
        for mode in ("exact", "default", "fast"):
            answers = native.decode(batch, [200, 0], scorer.alphabet, with_scorer, mode=mode, n_best=3)
            assert [hypotheses[0].text for hypotheses in answers] == ["", ""]
    assert [answer.text for answer in native.greedy(batch, [200, 0], scorer.alphabet)] == ["", ""]


def test_words_unknown_to_the_model_do_not_glue_their_neighbours(scorer: native.Scorer) -> None:
    answer = best(spoken(scorer.alphabet, "the zog sat on the mat"), scorer)
    assert answer.text in {"the dog sat on the mat", "the log sat on the mat"}


def test_apostrophes_survive(scorer: native.Scorer) -> None:
    assert best(spoken(scorer.alphabet, "don't go on", 0.6), scorer).text == "don't go on"


def test_the_sentence_end_is_scored(scorer: native.Scorer) -> None:
    sentence = "the cat sat on the mat"
    entries = scorer.score_sentence(sentence)
    assert entries[-1][0] == "</s>"
    expected = sum(log10 for _, log10, _ in entries) * math.log(10)
    assert best(spoken(scorer.alphabet, sentence), scorer).lm == pytest.approx(expected, abs=1e-3)


def test_padding_is_never_read(scorer: native.Scorer) -> None:
    rows = spoken(scorer.alphabet, "the cat sat")
    padded = np.concatenate([rows, np.full((30, 29), np.nan, np.float32)])
    assert native.decode(padded[None], [len(rows)], scorer.alphabet, scorer)[0][0].text == "the cat sat"
    assert native.greedy(padded[None], [len(rows)], scorer.alphabet)[0].text == "the cat sat"


def test_no_text_comes_twice_and_the_order_is_fixed(scorer: native.Scorer) -> None:
    rows = random_log_probs(5, 60, 29, 3.0)[None]
    for with_scorer in (None, scorer):
        answer = native.decode(rows, [60], scorer.alphabet, with_scorer, n_best=500)[0]
        texts = [hypothesis.text for hypothesis in answer]
        assert len(texts) == len(set(texts)) > 1
        again = native.decode(rows, [60], scorer.alphabet, with_scorer, n_best=500)[0]
        assert [(h.text, h.score) for h in again] == [(h.text, h.score) for h in answer]
        scores = [hypothesis.score for hypothesis in answer]
        assert scores == sorted(scores, reverse=True)


def test_threads_do_not_change_the_answer(scorer: native.Scorer) -> None:
    batch = np.stack([random_log_probs(seed, 80, 29, 3.0) for seed in range(7)])
    lengths = [80, 1, 0, 79, 40, 80, 33]
    one, two = (
        native.decode(batch, lengths, scorer.alphabet, scorer, threads=threads, n_best=3)
        for threads in (1, 2)
    )
    assert [[(h.text, h.score, h.timesteps) for h in hypotheses] for hypotheses in one] == [
        [(h.text, h.score, h.timesteps) for h in hypotheses] for hypotheses in two
    ]


def test_other_threads_run_while_decoding(scorer: native.Scorer) -> None:
    batch = np.stack([random_log_probs(seed, 1500, 29, 1.0) for seed in range(8)])
    worker = threading.Thread(
        target=native.decode, args=(batch, [1500] * 8, scorer.alphabet, scorer, 200, 1, 1, "exact")
    )
    started = time.perf_counter()
    worker.start()
    ticks = 0
    while worker.is_alive():
        time.sleep(0.001)
        ticks += 1
    elapsed_s = time.perf_counter() - started
    assert elapsed_s > 0.05, "the batch is too small to show anything"
    assert ticks >= elapsed_s / 0.05


def test_time_grows_linearly_with_the_audio(scorer: native.Scorer) -> None:
    rows = np.tile(spoken(scorer.alphabet, "the cat sat on the mat ", 0.7), (10, 1))
    long = np.tile(rows, (10, 1))

    def cpu_s(log_probs: npt.NDArray[np.float32]) -> float:
        times = []
        for _ in range(3):
            started = time.process_time()
            native.decode(log_probs[None], [len(log_probs)], scorer.alphabet, scorer, threads=1)
            times.append(time.process_time() - started)
        return min(times)

    assert cpu_s(long) < 20 * cpu_s(rows)


@pytest.mark.parametrize(
    ("damage", "parts"),
    [
        (lambda x: x.astype(np.float64), ["float32", "float64"]),
        (lambda x: x[0], ["[batch, frames, labels]", "2 dimensions"]),
        (lambda x: x[:, :, :-1].copy(), ["28 labels", "alphabet has 29"]),
        (lambda x: x[:, ::2], ["contiguous", "ascontiguousarray"]),
        (np.exp, ["above 0", "log_softmax"]),
        (lambda x: np.where(np.arange(29) == 7, np.float32(np.nan), x), ["NaN", "frame 0", "label 7"]),
        (lambda x: np.where(np.arange(29) == 7, np.float32(np.inf), x), ["inf", "label 7"]),
    ],
)
def test_bad_log_probs_are_refused_by_name(english: native.Alphabet, damage, parts: list[str]) -> None:  # type: ignore[no-untyped-def]
    log_probs = damage(random_log_probs(1, 10, 29)[None])
    for function in (native.greedy, native.decode):
        with pytest.raises(native.DecodeError) as caught:
            function(log_probs, [5], english)
        for part in parts:
            assert part in str(caught.value)


def test_bad_settings_are_refused_by_name(english: native.Alphabet, tiny_model: Path) -> None:
    rows = random_log_probs(1, 10, 29)[None]
    cases: list[tuple[dict[str, object], str]] = [
        ({"beam_width": 0}, "beam_width 0"),
        ({"threads": 0}, "threads 0"),
        ({"n_best": 0}, "n_best 0"),
        ({"mode": "best"}, "best"),
        ({"scorer": native.Scorer.load(tiny_model)}, "alphabet"),
    ]
    for arguments, part in cases:
        with pytest.raises(native.DecodeError, match=part):
            native.decode(rows, [10], english, **arguments)  # type: ignore[arg-type]
    for lengths, part in (([11], "length 11"), ([-1], "-1 is negative"), ([1, 2], "2 lengths for 1")):
        with pytest.raises(native.DecodeError, match=part):
            native.decode(rows, lengths, english)


def test_impossible_labels_are_a_defined_answer(scorer: native.Scorer) -> None:
    rows = spoken(scorer.alphabet, "the cat")
    rows[rows < math.log(0.5)] = -np.inf
    assert best(rows, scorer).text == "the cat"
    rows[:] = -np.inf
    assert best(rows, scorer).text == ""


def test_a_large_alphabet_decodes_without_a_scorer() -> None:
    alphabet = native.Alphabet([chr(0x4E00 + i) for i in range(300)])
    rows = np.full((6, 301), math.log(0.1 / 300), np.float32)
    rows[np.arange(6), [5, 300, 5, 69, 69, 133]] = math.log(0.9)
    expected = alphabet.decode([5, 5, 69, 133])
    assert native.decode(rows[None], [6], alphabet, mode="exact")[0][0].text == expected
    assert native.greedy(rows[None], [6], alphabet)[0].text == expected


def test_long_words_and_many_words_are_no_problem(tmp_path: Path, english: native.Alphabet) -> None:
    sentences = ["a" * 300 + " b", "b " + "a" * 299, "c"]
    model = build_language_model(tmp_path / "lm", sentences, english)
    scorer = native.Scorer.load(model)
    assert best(spoken(english, sentences[0]), scorer).text == sentences[0]
