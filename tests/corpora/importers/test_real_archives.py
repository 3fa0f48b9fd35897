"""Real donated archives, straight from the archive files, where they lie beside the tree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from store.opening import open_store

DONATIONS = Path(__file__).resolve().parents[3] / "demo" / "donations"
CASES = [
    ("an4", "an4_wav_train.tar.gz", {"input": 955, "accepted": 66, "rejected": 882, "ignored": 7}),
    ("ljspeech", "ljspeech_256.tar", {"input": 13100, "accepted": 257, "rejected": 12843, "ignored": 0}),
    pytest.param(
        "fsdd",
        "fsdd.tar.gz",
        {"input": 2701, "accepted": 2700, "rejected": 0, "ignored": 1},
        marks=pytest.mark.slow,
    ),
]


@pytest.mark.parametrize(("name", "archive", "items"), CASES)
def test_counts_of_a_real_archive(
    real_data: Path, tmp_path: Path, name: str, archive: str, items: dict[str, Any]
) -> None:
    donation = DONATIONS / f"{name}.toml"
    request = RefreshRequest("donated", (real_data / archive,), donation=donation, store=tmp_path)
    answer = refresh(request)
    assert answer["items"] == items
    assert set(answer["splits"]) == {"train", "dev", "test"}
    corpus = open_store(tmp_path).corpus(name)
    assert set(corpus.rejections()["check"].to_pylist()) <= {"audio_missing"}
    if name == "fsdd":
        assert {split: part["speakers"] for split, part in answer["splits"].items()} == {
            "train": 4,
            "dev": 1,
            "test": 1,
        }
