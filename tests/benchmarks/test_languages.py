"""Spoken releases of six languages go through import and language model by themselves; one of them to an error rate."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.languages import WORDS, measure, write_release
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from lm.build import build
from lm.request import BuildRequest
from store.opening import open_store

COUNTS = {"train": 6, "dev": 3, "test": 3}


@pytest.mark.slow
@pytest.mark.parametrize("language", WORDS)
def test_a_language_is_imported_and_modelled_without_a_word_more(language: str, tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    release = write_release(tmp_path, language, COUNTS)
    imported = refresh(RefreshRequest("common_voice", (release,), store=store.root))
    assert (imported["utterances"], imported["items"]["rejected"]) == (12, 0)
    letters = set(WORDS[language]) - {" "}
    for batch in store.corpus("common_voice").batches(columns=["text", "flags", "language"]):
        for row in batch.to_pylist():
            assert row["language"] == language and "english_alphabet" not in row["flags"]
            assert set(row["text"]) <= letters | (set() if language == "zh" else {" "})
    model = build(
        BuildRequest(publish="default", corpora=("common_voice",), order=2, prune=(), store=store.root)
    )
    assert model["identity"]["unit"] == ("characters" if language == "zh" else "words")


@pytest.mark.slow
def test_chinese_goes_from_voices_to_an_error_rate_of_characters(tmp_path: Path) -> None:
    found = measure(tmp_path, "zh", 15, {"train": 16, "dev": 6, "test": 6})
    assert found["unit"] == "characters" and found["words"] > found["utterances"] / 2
    assert found["greedy_wer"] == found["greedy_cer"] and found["lm_wer"] == found["lm_cer"]
