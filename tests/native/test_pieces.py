"""Labels that are pieces of words: brute force is in C++; here words, times, streams and foreign lists of labels."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import native
from native.labels import network_alphabet
from tests.native.ctc_reference import build_language_model, random_log_probs

PIECES = ["<unk>", "▁the", "▁c", "at", "▁", "s", "▁do", "g", "▁mat", "o", "n"]


@pytest.fixture(scope="session")
def pieces() -> native.Alphabet:
    """Eleven pieces; the blank last."""
    return native.Alphabet.pieces(PIECES)


def spoken(alphabet: native.Alphabet, path: list[str], seed: int = 1) -> npt.NDArray[np.float32]:
    """Frames in which a network says these labels; "" is the blank."""
    logits = np.random.default_rng(seed).normal(scale=0.3, size=(len(path), alphabet.size))
    for frame, label in enumerate(path):
        logits[frame, alphabet.blank if not label else alphabet.labels.index(label)] += 9
    return (logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)).astype(np.float32)


def test_an_alphabet_of_pieces_is_kept_with_its_kind(tmp_path: Path, pieces: native.Alphabet) -> None:
    assert (pieces.kind, pieces.mark, pieces.space, pieces.unspaced) == ("pieces", "▁", 4, False)
    assert pieces.spelling.labels == [" ", *"acdeghmnost"]
    pieces.save(tmp_path / "alphabet.txt")
    assert native.Alphabet.load(tmp_path / "alphabet.txt") == pieces == pickle.loads(pickle.dumps(pieces))
    assert pieces.decode(pieces.encode("the cats")) == "the cats"
    with pytest.raises(native.AlphabetError, match="mark"):
        native.Alphabet.pieces(["a"], mark="@@")


@pytest.mark.parametrize("scorer", [False, True])
def test_words_have_the_times_of_their_pieces(tmp_path: Path, pieces: native.Alphabet, scorer: bool) -> None:
    said = ["", "▁the", "▁the", "", "▁c", "at", "", "s", "", "▁", "▁do", "g", "", "▁", "o", "n"]
    log_probs = spoken(pieces, said)[None]
    model = build_language_model(tmp_path / "lm", ["the cats dog on", "the dog"], pieces) if scorer else None
    loaded = None if model is None else native.Scorer.load(model)
    best = native.decode(log_probs, [len(said)], pieces, loaded)[0][0]
    greedy = native.greedy(log_probs, [len(said)], pieces)[0]
    for answer in (best, greedy):
        assert answer.text == "the cats dog on"
        assert [(word.word, word.start_frame, word.end_frame) for word in answer.words] == [
            ("the", 1, 2),
            ("cats", 4, 8),
            ("dog", 10, 12),
            ("on", 14, 16),
        ]
        assert all(0.9 < word.confidence <= 1 for word in answer.words)


def test_the_lexicon_is_over_letters(english_model: Path, pieces: native.Alphabet) -> None:
    """A language model built for letters serves the pieces: all spellings of a word lead to it, other words to none."""
    scorer = native.Scorer.load(english_model, 1.0, 1.0)
    assert scorer.alphabet.kind == "characters"
    said = ["▁the", "", "▁do", "g", "s"]
    answer = native.decode(spoken(pieces, said)[None], [5], pieces, scorer, mode="exact")[0][0]
    assert answer.text == "the dog", "dogs is no word of the model"
    for path in (["▁do", "g"], ["▁", "do", "g"]):
        alphabet = native.Alphabet.pieces([*PIECES, "do"])
        answer = native.decode(spoken(alphabet, path)[None], [len(path)], alphabet, scorer)[0][0]
        assert answer.text == "dog" and answer.lm == pytest.approx(
            sum(score for _, score, _ in scorer.score_sentence("dog")) * np.log(10), abs=1e-4
        )


def test_unwritten_labels_are_never_written(pieces: native.Alphabet) -> None:
    said = ["▁the", "<unk>", "▁c", "at"]
    log_probs = spoken(pieces, said)[None]
    assert native.greedy(log_probs, [4], pieces)[0].text == "the cat"
    assert "unk" not in native.decode(log_probs, [4], pieces)[0][0].text


def test_hot_words_close_where_the_next_word_begins(pieces: native.Alphabet) -> None:
    said = ["▁the", "▁c", "at", "▁do", "g"]
    log_probs = spoken(pieces, said)[None]
    plain = native.decode(log_probs, [5], pieces)[0][0]
    hot = native.decode(log_probs, [5], pieces, hot_words={"cat": 2.0, "the cat dog": 1.0, "at": 3.0})[0][0]
    assert hot.text == plain.text == "the cat dog"
    assert (hot.hot_word_score, hot.acoustic) == (pytest.approx(3.0), pytest.approx(plain.acoustic, abs=1e-4))


def test_a_lexicon_of_another_script_is_refused(english_model: Path) -> None:
    scorer = native.Scorer.load(english_model)
    greek = native.Alphabet.pieces(["▁και", "το", "▁"])
    with pytest.raises(native.DecodeError, match="0 of the 27 letters"):
        native.decode(random_log_probs(1, 3, 4)[None], [3], greek, scorer)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), mark=st.sampled_from(["▁", "##"]), open_vocabulary=st.booleans())
def test_any_cuts_of_a_long_stream_give_the_answer_of_the_batch(
    english_model: Path, seed: int, mark: str, open_vocabulary: bool
) -> None:
    """Labels settle in the middle of words, and nobody sees it."""
    labels = (
        PIECES if mark == "▁" else ["the", "c", "##at", "a", "##s", "do", "##g", "mat", "##o", "##n", "on"]
    )
    alphabet = native.Alphabet.pieces(labels, mark=mark)
    scorer = native.Scorer.load(english_model)
    random = np.random.default_rng(seed)
    log_probs = random_log_probs(seed, 400, alphabet.size, 3.0)
    asked = {"beam_width": 8, "mode": native.Pruning(doubt_labels=10), "open_vocabulary": open_vocabulary}
    whole = native.decode(log_probs[None], [400], alphabet, scorer, n_best=3, **asked)[0]
    stream = native.Stream(alphabet, scorer, **asked)
    for piece in np.split(log_probs, np.sort(random.integers(0, 400, 7))):
        stream.feed(piece)
        stream.peek()
    answers = stream.finish(n_best=3)
    assert [(a.text, a.score, a.timesteps) for a in answers] == [
        (a.text, a.score, a.timesteps) for a in whole
    ]
    best = whole[0]
    assert [word.word for word in best.words] == best.text.split() and len(best.words) > 20
    assert [word.confidence for word in answers[0].words] == [word.confidence for word in best.words]
    assert all(0 <= word.confidence <= 1 for word in best.words) and best.timesteps == sorted(
        set(best.timesteps)
    )
    known = {"the", "cat", "sat", "on", "mat", "dog", "log", "a", "good", "go", "has"}
    assert open_vocabulary or set(best.text.split()) <= known


def test_labels_of_scripts_without_blanks_are_words_with_times() -> None:
    alphabet = native.Alphabet(["你", "好", "吗"])
    said = ["你", "", "好", "好", "", "好", "吗"]
    log_probs = spoken(alphabet, said)[None]
    assert alphabet.unspaced
    for answer in (native.decode(log_probs, [7], alphabet)[0][0], native.greedy(log_probs, [7], alphabet)[0]):
        assert answer.text == "你好好吗"
        assert [(word.word, word.start_frame) for word in answer.words] == [
            ("你", 0), ("好", 2), ("好", 5), ("吗", 6),
        ]  # fmt: skip
        assert all(word.confidence > 0.9 for word in answer.words)


def test_foreign_lists_of_labels_are_recognised() -> None:
    letters = network_alphabet(["<pad>", "<s>", "</s>", "<unk>", "|", "e", "t"])
    assert (letters.kind, letters.blank, letters.space, letters.labels[3]) == ("characters", 0, 4, " ")
    nemo = network_alphabet(["<unk>", "▁t", "he", "▁"])
    assert (nemo.kind, nemo.mark, nemo.blank, nemo.space) == ("pieces", "▁", 4, 3)
    bert = network_alphabet(["[PAD]", "[UNK]", "un", "##able"])
    assert (bert.kind, bert.mark, bert.blank, bert.space) == ("pieces", "##", 0, -1)
    assert network_alphabet(["a", "▁", "<blank>"]).space == 1
    assert network_alphabet(["a", "b", "c"], blank=1).labels == ["a", "c"]
    with pytest.raises(native.AlphabetError, match="blank 5"):
        network_alphabet(["a"], blank=5)
