"""A tiny corpus against its expectations: met as published, and each planted defect named in plain words."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpora.expectations.rows import ROWS
from corpora.expectations.validate import expect, verdict_of
from corpora.expectations.whole import stability
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from demo.layouts import librispeech, tones
from store.errors import UsageError
from store.opening import open_store
from store.store import Store


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("expectations")
    archives = folder / "archives"
    archives.mkdir()
    tree = librispeech.write(archives, tones.utterances(2, 4))
    refresh(RefreshRequest(importer="librispeech", sources=(Path(tree),), store=folder / "store"))
    return folder / "store"


@pytest.fixture
def store(published: Path, tmp_path: Path) -> Store:
    shutil.copytree(published, tmp_path / "store", symlinks=True)
    return open_store(tmp_path / "store")


def spoil(store: Store, monkeypatch: pytest.MonkeyPatch, **columns: Any) -> None:
    """Other values in the first row of the first shard; the shard's seal is not asked for."""
    corpus = store.corpus("librispeech")
    path = corpus.path / corpus.manifest["shards"][0]["path"]
    table = pq.read_table(path)
    for name, value in columns.items():
        values = table[name].to_pylist()
        values[0] = value
        place = table.schema.get_field_index(name)
        table = table.set_column(
            place, table.schema.field(name), pa.array(values, table.schema.field(name).type)
        )
    path.unlink()
    pq.write_table(table, path)
    monkeypatch.setattr("store.corpus.Corpus._prove", lambda self, relative: None)


def broken(verdict: dict[str, Any]) -> set[str]:
    return {one["name"] for one in verdict["expectations"] if not one["passed"]}


def test_what_is_published_meets_what_is_expected(store: Store) -> None:
    verdict = expect(store, "librispeech", "full")
    parts = {"official_dev-clean", "official_test-clean", "official_train-clean-100"}
    assert broken(verdict) - {"leaked_sentences", "repeated_sounds"} == parts, (
        "a few of the official thousands"
    )
    assert sum(one["scope"] == "every row" for one in verdict["expectations"]) == len(ROWS)
    corpus = store.corpus("librispeech")
    kept = verdict_of(corpus)
    assert kept is not None and (kept["level"], kept["version"]) == ("full", corpus.version)
    page = Path(verdict["page"]).read_text()
    assert "every row is in train, dev or test" in page
    for mark in ("http://", "https://", "<script", "<link", "<img"):
        assert mark not in page
    fast = expect(store, "librispeech")
    assert fast["level"] == "fast"
    assert corpus.is_whole(), "the verdict beside the manifest damages nothing"


def test_planted_defects_are_named_with_rows_and_shards(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(store, monkeypatch, text="<script>ALERT</script>", gender="q", duration_s=900.0, audio_sha256="x")
    verdict = expect(store, "librispeech", "full")
    assert {"text", "gender", "duration_s", "samples_off", "audio_sha256"} <= broken(verdict)
    text = next(one for one in verdict["expectations"] if one["name"] == "text" and not one["passed"])
    assert text["unexpected"] == 1
    assert text["examples"] == ["<script>ALERT</script>"]
    assert len(text["shards"]) == 1
    page = Path(verdict["page"]).read_text()
    assert "<script>ALERT" not in page and "&lt;script&gt;ALERT" in page


def test_drift_is_measured_against_the_version_before(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    now = store.corpus("librispeech")
    before = now.path.parent / "0000000000000000"
    shutil.copytree(now.path, before)
    manifest = json.loads((before / "manifest.json").read_text())
    (before / "manifest.json").write_text(json.dumps({**manifest, "utterances": 100}))
    monkeypatch.setattr("store.corpus.Corpus._prove", lambda self, relative: None)
    monkeypatch.setattr(
        "store.corpus.read_manifest", lambda path, version: json.loads((path / "manifest.json").read_text())
    )
    verdict = expect(store, "librispeech", "full")
    assert verdict["before"] == "0000000000000000"
    assert "rows_against_before" in broken(verdict)
    drift = {one["name"]: one for one in verdict["expectations"] if one["name"].startswith("drift_")}
    assert drift["drift_duration_s"]["passed"] and drift["drift_letters"]["observed"] == 0.0
    assert "its own halves differ" in drift["drift_duration_s"]["says"]


def test_the_index_of_stability_tells_a_shift_from_chance() -> None:
    chance = np.random.default_rng(1)
    before, same, shifted = (chance.normal(mean, 1, 2000) for mean in (0.0, 0.0, 1.0))
    assert stability(before, same) < 0.05
    assert stability(before, shifted) > 0.5


def test_a_level_that_is_none_is_told(store: Store) -> None:
    with pytest.raises(UsageError, match="there are: fast, full"):
        expect(store, "librispeech", "deep")
