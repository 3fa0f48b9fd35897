"""The chain on one page: what stands in the store, and what of it cannot be read."""

from __future__ import annotations

import json
from pathlib import Path

from store.store import Store
from training.pages.report import render_index, write_reports

MODEL = {
    "name": "default", "version": "v1", "order": 2, "ngrams": [1234, 5], "vocabulary": {"words": 9},
    "perplexity": 12.5, "oov_rate": 0.25,
}  # fmt: skip


def published(root: Path, kind: str, name: str, manifest: str) -> None:
    folder = root / kind / name / "v1"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(manifest)
    (folder.parent / "current").symlink_to("v1")


def test_one_damaged_manifest_hides_nothing_else(tmp_path: Path) -> None:
    published(tmp_path, "corpora", "broken", "{")
    published(tmp_path, "language_models", "default", json.dumps(MODEL))
    published(tmp_path, "language_models", "half", "{}")
    (tmp_path / "reports/language_models").mkdir(parents=True)
    (tmp_path / "reports/language_models/default.html").write_text("x")
    page = render_index(Store(tmp_path), [])
    assert "<td>broken</td>" in page and page.count("cannot be read: ") == 2
    assert "is damaged or not ours: it has no" in page
    assert "1,234 / 5" in page and "25.00" in page and 'href="language_models/default.html"' in page


def test_an_empty_store_has_a_page(tmp_path: Path) -> None:
    page = write_reports(Store(tmp_path)).read_text()
    assert "No corpus is published yet." in page and "No language model is published yet." in page


def test_runs_have_their_dates(tmp_path: Path) -> None:
    state = {
        "run": "r1", "state": "finished", "message": "", "step": 4, "steps": 4, "epoch": 0, "dev_wer": 0.25,
        "best_dev_wer": 0.25, "heartbeat": 1796074789.1, "eta_s": None,
    }  # fmt: skip
    for run, beat in (("r1", {}), ("r2", {"heartbeat": 0.0})):
        folder = tmp_path / "runs" / run
        folder.mkdir(parents=True)
        (folder / "state.json").write_text(json.dumps({**state, "run": run, **beat}))
    page = render_index(Store(tmp_path), [])
    assert "<td>2026-11-30 21:39</td>" in page and "<td>–</td>" in page
