"""Following the chain: what is triggered or left alone, how a failure is said; Airflow is a stand-in."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from corpora.refresh.stage import refresh
from demo import chain
from demo.chain import Chain, Source, is_current, remember, staged_tally
from demo.display import Display
from demo.layouts import librispeech, tones
from demo.orchestrator import OrchestrationError
from demo.spoken import expected_time
from store.opening import open_store
from store.store import Store


class StandIn:
    """Answers like Airflow: every run succeeds at its second look, unless it is named in `failing`."""

    def __init__(self, store: Store, failing: tuple[str, ...] = ()) -> None:
        self.store, self.failing = store, failing
        self.started: list[tuple[str, dict[str, Any]]] = []
        self.looks: dict[str, int] = {}
        self.unpaused: list[tuple[str, ...]] = []

    def unpause(self, dag_ids: tuple[str, ...] = ("all",)) -> None:
        self.unpaused.append(dag_ids)

    def trigger(self, dag_id: str, conf: dict[str, Any]) -> str:
        self.started.append((dag_id, conf))
        return f"{dag_id}-{len(self.started)}"

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        self.looks[run_id] = self.looks.get(run_id, 0) + 1
        if self.looks[run_id] < 2:
            return {"state": "running"}
        if dag_id in self.failing:
            return {"state": "failed"}
        conf = self.started[int(run_id.rsplit("-", 1)[1]) - 1][1]
        refresh(
            chain.RefreshRequest(conf["importer"], tuple(map(Path, conf["sources"])), store=self.store.root)
        )
        return {"state": "success"}

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        return [
            {
                "dag_run_id": f"{dag_id}-{number + 1}",
                "state": "failed" if dag_id in self.failing else "success",
            }
            for number, (name, _) in enumerate(self.started)
            if name == dag_id
        ]

    def why_failed(self, dag_id: str, run_id: str) -> str:
        return f"{dag_id}: task seal failed: because"


@pytest.fixture
def store(store_root: Path) -> Store:
    return open_store(store_root)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    written = librispeech.write(tmp_path / "archive", tones.utterances(6))
    return Source("librispeech", "librispeech", (written.path,))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "_POLL_S", 0.0)
    monkeypatch.setattr(chain, "_PATIENCE_S", -1.0)


def chain_of(store: Store, airflow: StandIn, source: Source) -> tuple[Chain, io.StringIO]:
    spoken = io.StringIO()
    display = Display(Console(file=spoken, soft_wrap=True))
    return Chain(store, airflow, display, (source,)), spoken  # type: ignore[arg-type]


def play_stages(monkeypatch: pytest.MonkeyPatch, airflow: StandIn) -> None:
    """A language model is due until it was started, then a network until that was."""

    def began(dag_id: str) -> bool:
        return any(name == dag_id for name, _ in airflow.started)

    monkeypatch.setattr(
        chain, "due_language_models", lambda store: [] if began("language_model") else ["default"]
    )
    monkeypatch.setattr(chain, "retrain_is_due", lambda store: not began("retrain"))


def test_every_stage_is_started_once_and_a_second_pass_starts_nothing(
    store: Store, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    airflow = StandIn(store)
    play_stages(monkeypatch, airflow)
    one, _ = chain_of(store, airflow, source)
    one.go()
    assert [name for name, _ in airflow.started] == ["corpus_refresh", "language_model", "retrain"]
    conf = airflow.started[0][1]
    assert conf == {"importer": "librispeech", "sources": [str(source.paths[0])], "workers": 2}
    two, said = chain_of(store, airflow, source)
    two.go()
    assert len(airflow.started) == 3
    two.display._close()
    assert "nothing has changed" in said.getvalue()


def test_a_failed_refresh_ends_the_pass_with_its_reason(store: Store, source: Source) -> None:
    one, _ = chain_of(store, StandIn(store, ("corpus_refresh",)), source)
    with pytest.raises(OrchestrationError, match="librispeech: corpus_refresh: task seal failed: because"):
        one.go()
    assert not is_current(store, source)


def test_a_failed_training_run_ends_the_pass(
    store: Store, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    airflow = StandIn(store, ("retrain",))
    play_stages(monkeypatch, airflow)
    one, _ = chain_of(store, airflow, source)
    with pytest.raises(OrchestrationError, match="retrain: task seal failed"):
        one.go()


def test_a_changed_source_is_outdated_and_an_old_version_made_current_again_is(
    store: Store, source: Source
) -> None:
    assert not is_current(store, source)
    refresh(source.request)
    remember(store, source)
    assert is_current(store, source)
    transcript = next(source.paths[0].rglob("*.trans.txt"))
    transcript.write_text(transcript.read_text() + "\n")
    assert not is_current(store, source)


def test_progress_of_an_import_that_has_not_begun_is_nothing(store: Store) -> None:
    assert staged_tally(store, "librispeech") == chain.Tally()


def test_where_a_failure_does_not_stop_the_others_are_imported_before_it_is_decided_what_follows(
    store: Store, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    airflow = StandIn(store, ("corpus_refresh",))
    play_stages(monkeypatch, airflow)
    one, _ = chain_of(store, airflow, source)
    one.stops_at_failure = False
    asked: list[dict[str, str]] = []

    def settle() -> bool:
        asked.append(dict(one.failed))
        return False

    one.go(settle)
    assert asked == [{"librispeech": "corpus_refresh: task seal failed: because"}]
    assert [name for name, _ in airflow.started] == ["corpus_refresh"]
    assert airflow.unpaused == [("corpus_refresh",)]


@pytest.mark.parametrize(
    ("cores", "load", "minutes"), [(2, 0.0, 7), (2, 2.0, 14), (2, 8.0, 35), (1, 0.0, 14), (16, 1.0, 7)]
)
def test_the_expected_time_follows_cores_and_load(cores: int, load: float, minutes: int) -> None:
    assert f"about {minutes} minutes here ({cores} core" in expected_time(cores, load)
