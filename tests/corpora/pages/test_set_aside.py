"""The page of a corpus lists what trainings set aside of it; damaged files of a run spoil nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from corpora.pages.set_aside import set_aside_of
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from corpora.report import outdated_reports, render_corpus_report, write_corpus_report
from demo.layouts import librispeech, tones
from store.opening import open_store
from store.store import Store
from store.writing import write_json_atomic
from training.pages.report import write_reports

NAME = "librispeech"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    tree = Path(librispeech.write(tmp_path / "source", tones.utterances(speakers_per_split=1, each=3)))
    refresh(RefreshRequest(NAME, (tree,), store=tmp_path / "store"))
    return open_store(tmp_path / "store")


def training(store: Store, run: str, version: str, **set_aside: list[Any]) -> None:
    """What a run leaves that learnt from a version and set some of it aside."""
    folder = store.runs_dir / run
    folder.mkdir(parents=True)
    write_json_atomic(folder / "inputs.json", {"corpora": {NAME: version}})
    for name, utterances in set_aside.items():
        rows = [{"utterance_id": one, "reason": "not finite"} for one in utterances]
        write_json_atomic(folder / f"{name.replace('_of_', '-')}.json", rows)


def test_what_trainings_set_aside_is_listed_once_with_its_runs(store: Store) -> None:
    corpus = store.corpus(NAME)
    page = write_corpus_report(store, corpus)
    assert "Set aside by trainings" not in page.read_text() and outdated_reports(store) == []
    training(store, "r1", corpus.version, set_aside=[f"{NAME}/a", f"{NAME}/<b>", "town/c"])
    training(store, "r2", corpus.version, set_aside_of_1=[f"{NAME}/<b>"])  # as a second worker names it
    training(store, "r3", "another", set_aside=[f"{NAME}/d"])
    found = set_aside_of(store, NAME, corpus.version)
    assert [(one.utterance_id, one.runs) for one in found] == [("<b>", ("r1", "r2")), ("a", ("r1",))]
    for number, damaged in enumerate(("{", "[{}]", "[3]", "null")):
        training(store, f"damaged{number}", corpus.version, set_aside=[])
        (store.runs_dir / f"damaged{number}" / "set_aside.json").write_text(damaged)
    assert set_aside_of(store, NAME, corpus.version) == found
    html = render_corpus_report(corpus, store)
    assert "Set aside by trainings" in html and "&lt;b&gt;" in html and "r1, r2" in html


def test_the_page_is_written_again_when_a_training_sets_something_aside(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    corpus = store.corpus(NAME)
    page = write_corpus_report(store, corpus)
    training(store, "r1", corpus.version, set_aside=[f"{NAME}/a"])
    os.utime(page, (page.stat().st_mtime - 60,) * 2)
    assert outdated_reports(store) == [NAME]
    write_reports(store)
    assert "Set aside by trainings" in page.read_text() and outdated_reports(store) == []
    os.utime(page, (page.stat().st_mtime - 60,) * 2)
    corpus.shard_paths()[0].write_bytes(b"no shard")
    caplog.clear()
    assert write_reports(store).is_file() and "the page of corpus librispeech stays as it is" in caplog.text
    manifest = corpus.path / "manifest.json"
    manifest.write_text("{")
    assert write_reports(store).is_file()
