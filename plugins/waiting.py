"""What waits for a person: questions asked, refreshes that ended red, training that is late. For *Speech* and notices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

MOST_RUNS = 50


@dataclass(frozen=True)
class Waiting:
    """One thing: what it is, in a sentence, and where one click leads; `outside`: a page of Airflow's own."""

    kind: str
    sentence: str
    href: str
    outside: bool = True


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
    """The newest refresh of each corpus, where it ended red."""
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
