"""The assets that join the DAGs, and the question whether a refresh is still on its way.

No DAG here, so that DAG files can import this one (they never import each other).
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import Asset

CORPORA = Asset("corpora", uri="speechmill://corpora", group="speechmill")
# One event for each corpus that a refresh sealed, its partition key the corpus' name. Nothing of ours waits for it: what
# follows reads all corpora, and Airflow starts a run for every key. A DAG of one's own can wait for one corpus by it.
CORPUS = Asset("corpus", uri="speechmill://corpus", group="speechmill")
LANGUAGE_MODEL = Asset("language_model", uri="speechmill://language_model", group="speechmill")
EVALUATION = Asset("evaluation", uri="speechmill://evaluation", group="speechmill")
CANDIDATE = Asset("candidate", uri="speechmill://candidate", group="speechmill")

OWNER = "speechmill"
REFRESH_DAG = "corpus_refresh"
REFRESH_LAST_TASK = "settle"
_UNFINISHED_RUN = ["queued", "running"]
_UNFINISHED_TASK = [
    "null", "scheduled", "queued", "running", "restarting", "deferred", "up_for_retry", "up_for_reschedule",
]  # fmt: skip


def refreshes_on_their_way(task_instance: Any) -> int:
    """How many runs of `corpus_refresh` wait or work.

    A run whose last task is done counts no longer, even if Airflow has not yet closed the run: that task's
    event may be the very one that started the asking run.
    """
    runs: int = task_instance.get_dr_count(dag_id=REFRESH_DAG, states=_UNFINISHED_RUN)
    if not runs:
        return 0
    tasks: int = task_instance.get_ti_count(
        dag_id=REFRESH_DAG, task_ids=[REFRESH_LAST_TASK], states=_UNFINISHED_TASK
    )
    return min(runs, tasks)


def say_sealed(context: Any, sealed: dict[str, Any]) -> None:
    """Name the corpus and its version in the event of `CORPUS` that the asking task leaves."""
    event = context["outlet_events"][CORPUS]
    event.add_partitions(sealed["corpus"])
    said = {key: sealed.get(key) for key in ("status", "version", "utterances", "hours")}
    event.extra = {"name": sealed["corpus"], **said}


def refuse_unknown_keys(context: Any) -> None:
    """Fail the task when the run was started with a parameter that its DAG does not have."""
    from airflow.sdk.exceptions import AirflowFailException

    known = set(context["dag"].params)
    unknown = sorted(set(context["dag_run"].conf or {}) - known)
    if unknown:
        there = ", ".join(sorted(known)) or "none"
        raise AirflowFailException(f"unknown parameter {', '.join(unknown)}; this DAG knows: {there}")
