"""Searching: spaces read and refused, the binary search, trials as runs, pruned, continued, shown."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.store import Store
from store.writing import write_bytes_atomic
from training.dispatch import BACKENDS
from training.dispatch.job import Job, JobState
from training.errors import ConfigError, DataError, TrainingError
from training.network.config import TrainingConfig, read_config
from training.runs import run_id_for
from training.search.run import run_search
from training.search.samplers import next_point
from training.search.space import DROPOUT_SPACE, Space, read_space
from training.search.study import SearchRequest, search


def curve(dropout: float) -> float:
    """A word error rate that falls, then rises."""
    return 0.2 + (dropout - 0.23) ** 2


class FakeDispatcher:
    """Runs that end at once, with a dev error rate made of their dropout; some fail, one dies with the search."""

    submitted: list[float]
    dies_at = -1

    def __init__(self, store: Store) -> None:
        self._store = store

    def submit(self, job: Job) -> str:
        cls = type(self)
        dropout = job.config.model.dropout
        cls.submitted.append(dropout)
        run = run_id_for(job.config, self._store)
        lines = [{"epoch": k, "step": 10 * k, "dev_wer": curve(dropout) + 0.1 * (3 - k)} for k in range(4)]
        text = "".join(json.dumps(line) + "\n" for line in lines)
        write_bytes_atomic(self._store.runs_dir / run / "curve.jsonl", text.encode())
        if len(cls.submitted) == cls.dies_at:
            raise KeyboardInterrupt
        self.rate = {run: curve(dropout), **getattr(self, "rate", {})}
        return run

    def submit_all(self, jobs: Sequence[Job]) -> list[str]:
        return [self.submit(job) for job in jobs]

    def poll(self, run: str) -> JobState:
        rate = self.rate[run]
        if rate > 0.29:
            return JobState(run, "failed", message="it diverged")
        return JobState(run, "finished", dev_wer=rate, details={"best_dev_wer": rate})

    def cancel(self, run: str) -> None:
        return None


@pytest.fixture
def searched(
    tones: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Store, type[FakeDispatcher]]:
    store = Store(tmp_path)
    tones.publish(store, "tones", {"train": tones.clips(3), "dev": tones.clips(2)})
    fake = type("Fake", (FakeDispatcher,), {"submitted": []})
    monkeypatch.setitem(BACKENDS, "local", fake)
    monkeypatch.setattr("training.search.study._POLL_S", 0.0)
    return store, fake


def dropout_space(tones: Any) -> Space:
    return read_space(None, tones.config(), DROPOUT_SPACE)


def test_the_binary_search_narrows_down_on_the_best_dropout(searched: Any, tones: Any) -> None:
    store, fake = searched
    request = SearchRequest(dropout_space(tones), trials=9, sampler="binary", prune=False)
    found = search(request, store)
    assert fake.submitted[:3] == [pytest.approx(0.3), pytest.approx(0.0), pytest.approx(0.6)]
    assert found["best"]["values"]["model.dropout"] == pytest.approx(0.23, abs=0.03)
    assert len(found["trials"]) == 9 and len(fake.submitted) == 9
    assert any(one["message"] == "it diverged" for one in found["trials"])
    again = search(request, store)  # nothing is missing
    assert len(fake.submitted) == 9 and again["best"] == found["best"]
    whole = run_search(request, store)
    page = Path(whole["page"]).read_text()
    assert read_config(Path(whole["config"])).model.dropout == pytest.approx(
        found["best"]["values"]["model.dropout"]
    )
    assert "Parallel coordinates" in page and "model.dropout" in page and "<script" not in page


def test_a_search_that_was_killed_takes_its_trial_up_again(searched: Any, tones: Any) -> None:
    store, fake = searched
    fake.dies_at = 4
    request = SearchRequest(dropout_space(tones), trials=6, sampler="tpe", seed=3, prune=False)
    with pytest.raises(KeyboardInterrupt):
        search(request, store)
    fake.dies_at = -1
    found = search(request, store)
    assert fake.submitted[3] == pytest.approx(fake.submitted[4])  # the very same values once more
    assert len(found["trials"]) == 6 and len(fake.submitted) == 7


def test_the_page_says_what_mattered_and_draws_every_trial(searched: Any, tones: Any, tmp_path: Path) -> None:
    store, _ = searched
    path = tmp_path / "two.toml"
    path.write_text(
        '[parameters]\n"model.dropout" = { low = 0.0, high = 0.5 }\n"model.n_hidden" = { choices = [8, 12] }\n'
    )
    found = run_search(
        SearchRequest(read_space(path, tones.config()), trials=12, sampler="random", prune=False), store
    )
    share = found["importance"]
    assert share["model.dropout"] > share["model.n_hidden"] and sum(share.values()) == pytest.approx(
        1, abs=0.01
    )
    page = Path(found["page"]).read_text()
    measured = sum(one["dev_wer"] is not None for one in found["trials"])
    assert "What mattered" in page and page.count("<polyline") == measured >= 4
    assert all(f"<code>{one['run']}</code>" in page for one in found["trials"])


def test_trials_that_fall_behind_are_pruned(searched: Any, tones: Any) -> None:
    store, _ = searched
    request = SearchRequest(dropout_space(tones), trials=14, sampler="random", seed=2, jobs=3)
    states = [one["state"] for one in search(request, store)["trials"]]
    assert "pruned" in states and "complete" in states and len(states) == 14


def test_what_cannot_be_searched_is_a_sentence(searched: Any, tones: Any, tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    for text, part in [
        ('[parameters]\n"model.drop" = { low = 0, high = 1 }\n', "'model.drop'"),
        ('[parameters]\n"model.dropout" = { low = 0.0, high = 1.5 }\n', "impossible"),
        ('[parameters]\n"model.dropout" = { low = 0.5, high = 0.1 }\n', "low must be below"),
        ('[parameters]\n"optimiser.learning_rate" = { low = 0, high = 0.1, log = true }\n', "above 0"),
        ('[parameters]\n"augment.speeds" = { choices = [1.0] }\n', "is a list"),
        ('[parameters]\n"model.n_hidden" = { choices = [64, "wide"] }\n', "model.n_hidden"),
        ("[parameter]\n", "unknown table"),
        ("x = [", "cannot be read"),
    ]:
        path.write_text(text)
        with pytest.raises(ConfigError) as caught:
            read_space(path, TrainingConfig())
        assert part in str(caught.value), str(caught.value)
    with pytest.raises(ConfigError, match="exactly one parameter"):
        search(SearchRequest(read_space(None, tones.config()), sampler="binary"), searched[0])
    with pytest.raises(ConfigError, match="at least 1"):
        search(SearchRequest(dropout_space(tones), trials=0), searched[0])
    store, fake = searched
    for split, said in (("test", "in the split 'test'"), ("devel", "tones has train, dev")):
        blind = dataclasses.replace(
            tones.config(), data=dataclasses.replace(tones.config().data, dev_split=split)
        )
        with pytest.raises(DataError, match=said):  # before any trial, not after each
            search(SearchRequest(read_space(None, blind, DROPOUT_SPACE), trials=2), store)
    assert not fake.submitted
    fake.poll = lambda self, run: JobState(run, "failed", message="no luck")
    with pytest.raises(TrainingError, match="none of 2 trials"):
        search(SearchRequest(dropout_space(tones), trials=2, sampler="random"), store)


@settings(deadline=None, max_examples=40)
@given(st.floats(0.02, 0.98), st.integers(4, 14))
def test_a_valley_is_found_wherever_it_lies(bottom: float, steps: int) -> None:
    measured: dict[float, float] = {}
    for _ in range(steps):
        point = next_point(0.0, 1.0, measured, [])
        assert point not in measured
        measured[point] = abs(point - bottom)
    best = min(measured.values())
    assert best <= 0.5 and (steps < 13 or best < 0.06)
    assert next_point(0.0, 1.0, {}, [0.5, 0.0, 1.0]) in (0.25, 0.75)
