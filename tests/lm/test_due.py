"""A model is due when its inputs have changed, waits for missing corpora, and is else left alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lm.build import build
from lm.due import due_language_models
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
