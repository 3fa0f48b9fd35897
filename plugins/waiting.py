"""What waits for a person: questions asked, refreshes that failed, models behind their inputs. For *Speech*, notices."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

_log = logging.getLogger(__name__)
MOST_RUNS = 50
BUILDING = "language_model"


@dataclass(frozen=True)
class Waiting:
    """One thing: what it is, in a sentence, and where one click leads; `outside`: a page of Airflow's own."""

    kind: str
    sentence: str
    href: str
    outside: bool = True


@dataclass(frozen=True)
class Due:
    """The language models behind their inputs, by name with the reason, and what stands between them and one click.

    Attributes:
        problem: why nobody can say what is due.
        run: the page of a run that is building, or waits to; no click is needed.
        paused: a run would wait for ever.
    """

    models: Mapping[str, str]
    problem: str = ""
    run: str = ""
    paused: bool = False


def due() -> Due:
    """What `language_model` would build if it were started now."""
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    from lm.due import why_due
    from native.errors import SpeechmillError
    from store.opening import open_store

    try:
        store = open_store()
        models = {name: reason.replace(f"{store.root}/", "") for name, reason in why_due(store).items()}
    except SpeechmillError as error:
        return Due({}, problem=str(error))
    except Exception as error:  # the page shows everything else; the log has the whole of it
        _log.exception("what is due cannot be said")
        return Due({}, problem=f"{type(error).__name__}: {error}; the api-server's log says more")
    if not models:
        return Due({})
    with create_session() as session:
        paused = session.scalar(select(DagModel.is_paused).where(DagModel.dag_id == BUILDING))
    return Due(models, run=run_at_work(BUILDING), paused=paused is not False)


def run_at_work(dag_id: str) -> str:
    """The page of the newest run of a DAG that works or waits to, "" for none."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    at_work = select(DagRun.run_id).where(DagRun.dag_id == dag_id, DagRun.state.in_(("queued", "running")))
    with create_session() as session:
        run = session.scalar(at_work.order_by(DagRun.id.desc()).limit(1))
    return run_address(dag_id, run) if run else ""


def build_due(user: str) -> None:
    """Start the run that builds all of it, as the form of the DAG does when nothing is filled in."""
    from airflow.api.common.trigger_dag import trigger_dag
    from airflow.utils.types import DagRunTriggeredByType

    trigger_dag(
        BUILDING, triggered_by=DagRunTriggeredByType.UI, triggering_user_name=user, note="what was due"
    )


def waiting() -> list[Waiting]:
    """Everything that waits, questions first."""
    from airflow.utils.session import create_session

    with create_session() as session:
        return [*_questions(session), *_red_refreshes(session)]


def _questions(session: Any) -> list[Waiting]:
    from airflow.models.hitl import HITLDetail
    from airflow.models.taskinstance import TaskInstance
    from sqlalchemy import select

    asked = (
        select(HITLDetail.subject, TaskInstance)
        .join(TaskInstance, TaskInstance.id == HITLDetail.ti_id)
        .where(HITLDetail.responded_at.is_(None), TaskInstance.state.in_(("awaiting_input", "deferred")))
    )
    return [
        Waiting("decide", subject, f"{task_address(task.dag_id, task.run_id, task.task_id)}/required_actions")
        for subject, task in session.execute(asked)
    ]


def _red_refreshes(session: Any) -> list[Waiting]:
    """The newest refresh of each corpus that nobody ended by hand, where it ended red.

    Who ends a run knows of it, and mends nothing by that: a failure before it still waits, and nothing waits after a run
    that went well.
    """
    from airflow.models.dagrun import DagRun
    from run_facts import facts_of_run, headline, subject_of
    from sqlalchemy import select

    newest = (
        select(DagRun)
        .where(DagRun.dag_id == "corpus_refresh", DagRun.state.in_(("success", "failed")))
        .order_by(DagRun.id.desc())
        .limit(MOST_RUNS)
    )
    seen: set[str] = set()
    found = []
    for run in session.scalars(newest):
        facts = facts_of_run(run, session)
        if facts.ended_by_hand:
            continue
        about = subject_of(facts)
        if about not in seen and facts.state == "failed":
            found.append(
                Waiting(
                    "failed", headline(facts), f"{run_address(run.dag_id, run.run_id)}/plugin/speech-report"
                )
            )
        seen.add(about)
    return found


def run_address(dag_id: str, run_id: str) -> str:
    """A run's page in Airflow."""
    return f"/dags/{quote(dag_id, safe='')}/runs/{quote(run_id, safe='')}"


def task_address(dag_id: str, run_id: str, task_id: str) -> str:
    """A task's page in Airflow."""
    return f"{run_address(dag_id, run_id)}/tasks/{quote(task_id, safe='')}"
