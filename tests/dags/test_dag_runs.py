"""The DAGs run for real, in this process, on a tiny corpus: archive → corpus → language model → network → pages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from demo.layouts import Defects, librispeech, tones
from store.opening import open_store
from store.writing import write_json_atomic

TINY = """
seed = 1
[model]
n_hidden = 8
[loop]
steps = 2
batch_size = 4
threads = 1
"""
# Every field: `test` keeps what the run before had in the form.
EMPTY_FORM = {
    "name": None, "order": None, "prune": [], "vocabulary_size": None, "text": [], "interpolate": False
}  # fmt: skip
SETTINGS = """
[[language_models]]
name = "default"
order = 2
[retrain]
config = "tiny.toml"
"""


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archives")
    librispeech.write(folder, tones.utterances(2, 3), Defects.one_of_each())
    return folder


@pytest.fixture(scope="module")
def chain_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chain") / "store"
    folder.mkdir()
    (folder / "tiny.toml").write_text(TINY)
    (folder / "settings.toml").write_text(SETTINGS)
    return folder


@pytest.fixture
def in_chain(chain_store: Path, archives: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The store and the allowed sources of the chain for the time of one test."""
    monkeypatch.setenv("SPEECHMILL_STORE", str(chain_store))
    monkeypatch.setenv("SPEECHMILL_SOURCES", str(archives))
    monkeypatch.delenv("SPEECHMILL_SOURCES_FILE", raising=False)
    yield chain_store


def run(bag: Any, dag_id: str, conf: dict[str, Any] | None = None) -> Any:
    """A finished run of a DAG, all its tasks run in this process."""
    return bag.dags[dag_id].test(run_conf=conf or {})


def states(dag_run: Any) -> dict[str, list[str]]:
    """Task states of a run: {task id: [one per map index]}."""
    found: dict[str, list[str]] = {}
    for task_instance in sorted(dag_run.get_task_instances(), key=lambda one: one.map_index):
        found.setdefault(task_instance.task_id, []).append(str(task_instance.state))
    return found


def refresh(bag: Any, archives: Path, **conf: Any) -> Any:
    # Every field: `test` keeps what the run before had in the form.
    form = {"importer": "librispeech", "sources": [f"{archives}/LibriSpeech"], "name": None, "donation": None}
    return run(bag, "corpus_refresh", form | conf)


def asset_events(dag_run: Any) -> list[dict[str, Any]]:
    """Extras of the events that a run sent to the other DAGs."""
    return [extra for key, extra in _events(dag_run) if key is None]


def sealed_corpora(dag_run: Any) -> dict[str, dict[str, Any]]:
    """Partition key → extra of the events that a run sent of what it sealed."""
    return {key: extra for key, extra in _events(dag_run) if key is not None}


def _events(dag_run: Any) -> list[Any]:
    from airflow.models.asset import AssetEvent
    from airflow.utils.session import create_session
    from sqlalchemy import select

    asked = select(AssetEvent.partition_key, AssetEvent.extra)
    with create_session() as session:
        return list(session.execute(asked.where(AssetEvent.source_run_id == dag_run.run_id)))


def test_1_a_refresh_publishes_and_tells(bag: Any, in_chain: Path, archives: Path) -> None:
    done = refresh(bag, archives)
    once, twice = ["success"], ["success"] * 2  # three groups, one of each split, in two bundles
    expected = {"plan": once, "import_groups": twice, "seal": once, "align": ["skipped"], "settle": once}
    assert states(done) == expected
    corpus = open_store(in_chain).corpus("librispeech")
    assert corpus.manifest["items"]["accepted"] == 18
    (event,) = asset_events(done)
    assert event["name"] == "librispeech"
    assert event["version"] == corpus.version
    assert event["rows"] == 18
    assert sum(event["rejected"].values()) == corpus.manifest["items"]["rejected"] == 3
    sealed = sealed_corpora(done)
    assert list(sealed) == ["librispeech"]
    assert (sealed["librispeech"]["version"], sealed["librispeech"]["utterances"]) == (corpus.version, 18)


