"""What does not belong together is refused when it is loaded, each part by a sentence of its own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import native
from lm.build import build
from lm.errors import VerificationError
from lm.inspection import verify
from lm.request import BuildRequest

TEXT = "The cat sat on the mat.\nThe dog sat on the log.\nA cat saw the dog.\nThe dog ran.\n"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("identity")
    (folder / "text.txt").write_text(TEXT)
    (folder / "other.txt").write_text(TEXT + "A bird flew over the house.\n")
    (folder / "store").mkdir()
    for name, text in (("lm", "text.txt"), ("other", "other.txt")):
        build(
            BuildRequest(
                out=folder / name, corpora=(), text=(folder / text,), order=3, store=folder / "store"
            )
        )
    return folder


@pytest.fixture
def model(built: Path, tmp_path: Path) -> Path:
    return shutil.copytree(built / "lm", tmp_path / "lm")


def claim(model: Path, **identity: object) -> None:
    manifest = json.loads((model / "manifest.json").read_text())
    manifest["identity"] |= identity
    (model / "manifest.json").write_text(json.dumps(manifest))


def flip(path: Path, place: float) -> None:
    data = bytearray(path.read_bytes())
    data[int(len(data) * place)] ^= 1
    path.write_bytes(data)


def other_version(model: Path) -> None:
    data = bytearray((model / "lexicon.trie").read_bytes())
    data[8] = 4
    (model / "lexicon.trie").write_bytes(data)


DAMAGE: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "alphabet": (
        lambda model, _: (model / "alphabet.txt").write_text(" \na\nb\n"),
        r"the alphabet of lexicon\.trie \(\w+\.\.\.\) and of alphabet\.txt",
    ),
    "vocabulary": (
        lambda model, _: claim(model, vocabulary_hash="0" * 64),
        r"vocabulary_hash of lexicon\.trie .* and of manifest\.json",
    ),
    "language model": (
        lambda model, built: shutil.copy(built / "other" / "lm.binary", model / "lm.binary"),
        r"lm\.binary \(.*\) is not the file that lexicon\.trie and manifest\.json name",
    ),
    "trie": (
        lambda model, built: shutil.copy(built / "other" / "lexicon.trie", model / "lexicon.trie"),
        r"(vocabulary|lm)_hash of lexicon\.trie .* and of manifest\.json",
    ),
    "rules": (
        lambda model, _: claim(model, normaliser_version="0"),
        r"normaliser_version of lexicon\.trie .* and of manifest\.json",
    ),
    "format version": (
        lambda model, _: other_version(model),
        r"its format version is 4, this build reads version 2 and, of pronunciations, 3",
    ),
    "byte of the trie": (lambda model, _: flip(model / "lexicon.trie", 0.9), r"checksum does not agree"),
    "byte of the model": (lambda model, _: flip(model / "lm.binary", 0.5), r"damaged or replaced"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_each_mismatch_has_its_sentence_and_its_remedy(kind: str, model: Path, built: Path) -> None:
    damage, words = DAMAGE[kind]
    native.Scorer.load(model)
    damage(model, built)
    with pytest.raises(native.ScorerError, match=words) as caught:
        native.Scorer.load(model)
    assert "python -m lm build" in str(caught.value)
    with pytest.raises((native.ScorerError, VerificationError)):
        verify(model)


@pytest.mark.parametrize("name", ["lm.arpa", "lm.binary", "lexicon.trie", "alphabet.txt"])
def test_verify_names_the_damaged_file(name: str, model: Path) -> None:
    verify(model)
    flip(model / name, 0.7)
    with pytest.raises(VerificationError, match=f"{name} is not the file that was sealed"):
        verify(model)
    (model / name).unlink()
    with pytest.raises(VerificationError, match=f"{name} is missing"):
        verify(model)


def test_the_header_and_the_manifest_hold_the_same_identity(model: Path) -> None:
    manifest = json.loads((model / "manifest.json").read_text())
    info = native.Scorer.load(model).info
    identity = {key: str(value) for key, value in manifest["identity"].items()}
    assert identity == {**info["identity"], "order": str(info["order"])}
    assert identity["kenlm_version"] == native.KENLM_VERSION
    assert int(identity["highest_order"]) == info["highest_order"] == native.KENLM_MAX_ORDER
    assert (identity["unit"], identity["labels"]) == (info["unit"], info["labels"]) == ("words", "characters")
