"""The page tells how a corpus changed over its versions, how far it drifted, and what came of listeners' decisions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from corpora.curation.curate import Wish, curate
from corpora.pages.past import drift_of, verdicts_of, versions_of
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from corpora.report import outdated_reports, render_corpus_report, write_corpus_report
from demo.layouts import librispeech, tones
from store.opening import open_store
from store.store import Store


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return Path(librispeech.write(tmp_path / "source", tones.utterances(speakers_per_split=1, each=3)))


@pytest.fixture
def store(tree: Path, tmp_path: Path) -> Store:
    import_(tree, tmp_path / "store")
    return open_store(tmp_path / "store")


def import_(tree: Path, store: Path) -> dict[str, Any]:
    return refresh(RefreshRequest("librispeech", (tree,), store=store))


def outcomes(store: Store) -> list[str]:
    return [one.outcome for one in verdicts_of(store, store.corpus("librispeech"))]


def test_what_listeners_decided_is_told_with_what_came_of_it(store: Store, tree: Path) -> None:
    ids = [
        row["utterance_id"] for batch in store.corpus("librispeech").batches() for row in batch.to_pylist()
    ]
    corpus = store.corpus("librispeech")
    assert outcomes(store) == [] and "What listeners decided" not in render_corpus_report(corpus, store)
    curate(store, corpus, Wish("flag", ids[0], "ann", why="<b>hiss</b>"))
    curate(store, corpus, Wish("correct", ids[1], "ben", text="seven red tones"))
    assert outcomes(store) == ["waits for the next refresh"] * 2
    import_(tree, store.root)
    assert outcomes(store) == ["this version has the corrected text", "out of this version"]
    curate(store, store.corpus("librispeech"), Wish("undo", ids[1], "ben"))
    told = ["the decision before is taken back by the next refresh", "taken back, or another decision stands"]
    assert outcomes(store) == [*told, "out of this version"]
    page = render_corpus_report(store.corpus("librispeech"), store)
    assert "&lt;b&gt;hiss&lt;/b&gt;" in page and "<b>hiss" not in page


def test_versions_stand_side_by_side(store: Store, tree: Path) -> None:
    first = store.corpus("librispeech")
    assert "Over its versions" not in render_corpus_report(first, store)
    row = next(iter(first.batches())).to_pylist()[0]
    curate(store, first, Wish("flag", row["utterance_id"], "ann"))
    import_(tree, store.root)
    versions = versions_of(store, "librispeech")
    assert [one["utterances"] for one in versions] == [9, 8]
    assert [one["items"]["rejected"] for one in versions] == [0, 1]
    page = render_corpus_report(store.corpus("librispeech"), store)
    assert "Over its versions" in page and len(re.findall("data:image/png", page)) >= 6
    assert versions_of(store, "unknown") == []


def test_drift_is_told_with_its_bound() -> None:
    expected = {
        "expectations": [
            {"name": "drift_snr_db", "says": "s", "observed": 0.02, "most": 0.1, "passed": True},
            {"name": "drift_letters", "says": "l", "observed": 0.4, "most": 0.1, "passed": False},
            {"name": "ids_unique", "says": "i", "observed": 0, "most": 0, "passed": True},
        ]
    }
    assert [one["name"] for one in drift_of(expected)] == ["drift_letters", "drift_snr_db"]
    assert drift_of(None) == []


def test_a_page_that_other_scripts_drew_is_written_anew(store: Store) -> None:
    assert outdated_reports(store) == ["librispeech"]
    page = write_corpus_report(store, store.corpus("librispeech"))
    assert outdated_reports(store) == [] and page.stat().st_size < 3_000_000
    page.write_text(page.read_text("utf-8").replace("sha256-", "sha256-0", 1), "utf-8")
    assert outdated_reports(store) == ["librispeech"]
