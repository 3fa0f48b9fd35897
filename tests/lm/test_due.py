"""A model is due when its inputs have changed, waits for missing corpora, and is else left alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lm.build import build
from lm.due import due_language_models, why_due
from lm.form import is_current
from lm.model.folder import FILES
from lm.settings import request_for


def test_due_until_built_and_again_after_new_transcripts(
    store_root: Path, write_corpus: Callable[..., Path]
) -> None:
    write_corpus("one", {"train": ["a new day", "a new night"]})
    assert due_language_models(store_root) == ["default"]
    build(request_for("default", store_root))
    assert due_language_models(store_root) == []
    write_corpus("two", {"train": ["another day"]})
    assert due_language_models(store_root) == ["default"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["removed", "cut", "one bit"])
def test_a_damaged_model_is_due_and_built_again(
    store_root: Path, write_corpus: Callable[..., Path], name: str, damage: str
) -> None:
    write_corpus("one", {"train": ["a new day", "a new night"]})
    request = request_for("default", store_root)
    folder = Path(build(request)["path"])
    whole = (folder / name).read_bytes()
    assert due_language_models(store_root) == [] and is_current(request)
    if damage == "removed":
        (folder / name).unlink()
    else:
        data = bytearray(whole[: -1 if damage == "cut" else None])
        data[len(data) // 2] ^= 1
        (folder / name).write_bytes(data)
    assert due_language_models(store_root) == ["default"] and not is_current(request)
    assert build(request)["status"] == "published"
    assert (folder / name).read_bytes() == whole
    assert due_language_models(store_root) == []


def test_an_edited_figure_of_a_model_is_noticed(store_root: Path, write_corpus: Callable[..., Path]) -> None:
    write_corpus("one", {"train": ["a new day", "a new night"]})
    request = request_for("default", store_root)
    path = Path(build(request)["path"]) / "manifest.json"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"order_asked": 3', b'"order_asked": 4'))
    assert path.read_bytes() != whole and due_language_models(store_root) == ["default"]
    assert build(request)["status"] == "published" and path.read_bytes() == whole


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"kind": "language_model"}', "[" * 5000])
def test_a_model_with_a_broken_manifest_is_due_and_built_again(
    store_root: Path, write_corpus: Callable[..., Path], text: str
) -> None:
    write_corpus("one", {"train": ["a new day", "a new night"]})
    manifest = Path(build(request_for("default", store_root))["path"]) / "manifest.json"
    whole = manifest.read_bytes()
    manifest.write_text(text)
    assert due_language_models(store_root) == ["default"]
    assert build(request_for("default", store_root))["status"] == "published"
    assert manifest.read_bytes() == whole


def test_a_model_waits_for_a_corpus_that_is_not_published(
    store_root: Path, write_corpus: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    write_corpus("one", {"train": ["a new day"]})
    (store_root / "settings.toml").write_text(
        '[[language_models]]\nname = "general"\n[[language_models]]\nname = "digits"\ncorpora = ["digits"]\n'
    )
    with caplog.at_level("WARNING"):
        assert due_language_models(store_root) == ["general"]
    assert "digits waits" in caplog.text


def test_nothing_is_due_in_an_empty_store(store_root: Path) -> None:
    assert due_language_models(store_root) == []


def test_a_corpus_whose_manifest_names_no_alphabet_is_passed_over(
    store_root: Path, write_corpus: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    write_corpus("one", {"train": ["a new day", "a new night"]})
    odd = write_corpus("two", {"train": ["another day"]}) / "manifest.json"
    told = json.loads(odd.read_text())
    del told["alphabet_hash"], told["normaliser_version"]
    odd.write_text(json.dumps(told))
    assert list(why_due(store_root)) == ["default"]
    assert "two is passed over: its manifest names no alphabet" in caplog.text
