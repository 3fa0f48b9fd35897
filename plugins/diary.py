"""A note on every run of ours, so that the list of runs reads like a diary: what came of it, in one line.

Airflow calls this in the process that changes the state of a run, inside that change's own transaction. It never
stops the change; a note that a person wrote stays.
"""

from __future__ import annotations

import logging
from typing import Any

from airflow.listeners import hookimpl

log = logging.getLogger(__name__)
DAGS = ("corpus_refresh", "language_model", "retrain", "data_quality", "tune", "promote")
LONGEST = 900
MARK = "\u200b"  # begins a note of ours, unseen: one without it is a person's


@hookimpl  # type: ignore[untyped-decorator]
def on_dag_run_success(dag_run: Any, msg: str) -> None:
    """Write what was published, or why nothing was to do."""
    note(dag_run)


@hookimpl  # type: ignore[untyped-decorator]
def on_dag_run_failed(dag_run: Any, msg: str) -> None:
    """Write the sentence of what failed, and tell whoever the store's settings name."""
    note(dag_run)
    try:
        tell_of(dag_run)
    except Exception:
        log.exception("nobody was told of %s", dag_run.run_id)


def note(dag_run: Any) -> None:
    """Set the note of a run that has ended."""
    if dag_run.dag_id not in DAGS:
        return
    try:
        written = dag_run.note
        if written and not written.startswith(MARK):
            return
        line = entry(dag_run)
        if line:
            dag_run.note = (MARK + line)[:LONGEST]
    except Exception:
        log.exception("no note could be written for %s", dag_run.run_id)


def entry(dag_run: Any) -> str:
    """The line of a run."""
    from run_facts import facts_of_run, headline
    from sqlalchemy.orm import object_session

    session = object_session(dag_run)
    return headline(facts_of_run(dag_run, session)) if session is not None else ""


def tell_of(dag_run: Any) -> None:
    """A notice of a run that ended red."""
    from sqlalchemy.orm import object_session

    session = object_session(dag_run)
    if dag_run.dag_id not in DAGS or session is None:
        return
    from run_facts import facts_of_run, headline
    from waiting import run_address

    from store.notices.sending import Notice, tell

    facts = facts_of_run(dag_run, session)
    refused = facts.dag_id == "corpus_refresh" and any(
        one.task_id == "seal" and one.sentence for one in facts.failures
    )
    how = "was ended by hand" if facts.ended_by_hand else "was refused by the gate" if refused else "failed"
    tell(
        Notice(
            kind="refused" if refused else "failed",
            title=f"{facts.dag_id} {how}",
            text=headline(facts),
            about=f"{facts.dag_id} {facts.run_id} {dag_run.end_date}",
            path=run_address(facts.dag_id, facts.run_id),
        )
    )
