"""Both searches of the face: the one in C++ and the one in Python give the same beams, whole and piece by piece."""

from __future__ import annotations

import math
import pickle
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from native.errors import ScorerError
from native.pyctcdecode import build_ctcdecoder
from native.pyctcdecode.alphabet import Alphabet
from native.pyctcdecode.decoder import BeamSearchDecoderCTC, OutputBeam
from native.pyctcdecode.kenlm import Model, State
from native.pyctcdecode.language_model import HotwordScorer, LanguageModel, MultiLanguageModel

LETTERS = [" ", "a", "b", "c", "d", ""]
PIECES = ["▁⁇▁", "▁ab", "▁c", "d", "ab", "c", "▁", ""]
WORDS = ["ab", "abcd", "cab", "dad", "bad"]
ARPA = """\\data\\
ngram 1=8
ngram 2=7

\\1-grams:
-1.7\t<unk>\t0
0\t<s>\t-0.3
-0.9\t</s>\t0
-0.8\tab\t-0.25
-1.1\tabcd\t-0.125
-1.3\tcab\t-0.2
-0.7\tdad\t-0.4
-1.9\tbad\t-0.1

\\2-grams:
-0.3\t<s> ab
-0.4\tab abcd
-0.2\tab cab
-0.6\tcab dad
-0.35\tdad </s>
-0.15\tbad dad
-0.5\tdad ab

\\end\\
"""


class Own(LanguageModel):
    """The same model as a class of one's own, which is searched in Python."""