def test_2_a_language_model_is_built_once(bag: Any, in_chain: Path) -> None:
    done = run(bag, "language_model", EMPTY_FORM)
    assert states(done) == {"check": ["success"], "build": ["success"], "announce": ["success"]}
    (event,) = asset_events(done)
    (model,) = event["models"]
    manifest = json.loads((in_chain / "language_models/default/current/manifest.json").read_text())
    assert event["names"] == ["default"]
    assert {
        key: manifest[key] for key in ("version", "perplexity", "oov_rate", "identity")
    }.items() <= model.items()
    assert "perplexity on dev" in (in_chain / "reports/language_models/default.html").read_text()
    again = run(bag, "language_model", EMPTY_FORM)
    assert states(again)["check"] == states(again)["build"] == ["skipped"]
    assert (
        len(list((in_chain / "language_models/default").glob("*/manifest.json"))) == 2
    )  # version and current


def test_2_a_form_asks_for_one_model_once(bag: Any, in_chain: Path, archives: Path) -> None:
    (archives / "extra.txt").write_text("The mill turns by the river. The old mill turns.\n")
    form = EMPTY_FORM | {"name": "extra", "order": 3, "prune": [0, 0, 1], "text": [f"{archives}/extra.txt"]}
    assert states(run(bag, "language_model", form))["build"] == ["success"]
    manifest = json.loads((in_chain / "language_models/extra/current/manifest.json").read_text())
    assert manifest["inputs"]["settings"]["prune"] == [0, 0, 1]
    assert [text["name"] for text in manifest["inputs"]["text"]] == ["extra.txt"]
    assert states(run(bag, "language_model", form))["check"] == ["skipped"]
    for wrong in ({"text": ["/etc/passwd"]}, {"text": ["extra.txt"]}, {"colour": "blue"}):
        assert states(run(bag, "language_model", EMPTY_FORM | wrong))["check"] == ["failed"]


def test_3_the_same_refresh_is_a_no_op_that_tells_nobody(bag: Any, in_chain: Path, archives: Path) -> None:
    before = open_store(in_chain).corpus("librispeech").version
    done = refresh(bag, archives, workers=3.0)  # as JSON may write it
    assert done.state == "success"
    assert states(done)["settle"] == ["skipped"]
    assert asset_events(done) == []
    assert sealed_corpora(done)["librispeech"]["status"] == "unchanged"
    assert open_store(in_chain).corpus("librispeech").version == before


def test_4_a_network_is_trained_and_measured_once(bag: Any, in_chain: Path) -> None:
    done = run(bag, "retrain")
    assert done.state == "success"
    assert {state for row in states(done).values() for state in row} == {"success"}
    (evaluation,) = (in_chain / "evaluations").glob("*/evaluation.json")
    measured = json.loads(evaluation.read_text())
    assert measured["corpus"] == "librispeech"
    assert measured["language_model"]["name"] == "default"
    assert (in_chain / "reports/index.html").is_file()
    again = run(bag, "retrain")
    assert states(again)["check"] == states(again)["train"] == ["skipped"]
    assert len(list((in_chain / "runs").iterdir())) == 1


def test_5_the_pages_are_made(bag: Any, in_chain: Path) -> None:
    done = run(bag, "data_quality")
    assert states(done) == {
        "list_corpora": ["success"],
        "expect": ["success"],
        "corpus_page": ["success"],
        "chain_page": ["success"],
    }
    assert "librispeech" in (in_chain / "reports/corpora/librispeech.html").read_text()
    assert states(run(bag, "data_quality"))["corpus_page"] == ["skipped"]


