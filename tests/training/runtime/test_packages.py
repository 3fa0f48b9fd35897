"""Packages that cannot be used: each is refused in one sentence that says what is wrong and what mends it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import native
from corpora.text.normaliser import default_alphabet
from store.opening import open_store
from training.network.config import FeatureConfig
from training.release.errors import ModelNotFoundError
from training.release.registry import Registry
from training.runtime.errors import ModelMismatchError
from training.runtime.network import open_network
from training.runtime.package import FORMAT, Package


@pytest.fixture
def manifest() -> dict[str, Any]:
    """A model.json as `release` writes it, as far as the runtime reads it."""
    return {
        "kind": "model", "format": FORMAT, "model": "m1", "language": "en", "labels": list(default_alphabet().labels),
        "front_end": vars(FeatureConfig()), "decoder": None, "language_model": {"lm_hash": "right"},
    }  # fmt: skip


def written(folder: Path, manifest: dict[str, Any]) -> Path:
    (folder / "model.json").write_text(json.dumps(manifest))
    return folder


def test_no_package_a_damaged_one_and_one_of_another_version(
    tmp_path: Path, manifest: dict[str, Any]
) -> None:
    with pytest.raises(ModelMismatchError, match=r"no packaged model: model\.json is missing"):
        Package.open(tmp_path)
    (tmp_path / "model.json").write_text("{")
    with pytest.raises(ModelMismatchError, match="damaged"):
        Package.open(tmp_path)
    with pytest.raises(ModelMismatchError, match=f"format 99; this version reads format {FORMAT}"):
        Package.open(written(tmp_path, {**manifest, "format": 99}))


@dataclass
class Stranger:
    """A language model that is not the package's."""

    alphabet: Any
    lm_hash: str = "right"


@pytest.mark.parametrize(
    ("stranger", "says"),
    [
        (Stranger(default_alphabet(), "wrong"), "not the language model that model m1 was made with"),
        (Stranger(native.Alphabet(["x", "y", " "])), "alphabet"),
    ],
)
def test_a_language_model_that_is_not_the_models(
    tmp_path: Path, manifest: dict[str, Any], monkeypatch: pytest.MonkeyPatch, stranger: Stranger, says: str
) -> None:
    package = Package.open(written(tmp_path, manifest))
    (tmp_path / "language_model").mkdir()
    monkeypatch.setattr(native.Scorer, "load", lambda *_, **__: stranger)
    with pytest.raises(ModelMismatchError, match=says):
        package.scorer()


def test_no_model_is_released(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match=r"no model is released .* training release RUN"):
        Registry(open_store(tmp_path)).model()


def test_a_network_that_is_damaged_is_named(tmp_path: Path) -> None:
    (tmp_path / "network.onnx").write_bytes(b"no network at all")
    with pytest.raises(Exception, match=r"network\.onnx"):
        open_network(tmp_path / "network.onnx")
