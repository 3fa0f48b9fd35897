"""Words outside the lexicon, alphabets beyond 32 labels, bytes, and language models of characters."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import native
from tests.native.ctc_reference import IDENTITY, build_language_model, random_log_probs
from tests.native.test_search_faults import spoken


@pytest.fixture(scope="module")
def scorer(english_model: Path) -> native.Scorer:
    return native.Scorer.load(english_model, alpha=0.8, beta=1.0)


def opened(
    rows: np.ndarray, scorer: native.Scorer, penalty: float = -3.0, letter_penalty: float = 0.0
) -> native.Hypothesis:  # type: ignore[type-arg]
    return native.decode(
        rows[None],
        [len(rows)],
        scorer.alphabet,
        scorer,
        open_vocabulary=True,
        oov_penalty=penalty,
        oov_letter_penalty=letter_penalty,
    )[0][0]


def test_a_word_outside_the_lexicon_is_written_where_it_is_heard(scorer: native.Scorer) -> None:
    rows = spoken(scorer.alphabet, "the zebra sat on the mat", 0.95)
    closed = native.decode(rows[None], [len(rows)], scorer.alphabet, scorer)[0][0]
    assert "zebra" not in closed.text.split()
    answer = opened(rows, scorer)
    assert answer.text == "the zebra sat on the mat"
    assert answer.oov_score == -3.0
    assert answer.word_score == pytest.approx(6.0)
    expected = sum(log10 for _, log10, _ in scorer.score_sentence(answer.text)) * math.log(10)
    assert answer.lm == pytest.approx(expected, abs=1e-3)


def test_the_penalty_decides_between_a_known_and_an_unknown_word(scorer: native.Scorer) -> None:
    rows = spoken(scorer.alphabet, "the caz sat", 0.9)
    assert opened(rows, scorer, 0.0).text == "the caz sat"
    assert opened(rows, scorer, -50.0).text == "the cat sat"


def test_letters_of_an_unknown_word_cost_as_the_language_model_weighs(scorer: native.Scorer) -> None:
    """alpha 0.8 times -2 a letter; so two words that sound as one long unknown one stay two."""
    answer = opened(spoken(scorer.alphabet, "the zebra sat on qq", 0.97), scorer, -3.0, -2.0)
    assert answer.text == "the zebra sat on qq"
    assert answer.oov_score == pytest.approx(2 * -3.0 + 0.8 * -2.0 * 7)
    parts = answer.acoustic + answer.lm_score + answer.word_score + answer.oov_score
    assert answer.score == pytest.approx(parts, abs=1e-3)
    glued = spoken(scorer.alphabet, "the zebraqsat", 0.99)
    place = int(np.flatnonzero(glued[:, scorer.alphabet.labels.index("q")] > math.log(0.5))[0])
    glued[place, scorer.alphabet.labels.index(" ")] = math.log(0.05)
    assert opened(glued, scorer, -12.0).text == "the zebraqsat"
    assert opened(glued, scorer, -3.0, -2.0).text == "the zebra sat"
    with pytest.raises(native.DecodeError, match="oov_letter_penalty"):
        opened(glued, scorer, -3.0, 1.0)


def test_after_unknown_words_the_language_model_goes_on(scorer: native.Scorer) -> None:
    """One unknown word neither glues its neighbours nor silences the model behind it."""
    rows = spoken(scorer.alphabet, "qqq the cat sat on the mat", 0.9)
    answer = opened(rows, scorer)
    assert answer.text == "qqq the cat sat on the mat"
    assert answer.oov_score == -3.0


def test_an_unfinished_last_word_stands_in_an_open_vocabulary(scorer: native.Scorer) -> None:
    assert opened(spoken(scorer.alphabet, "the cat sa", 0.99), scorer).text == "the cat sa"
    assert opened(np.full((50, 29), math.log(1 / 29), np.float32)[:0], scorer).text == ""


def test_open_vocabulary_needs_a_scorer(english: native.Alphabet) -> None:
    with pytest.raises(native.DecodeError, match="open_vocabulary needs a scorer"):
        native.decode(random_log_probs(1, 3, 29)[None], [3], english, open_vocabulary=True)


def lm_of_bytes(tmp_path: Path, sentences: list[str], **more: str) -> tuple[native.Alphabet, native.Scorer]:
    alphabet = native.Alphabet.bytes()
    return alphabet, native.Scorer.load(build_language_model(tmp_path / "lm", sentences, alphabet, **more))


def test_bytes_spell_any_language(tmp_path: Path) -> None:
    sentences = ["мама мыла раму", "naïve café", "папа мыл раму"]
    alphabet, scorer = lm_of_bytes(tmp_path, sentences)
    for sentence in sentences:
        rows = spoken(alphabet, sentence, 0.6)
        for mode in ("exact", "default", "fast"):
            answer = native.decode(rows[None], [len(rows)], alphabet, scorer, 20, mode=mode)[0][0]
            assert answer.text == sentence
            assert [word.word for word in answer.words] == sentence.split()
            assert len(answer.timesteps) == len(sentence.encode())
        hot = native.decode(
            rows[None], [len(rows)], alphabet, scorer, 20, hot_words={sentence.split()[-1]: 2.0}
        )[0][0]
        assert hot.hot_word_score == 2.0


def test_bytes_that_are_no_text_are_shown_as_such() -> None:
    alphabet = native.Alphabet.bytes()
    rows = np.full((3, 256), math.log(1e-5), np.float32)
    rows[np.arange(3), [0xD0 - 1, 255, ord("a") - 1]] = math.log(0.9)
    for answer in (
        native.decode(rows[None], [3], alphabet)[0][0],
        native.greedy(rows[None], [3], alphabet)[0],
    ):
        assert answer.text == "\ufffda"


def test_an_alphabet_of_more_than_32_labels_has_a_lexicon(tmp_path: Path) -> None:
    alphabet = native.Alphabet([" ", *(chr(0x430 + i) for i in range(32)), "ё"])
    sentences = ["мама мыла раму", "папа ёж"]
    scorer = native.Scorer.load(build_language_model(tmp_path / "lm", sentences, alphabet))
    for sentence in sentences:
        rows = spoken(alphabet, sentence, 0.5)
        assert native.decode(rows[None], [len(rows)], alphabet, scorer, mode="exact")[0][0].text == sentence


@pytest.mark.parametrize("spaced", [True, False])
def test_a_language_model_of_characters(tmp_path: Path, spaced: bool) -> None:
    labels = ["a", "b", "c", *([" "] if spaced else [])]
    alphabet = native.Alphabet(labels)
    space_word = "\u2581"
    sentences = [f"a b {space_word} c" if spaced else "a b c", "b a c"]
    model = build_language_model(tmp_path / "lm", sentences, alphabet)
    words = ["a", "b", "c", *([space_word] if spaced else [])]
    native.build_lexicon_trie(
        words, alphabet, model / "lm.binary", model / "lexicon.trie", IDENTITY, unit="characters"
    )
    scorer = native.Scorer.load(model, alpha=1.0, beta=0.5)
    text = "ab c" if spaced else "abc"
    rows = spoken(alphabet, text, 0.7)
    answer = native.decode(rows[None], [len(rows)], alphabet, scorer, mode="exact")[0][0]
    assert answer.text == text
    assert answer.word_score == pytest.approx(0.5 * len(text))
    with pytest.raises(native.DecodeError, match="of characters"):
        native.decode(rows[None], [len(rows)], alphabet, scorer, open_vocabulary=True)