@pytest.fixture(scope="module")
def arpa(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("lm") / "small.arpa"
    path.write_text(ARPA, encoding="utf-8")
    return str(path)


def logits(seed: int, frames: int, labels: int) -> npt.NDArray[np.float64]:
    return np.random.default_rng(seed).normal(scale=2.5, size=(frames, labels))


def both(labels: list[str], arpa: str | None) -> tuple[BeamSearchDecoderCTC, BeamSearchDecoderCTC]:
    """A decoder in C++, and one of the same parts in Python."""
    fast = build_ctcdecoder(labels, arpa, WORDS if arpa else None)
    alphabet = Alphabet.build_alphabet(labels)
    slow = BeamSearchDecoderCTC(alphabet, Own(Model(arpa), WORDS) if arpa else None)
    if not arpa:
        slow._built = (None, None)
    assert fast._engine is not None and slow._engine is None
    return fast, slow


def rows(beams: list[OutputBeam]) -> list[tuple[object, ...]]:
    return [
        (b.text, b.text_frames, b.logit_score, b.lm_score, b.last_lm_state and b.last_lm_state.state)
        for b in beams
    ]


@pytest.mark.parametrize("labels", [LETTERS, PIECES], ids=["letters", "pieces"])
@pytest.mark.parametrize("with_model", [True, False], ids=["model", "free"])
@pytest.mark.parametrize("hot", [None, ["dad", "cab abc"]], ids=["plain", "hot"])
def test_both_searches_give_the_same_beams_to_the_bit(
    labels: list[str], with_model: bool, hot: list[str] | None, arpa: str
) -> None:
    fast, slow = both(labels, arpa if with_model else None)
    for seed in range(12):
        given = logits(seed, 14, len(labels))
        for prune in (False, True):
            ask = {"beam_width": 20, "prune_history": prune, "hotwords": hot, "hotword_weight": 3.0}
            found, expected = fast.decode_beams(given, **ask), slow.decode_beams(given, **ask)  # type: ignore[arg-type]
            assert rows(found) == rows(expected)
            assert len(found) > 1 or prune


def test_a_state_goes_on_where_the_words_before_ended(arpa: str) -> None:
    fast, slow = both(LETTERS, arpa)
    first, second = logits(1, 9, 6), logits(2, 9, 6)
    for decoder in (fast, slow):
        state = decoder.decode_beams(first)[0].last_lm_state
        with_state = decoder.decode_beams(second, lm_start_state=state)
        assert rows(with_state) == rows(slow.decode_beams(second, lm_start_state=state))
        assert rows(with_state) != rows(decoder.decode_beams(second))


def test_pieces_of_a_stream_give_the_whole(arpa: str) -> None:
    fast, _ = both(LETTERS, arpa)
    given = logits(5, 20, 6)
    beams, texts, partials = fast.get_starting_state()
    scorer = HotwordScorer.build_scorer(["dad"], weight=3.0)
    for start, stop in ((0, 7), (7, 12), (12, 20)):
        beams = list(
            fast.partial_decode_beams(
                given[start:stop], texts, partials, beams, start, hotword_scorer=scorer, is_end=stop == 20
            )
        )
    whole = fast.decode_beams(given, hotwords=["dad"], hotword_weight=3.0)
    assert [(b.text, b.logit_score) for b in beams] == [(b.text, b.logit_score) for b in whole]


def test_batches_keep_their_order_and_drop_states(arpa: str) -> None:
    fast, slow = both(LETTERS, arpa)
    many = [logits(seed, 10, 6) for seed in range(9)]
    assert fast.decode_batch(None, many) == [slow.decode(one) for one in many]
    for beams, one in zip(fast.decode_beams_batch(None, many), many, strict=True):
        whole = fast.decode_beams(one)
        assert [(b.text, b.lm_score, b.last_lm_state) for b in beams] == [
            (b.text, b.lm_score, None) for b in whole
        ]
        assert [b[1] for b in beams] == [b[2] for b in whole]  # as the release counts the parts
        assert [(b.text_frames, *b) for b in pickle.loads(pickle.dumps(beams))] == [
            (b.text_frames, b.text, b.text_frames, b.logit_score, b.lm_score) for b in beams
        ]


def test_two_models_of_one_kind_weigh_like_one(arpa: str) -> None:
    alphabet = Alphabet.build_alphabet(LETTERS)
    one = LanguageModel(Model(arpa), WORDS)
    single = BeamSearchDecoderCTC(alphabet, one)
    double = BeamSearchDecoderCTC(alphabet, MultiLanguageModel([one, one]))
    given = logits(3, 12, 6)
    assert [b.text for b in single.decode_beams(given)] == [b.text for b in double.decode_beams(given)]
    for weights in ({"alpha": 0.0}, {"beta": -3.0}, {"unk_score_offset": -1.0}, {"lm_score_boundary": False}):
        single.reset_params(**weights)  # type: ignore[arg-type]
        slow = BeamSearchDecoderCTC(alphabet, Own(Model(arpa), WORDS, **one.serializable_attrs))
        assert rows(single.decode_beams(given)) == rows(slow.decode_beams(given))


def test_probabilities_and_their_logarithms_are_one_input(arpa: str) -> None:
    fast, _ = both(LETTERS, arpa)
    raw = logits(4, 12, 6)
    shares = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    answers = {fast.decode(form) for form in (raw, shares, np.log(shares), raw.astype(np.float32))}
    assert len(answers) == 1
    assert fast.decode(np.zeros((0, 6))) == ""


def test_kenlm_face_scores_as_the_arpa_says(arpa: str, tmp_path: Path) -> None:
    model = Model(arpa)
    assert model.order == 2 and "ab" in model and "abba" not in model
    state, after = State(), State()
    model.BeginSentenceWrite(state)
    assert model.BaseScore(state, "ab", after) == pytest.approx(-0.3)
    assert model.BaseScore(after, "cab", state) == pytest.approx(-0.2)
    assert model.score("ab cab") == pytest.approx(-0.3 - 0.2 - (0.9 + 0.2))
    assert model.score("ab", bos=False, eos=False) == pytest.approx(-0.8)
    assert model.perplexity("ab") == pytest.approx(math.pow(10, (0.3 + 0.9 + 0.25) / 2))
    with pytest.raises(ScorerError, match="48 bytes"):
        model.BaseScore(State(), "ab", after)
    with pytest.raises(OSError, match="Cannot read model"):
        Model(str(tmp_path / "none.arpa"))


def test_wrong_shapes_and_foreign_states_are_refused(arpa: str) -> None:
    fast, _ = both(LETTERS, arpa)
    with pytest.raises(ValueError, match=r"\[4, 7\]"):
        fast.decode(np.zeros((4, 7)))
    with pytest.raises(ValueError, match="6 labels"):
        fast.decode_beams_batch(None, [np.zeros(6)])
    with pytest.raises(TypeError, match="another kind"):
        fast.decode_beams(np.zeros((2, 6)), lm_start_state="begin")  # type: ignore[arg-type]


def test_a_folder_brings_back_the_decoder(arpa: str, tmp_path: Path) -> None:
    fast, _ = both(LETTERS, arpa)
    fast.reset_params(alpha=0.75, beta=0.5)
    fast.save_to_dir(str(tmp_path))
    again = BeamSearchDecoderCTC.load_from_dir(str(tmp_path))
    given = logits(6, 12, 6)
    assert rows(again.decode_beams(given)) == rows(fast.decode_beams(given))
    (tmp_path / "language_model" / "more.txt").write_text("x")
    with pytest.raises(ValueError, match=r"more\.txt"):
        BeamSearchDecoderCTC.load_from_dir(str(tmp_path))
