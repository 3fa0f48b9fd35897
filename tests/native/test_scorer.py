"""Loading a language model directory: what is read, and which sentence names the part that differs."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

import native
from tests.native.conftest import TINY_SENTENCES
from tests.native.ctc_reference import IDENTITY, build_language_model


@pytest.fixture
def model(tmp_path: Path, tiny_model: Path) -> Path:
    """A copy of the tiny model that a test may damage, with a true manifest."""
    copy = tmp_path / "lm"
    shutil.copytree(tiny_model, copy)
    info = native.Scorer.load(copy).info
    identity = {**IDENTITY, **{key: info[key] for key in ("alphabet_hash", "vocabulary_hash", "lm_hash")}}
    (copy / "manifest.json").write_text(json.dumps({"identity": {**identity, "order": info["order"]}}))
    return copy


def refusal(model: Path) -> str:
    with pytest.raises(native.ScorerError) as caught:
        native.Scorer.load(model)
    return str(caught.value)


def test_a_whole_directory_loads(model: Path) -> None:
    scorer = native.Scorer.load(model, alpha=0.25, beta=2.0)
    assert (scorer.alpha, scorer.beta, scorer.order) == (0.25, 2.0, 2)
    assert scorer.lm_hash == hashlib.sha256((model / "lm.binary").read_bytes()).hexdigest()
    assert scorer.alphabet.labels == [" ", "a", "b"]
    words = sorted({word for sentence in TINY_SENTENCES for word in sentence.split()})
    text = "".join(word + "\n" for word in words)
    assert scorer.info["vocabulary_hash"] == hashlib.sha256(text.encode()).hexdigest()
    assert all(scorer.knows(word) for word in words)
    assert not any(scorer.knows(word) for word in ("", "bb", "a b", "z"))
    other = scorer.with_weights(1.0, 0.0)
    assert (other.alpha, other.beta, scorer.alpha) == (1.0, 0.0, 0.25)


@pytest.mark.parametrize(
    "key", ["alphabet_hash", "vocabulary_hash", "lm_hash", "order", "normaliser_version"]
)
def test_a_manifest_of_another_build_is_refused(model: Path, key: str) -> None:
    manifest = json.loads((model / "manifest.json").read_text())
    manifest["identity"][key] = "another"
    (model / "manifest.json").write_text(json.dumps(manifest))
    sentence = refusal(model)
    assert key in sentence and "manifest.json" in sentence and "python -m lm build" in sentence


def test_files_of_another_build_are_refused(
    model: Path, tmp_path: Path, tiny_alphabet: native.Alphabet
) -> None:
    other = build_language_model(tmp_path / "other", ["b b a", "ba ab"], tiny_alphabet)
    shutil.copy(other / "lm.binary", model / "lm.binary")
    assert "lm.binary" in refusal(model) and "damaged or replaced" in refusal(model)
    (model / "manifest.json").unlink()
    assert "the language model of lexicon.trie" in refusal(model)
    (model / "alphabet.txt").write_text(" \nb\na\n")
    assert "the alphabet of lexicon.trie" in refusal(model)


@pytest.mark.parametrize("name", ["lm.binary", "lexicon.trie", "alphabet.txt"])
def test_a_missing_or_empty_part_is_named(model: Path, name: str) -> None:
    (model / name).write_bytes(b"")
    assert name in refusal(model)
    (model / name).unlink()
    assert name in refusal(model) and "No such file" in refusal(model)


def test_a_damaged_byte_is_refused(model: Path) -> None:
    trie = bytearray((model / "lexicon.trie").read_bytes())
    trie[len(trie) // 2] ^= 1
    (model / "lexicon.trie").write_bytes(trie)
    assert "checksum" in refusal(model)
    (model / "lexicon.trie").write_bytes(trie[:-8])
    assert "was cut" in refusal(model)


def test_a_git_lfs_pointer_is_recognised(model: Path) -> None:
    (model / "lm.binary").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    assert "git lfs pull" in refusal(model)


def test_a_broken_manifest_is_named(model: Path) -> None:
    (model / "manifest.json").write_text("{")
    assert "manifest.json" in refusal(model)


def test_an_empty_lexicon_is_refused(model: Path, tmp_path: Path, tiny_alphabet: native.Alphabet) -> None:
    with pytest.raises(native.ScorerError, match="none of the 2 words"):
        native.build_lexicon_trie(["é", "bb"], tiny_alphabet, model / "lm.binary", tmp_path / "x.trie", {})
    assert not (tmp_path / "x.trie").exists()


def test_the_model_alone_scores_sentences(model: Path) -> None:
    language_model = native.LanguageModel.load(model / "lm.arpa")
    assert language_model.order == 2
    assert language_model.vocabulary_size == 8
    scores = language_model.score_sentence("  a  zz ")
    assert [(word, unknown) for word, _, unknown in scores] == [("a", False), ("zz", True), ("</s>", False)]
    assert scores == native.Scorer.load(model).score_sentence("a zz")
    with pytest.raises(native.ScorerError, match=r"nowhere\.arpa"):
        native.LanguageModel.load(model / "nowhere.arpa")