def test_unknown_parameters_are_an_error(bag: Any, store_root: Path, archives: Path, caplog: Any) -> None:
    done = refresh(bag, archives, wokers=3)
    assert done.state == "failed"
    assert states(done)["plan"] == ["failed"]
    assert not (store_root / "corpora").exists()
    for dag_id, first in (
        ("language_model", "check"),
        ("retrain", "check"),
        ("data_quality", "list_corpora"),
    ):
        assert states(run(bag, dag_id, {"wokers": 3}))[first] == ["failed"]


def test_a_source_outside_the_roots_is_refused_before_it_is_opened(
    bag: Any, store_root: Path, archives: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (archives / "door").symlink_to(elsewhere)
    monkeypatch.setenv("SPEECHMILL_SOURCES", str(archives))
    opened: list[Any] = []
    monkeypatch.setattr("corpora.refresh.plan.open_source", lambda *arguments: opened.append(arguments))
    for source in (elsewhere, archives / "door", archives / "../elsewhere"):
        done = run(bag, "corpus_refresh", {"importer": "librispeech", "sources": [str(source)]})
        assert done.state == "failed"
        assert states(done)["plan"] == ["failed"]
    donation = {
        "importer": "donated",
        "sources": [str(archives)],
        "donation": str(elsewhere / "donation.toml"),
    }
    assert run(bag, "corpus_refresh", donation).state == "failed"
    (archives / "door").unlink()
    assert opened == []


def test_minutes_without_times_are_aligned_where_a_model_knows_the_language(
    bag: Any, in_chain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tasks; what is heard is told (tests/training/alignment has the aligner itself)."""
    radio = tmp_path / "radio"
    radio.mkdir()
    soundfile.write(radio / "talk.wav", np.random.default_rng(1).normal(0, 0.1, 60 * 16000), 16000)
    (radio / "talk.txt").write_text("A long talk. In two lines.")
    (radio / "donation.toml").write_text(
        'name = "minutes"\ndonor = "Town"\nlicence = "CC0-1.0"\nlanguage = "en"\nspeaker_rule = "file"\n'
    )
    monkeypatch.setenv("SPEECHMILL_SOURCES", str(tmp_path))
    segment = {
        "start_s": 1.0, "end_s": 4.0, "text": "A long talk.", "from_word": 0, "to_word": 3, "score": 0.0, "words": []
    }  # fmt: skip
    heard = {"segments": [segment], "not_spoken": [], "not_written": [], "duration_s": 60.0}
    shares = {"words_timed": 0.5, "speech_timed": 0.5}

    def made(request: Any) -> dict[str, Any]:
        return {"sound": str(request.sound), "text": "", "model": "m1", **heard, "shares": shares}

    monkeypatch.setattr("training.alignment.waiting.align", made)
    form = {"importer": "donated", "sources": [str(radio)]}
    red = refresh(bag, tmp_path, **form)
    assert red.state == "failed" and states(red)["seal"] == ["failed"]
    assert open_store(in_chain).quarantined_names() == ["minutes"]
    write_json_atomic(in_chain / "models" / "m1" / "model.json", {"language": "en", "files": {}})
    (in_chain / "models" / "released").symlink_to("m1")
    try:
        done = refresh(bag, tmp_path, **form)
    finally:
        (in_chain / "models" / "released").unlink()
    assert done.state == "success"
    assert (states(done)["seal"], states(done)["align"]) == (["skipped"], ["success"])
    (event,) = asset_events(done)
    assert (event["name"], event["rows"]) == ("minutes-aligned", 1)
    assert list(sealed_corpora(done)) == ["minutes-aligned"]
    assert open_store(in_chain).corpus("minutes-aligned").manifest["licence"] == "CC0-1.0"


def test_a_refused_corpus_is_red_and_leaves_the_old_version(
    bag: Any, in_chain: Path, archives: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = {"name": "rows", "says": "enough rows", "passed": False, "observed": 18}
    monkeypatch.setattr(
        "corpora.refresh.seal.run_gate", lambda *_: {"passed": False, "expectations": [refused]}
    )
    done = refresh(bag, archives, name="refused")
    assert done.state == "failed"
    assert states(done)["seal"] == ["failed"]
    assert "refused" not in open_store(in_chain).corpus_names()
    assert asset_events(done) == []


@pytest.mark.parametrize("state", ["queued", "running"])
def test_a_refresh_on_its_way_holds_the_others_back(bag: Any, in_chain: Path, state: str) -> None:
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session

    dag_run = waiting_refresh(state)
    try:
        for dag_id, first in (
            ("language_model", "check"),
            ("retrain", "check"),
            ("data_quality", "list_corpora"),
        ):
            assert states(run(bag, dag_id))[first] == ["skipped"]
        with create_session() as session:
            kwargs = {"dag_id": "corpus_refresh", "run_id": dag_run}
            assert session.query(TaskInstance).filter_by(**kwargs, task_id="settle").count() == 1
            session.query(TaskInstance).filter_by(**kwargs, task_id="settle").update({"state": "success"})
        # Its last task is done, so it may have started us: it counts no longer although its run is still open.
        (in_chain / "language_models/default/current").unlink()
        assert states(run(bag, "language_model"))["check"] == ["success"]
    finally:
        with create_session() as session:
            session.query(DagRun).filter_by(dag_id="corpus_refresh", run_id=dag_run).delete()


def test_a_run_marked_failed_stays_red_and_the_others_are_told(bag: Any, in_chain: Path) -> None:
    from airflow.api_fastapi.core_api.datamodels.dag_run import DagRunMutableStates
    from airflow.api_fastapi.core_api.services.public.dag_run import patch_dag_run_state
    from airflow.models.asset import AssetEvent
    from airflow.models.dagrun import DagRun
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    (in_chain / "language_models/default/current").unlink(missing_ok=True)  # something is due
    run_id = waiting_refresh("running")
    try:
        with create_session() as session:
            found = session.scalar(select(DagRun).filter_by(dag_id="corpus_refresh", run_id=run_id))
            dag = SerializedDagModel.get_dag("corpus_refresh", session=session)
            patch_dag_run_state(dag=dag, dag_run=found, state=DagRunMutableStates.FAILED, session=session)
        with create_session() as session:
            marked = session.scalar(select(DagRun).filter_by(dag_id="corpus_refresh", run_id=run_id))
            assert marked.state == "failed"
            assert not [
                one for one in marked.get_task_instances(session=session) if one.state in (None, "running")
            ]
            extras = [
                extra for extra in session.scalars(select(AssetEvent.extra)) if extra.get("run_id") == run_id
            ]
        assert extras == [{"name": None, "ended": "failed", "run_id": run_id}]
    finally:
        with create_session() as session:
            session.query(DagRun).filter_by(dag_id="corpus_refresh", run_id=run_id).delete()


def test_clearing_only_what_failed_runs_the_telling_task_too(
    bag: Any, store_root: Path, archives: Path
) -> None:
    done = refresh(bag, archives, sources=[f"{archives}/nowhere"])
    assert done.state == "failed"
    assert states(done)["seal"] == states(done)["settle"] == ["upstream_failed"]  # what "only failed" clears


def waiting_refresh(state: str) -> str:
    """A run of corpus_refresh in the database, as the API makes it; returns its id."""
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.sdk import timezone
    from airflow.utils.session import create_session
    from airflow.utils.state import DagRunState
    from airflow.utils.types import DagRunTriggeredByType, DagRunType

    with create_session() as session:
        dag = SerializedDagModel.get_dag("corpus_refresh", session=session)
        made = dag.create_dagrun(
            run_id=f"manual__{state}", run_after=timezone.utcnow(), run_type=DagRunType.MANUAL,
            triggered_by=DagRunTriggeredByType.REST_API, state=DagRunState(state), logical_date=None,
            conf={"sources": ["/archives/none"]}, session=session,
        )  # fmt: skip
        return str(made.run_id)
