"""The DAG `tune` runs for real, in this process; its trials end at once, with error rates made of their dropout."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from store.opening import open_store
from store.store import Store
from tests.training.conftest import publish_corpus, small_config, tone_clips
from training.dispatch import BACKENDS
from training.dispatch.job import Job, JobState
from training.network.config import config_text, read_config
from training.runs import run_id_for

ASKED = {"trials": 6, "jobs": 2, "sampler": "binary", "backend": "local"}


class Trials:
    """A dispatcher whose runs are best at a dropout of 0.2."""

    rates: dict[str, float]

    def __init__(self, store: Store) -> None:
        self._store = store

    def submit_all(self, jobs: Sequence[Job]) -> list[str]:
        runs = [run_id_for(job.config, self._store) for job in jobs]
        self.rates.update(zip(runs, [0.1 + abs(job.config.model.dropout - 0.2) for job in jobs], strict=True))
        return runs

    def poll(self, run: str) -> JobState:
        return JobState(run, "finished", dev_wer=self.rates[run], details={"best_dev_wer": self.rates[run]})

    def cancel(self, run: str) -> None:
        return None


@pytest.fixture
def store(store_root: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    store = open_store(store_root)
    publish_corpus(store, "tones", {"train": tone_clips(4), "dev": tone_clips(2)})
    (store.root / "training.toml").write_text(config_text(small_config()))
    store.settings_path.write_text('[retrain]\nconfig = "training.toml"\n')
    monkeypatch.setitem(BACKENDS, "local", type("Some", (Trials,), {"rates": {}}))
    monkeypatch.setattr("training.search.study._POLL_S", 0.0)
    return store


def states(dag_run: Any) -> dict[str, str]:
    return {one.task_id: str(one.state) for one in dag_run.get_task_instances()}


def test_a_search_is_started_by_the_form_and_leaves_its_page_and_its_best(bag: Any, store: Store) -> None:
    done = bag.dags["tune"].test(run_conf=ASKED)
    assert states(done) == {"search": "success"}
    (folder,) = (store.root / "searches").iterdir()
    found = json.loads((folder / "search.json").read_text())
    assert found["sampler"] == "binary" and len(found["trials"]) == 6
    assert read_config(folder / "best.toml").model.dropout == pytest.approx(0.2, abs=0.06)
    page = (store.reports_dir / "searches" / f"{folder.name}.html").read_text()
    assert "Parallel coordinates" in page
    again = bag.dags["tune"].test(run_conf={**ASKED, "trials": 8})  # the six are kept
    assert states(again) == {"search": "success"} and len(list((store.root / "searches").iterdir())) == 1
    assert len(json.loads((folder / "search.json").read_text())["trials"]) == 8


def test_what_cannot_be_searched_is_red_before_any_trial(bag: Any, store: Store, caplog: Any) -> None:
    publish_corpus(store, "tones", {"train": tone_clips(4)})
    assert states(bag.dags["tune"].test(run_conf=ASKED)) == {"search": "failed"}
    assert states(bag.dags["tune"].test(run_conf={**ASKED, "trails": 3})) == {"search": "failed"}
    assert not (store.root / "searches").exists()
