"""torchaudio's call: its scores by their definition, its tokens and frames, and what it refuses."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import native
from native.torchaudio import CTCDecoder, ctc_decoder
from tests.native.ctc_reference import build_language_model, random_log_probs, text_masses

TOKENS = ["-", "|", "a", "b", "c"]
WORDS = ["ab", "a", "cab", "bac"]
ALPHABET = native.Alphabet([" ", "a", "b", "c"], 0)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """lexicon.txt, tokens.txt, and lm.arpa and lm.binary of a bigram model."""
    folder = tmp_path_factory.mktemp("torchaudio")
    build_language_model(folder, ["ab a cab", "a ab", "bac ab a"], ALPHABET)
    (folder / "lexicon.txt").write_text("".join(f"{word}\t{' '.join(word)} |\n" for word in WORDS))
    (folder / "tokens.txt").write_text("\n".join(TOKENS) + "\n")
    return folder


def decoder(files: Path, **named: Any) -> CTCDecoder:
    return ctc_decoder(**{
        "lexicon": str(files / "lexicon.txt"), "tokens": str(files / "tokens.txt"), "lm": str(files / "lm.binary"),
        "beam_size": 5000, "beam_threshold": math.inf, **named,
    })  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
def test_scores_are_those_of_the_definition(files: Path, seed: int) -> None:
    log_probs = random_log_probs(seed, 6, len(TOKENS))
    model = native.LanguageModel.load(files / "lm.binary")
    wanted = []
    for text, mass in text_masses(log_probs, ALPHABET).items():
        if set(text.split()) <= set(WORDS):
            log10 = sum(entry[1] for entry in model.score_sentence(text))
            wanted.append((math.log(mass) + 1.7 * log10 - 0.4 * len(text.split()), text.split()))
    wanted.sort(key=lambda one: -one[0])
    found = decoder(files, nbest=4, lm_weight=1.7, word_score=-0.4)(log_probs[None])[0]
    assert [one.words for one in found] == [words for _, words in wanted[:4]]
    assert [one.score for one in found] == pytest.approx([score for score, _ in wanted[:4]], abs=1e-3)


def test_tokens_and_timesteps_are_framed_by_silences(files: Path) -> None:
    said = "ab a"
    log_probs = np.full((8, 5), -9.0, np.float32)
    for place, sign in enumerate(said):
        log_probs[2 * place, TOKENS.index("|" if sign == " " else sign)] = 0.0
        log_probs[2 * place + 1, 0] = 0.0
    chosen = decoder(files)
    (one,) = chosen(log_probs[None])[0]
    assert one.words == ["ab", "a"]
    assert chosen.idxs_to_tokens(one.tokens) == [*"|ab|a|"]
    assert one.timesteps.tolist() == [0, 1, 3, 5, 7, 9]
    assert (one.tokens.dtype, one.timesteps.dtype) == (np.int64, np.int32)


def test_logits_give_the_texts_of_log_probabilities(files: Path) -> None:
    log_probs = random_log_probs(3, 9, len(TOKENS))
    added = np.linspace(0.5, 4.0, 9, dtype=np.float32)
    chosen = decoder(files, nbest=3)
    plain, moved = chosen(log_probs[None])[0], chosen((log_probs + added[:, None])[None])[0]
    assert [one.words for one in plain] == [one.words for one in moved]
    assert [one.score + added.sum() for one in plain] == pytest.approx([one.score for one in moved], abs=1e-3)


def test_pieces_give_the_answer_of_the_whole(files: Path) -> None:
    log_probs = random_log_probs(4, 40, len(TOKENS)) + np.float32(2)
    chosen = decoder(files, nbest=2, beam_size=50)
    chosen.decode_begin()
    for first in range(0, 40, 7):
        chosen.decode_step(log_probs[first : first + 7])
    chosen.decode_end()
    whole = chosen(log_probs[None], [40])[0]
    for one, other in zip(chosen.get_final_hypothesis(), whole, strict=True):
        assert one.words == other.words and one.tokens.tolist() == other.tokens.tolist()
        assert one.timesteps.tolist() == other.timesteps.tolist()
        assert one.score == pytest.approx(other.score, abs=1e-3)
    with pytest.raises(RuntimeError, match="decode_begin"):
        chosen.decode_step(log_probs)


def test_arpa_and_binary_are_one_model_and_lengths_count(files: Path) -> None:
    batch = np.stack([random_log_probs(seed, 12, len(TOKENS)) for seed in (5, 6)])
    binary = decoder(files)(batch, np.array([12, 7]))
    arpa = decoder(files, lm=files / "lm.arpa", tokens=TOKENS)(batch, np.array([12, 7]))
    assert [(one[0].words, one[0].score) for one in binary] == [(one[0].words, one[0].score) for one in arpa]
    assert binary[1][0].timesteps[-1] == 8
    assert binary[1][0].words == decoder(files)(batch[1:, :7])[0][0].words


def test_without_a_model_or_a_lexicon(files: Path) -> None:
    log_probs = random_log_probs(8, 5, len(TOKENS))
    masses = text_masses(log_probs, ALPHABET)
    known = {text: math.log(mass) for text, mass in masses.items() if set(text.split()) <= set(WORDS)}
    best = max(known, key=lambda text: known[text] + 0.3 * len(text.split()))
    (words,) = decoder(files, lm=None, word_score=0.3)(log_probs[None])[0]
    assert " ".join(words.words) == best
    (free,) = decoder(files, lm=None, lexicon=None)(log_probs[None])[0]
    text = max(masses, key=lambda text: masses[text])
    assert (free.words, ALPHABET.decode(free.tokens[1:-1].tolist())) == ([], text)
    assert free.score == pytest.approx(math.log(masses[text]), abs=1e-3)


def test_unknown_words_are_written_where_they_have_a_score(files: Path) -> None:
    log_probs = np.full((7, 5), -9.0, np.float32)
    for place, sign in enumerate("c-c-b-b"):
        log_probs[place, TOKENS.index(sign)] = 0.0
    assert decoder(files)(log_probs[None])[0][0].words != ["ccbb"]
    assert decoder(files, unk_score=-1.0)(log_probs[None])[0][0].words == ["ccbb"]


def test_what_cannot_be_searched_is_refused_by_name(files: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="blank_token '<b>' is not among the 5 tokens"):
        decoder(files, blank_token="<b>")
    with pytest.raises(ValueError, match="model of tokens; give the lexicon"):
        decoder(files, lexicon=None)
    with pytest.raises(TypeError, match=r"language models of one's own \(object\)"):
        decoder(files, lm=object())
    with pytest.raises(ValueError, match="pieces of words"):
        decoder(files, tokens=["-", "|", "▁a", "b"])
    lexicon = tmp_path / "sounds.txt"
    lexicon.write_text("ab EY B |\n")
    with pytest.raises(ValueError, match=r"sounds.txt:1 spells 'ab' as 'EY B'"):
        decoder(files, lexicon=str(lexicon))
    with pytest.raises(native.ScorerError, match="cannot be read by KenLM"):
        decoder(files, lm=str(files / "lexicon.txt"))
    with pytest.raises(ValueError, match=r"shape \[6, 5\]"):
        decoder(files)(random_log_probs(1, 6, 5))
