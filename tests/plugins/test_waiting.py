"""What waits for a person: a refresh that failed, until one goes well; one that a person ended is no failure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def runs(bag: Any, root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Makes runs of `corpus_refresh` about a corpus in the order of the calls, and forgets them."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    monkeypatch.syspath_prepend(str(root / "plugins"))
    made: list[str] = []

    def make(corpus: str, how: str) -> None:
        made.append(f"manual__waiting_{len(made)}")
        begin(made[-1], corpus)
        {"failed": fail, "succeeded": succeed, "ended": end_by_hand}[how](made[-1])

    yield make
    with create_session() as session:
        session.execute(delete(DagRun).where(DagRun.dag_id == "corpus_refresh", DagRun.run_id.in_(made)))


def begin(run_id: str, corpus: str) -> None:
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.sdk import timezone
    from airflow.utils.session import create_session
    from airflow.utils.state import DagRunState
    from airflow.utils.types import DagRunTriggeredByType, DagRunType

    with create_session() as session:
        dag = SerializedDagModel.get_dag("corpus_refresh", session=session)
        dag.create_dagrun(
            run_id=run_id, run_after=timezone.utcnow(), run_type=DagRunType.MANUAL,
            triggered_by=DagRunTriggeredByType.REST_API, state=DagRunState.RUNNING, logical_date=None,
            conf={"name": corpus, "sources": ["/archives/none"]}, session=session,
        )  # fmt: skip


def set_states(run_id: str, state: str, first: str, others: str) -> None:
    """The state of the run, of its task `plan` and of those behind it, as Airflow leaves them."""
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session

    with create_session() as session:
        named = {"dag_id": "corpus_refresh", "run_id": run_id}
        tasks = session.query(TaskInstance).filter_by(**named)
        tasks.update({"state": others})
        tasks.filter_by(task_id="plan").update({"state": first})
        session.query(DagRun).filter_by(**named).update({"state": state})


def fail(run_id: str) -> None:
    set_states(run_id, "failed", "failed", "upstream_failed")


def succeed(run_id: str) -> None:
    set_states(run_id, "success", "success", "success")


def end_by_hand(run_id: str) -> None:
    """As the button *Mark as failed* does."""
    from airflow.api_fastapi.core_api.datamodels.dag_run import DagRunMutableStates
    from airflow.api_fastapi.core_api.services.public.dag_run import patch_dag_run_state
    from airflow.models.dagrun import DagRun
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        found = session.scalar(select(DagRun).filter_by(dag_id="corpus_refresh", run_id=run_id))
        dag = SerializedDagModel.get_dag("corpus_refresh", session=session)
        patch_dag_run_state(dag=dag, dag_run=found, state=DagRunMutableStates.FAILED, session=session)


@pytest.mark.parametrize(
    ("history", "waits"),
    [
        (["failed"], True),
        (["ended"], False),
        (["failed", "succeeded"], False),
        (["failed", "ended"], True),
        (["succeeded", "ended"], False),
        (["failed", "succeeded", "ended", "ended"], False),
        (["succeeded", "ended", "failed"], True),
    ],
)
def test_only_a_failure_that_nothing_made_good_waits(
    runs: Any, store_root: Path, history: list[str], waits: bool
) -> None:
    for how in history:
        runs("town", how)
    runs("village", "ended")
    from waiting import waiting

    expected = ["town: see its log (task plan)"] if waits else []
    assert [one.sentence for one in waiting() if one.sentence.startswith(("town", "village"))] == expected
