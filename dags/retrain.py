"""
### A network is trained and measured

Starts when a language model was published, and every Sunday at 03:00 UTC. `train` hands the job to the
dispatcher and waits without holding a worker slot; the job's lines appear in its log. `tune_decoder` picks
the decoder's weights on dev, `evaluate` measures on test (greedy and with each language model), `report`
writes the pages.

* The run ends **pink** at `check` while a `corpus_refresh` waits or works, or when network and evaluations
  for exactly these inputs exist. Its log says which.
* `train` red: the last lines of its log are the job's own. Clear the task to go on from the last checkpoint.
  A job that still runs is found again, never started twice. Marking the task failed cancels the job.
* `evaluate` red: clear it; nothing is trained again.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.sdk import AssetOrTimeSchedule, Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException
from assets import LANGUAGE_MODELS, OWNER, refreshes_on_their_way, refuse_unknown_keys
from training_job import TrainingJobOperator
from weekly import ForwardCronTimetable

SUNDAY_NIGHT = "0 3 * * 0"


@dag(
    dag_id="retrain",
    description="corpora and language models → a network with a measured word error rate",
    doc_md=__doc__,
    schedule=AssetOrTimeSchedule(
        timetable=ForwardCronTimetable(SUNDAY_NIGHT, timezone="UTC"), assets=[LANGUAGE_MODELS]
    ),
    start_date=datetime(2026, 11, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["speechmill", "training"],
    default_args={"owner": OWNER},
    params={"backend": Param("local", type="string", enum=["local"], title="Where the job runs")},
)
def retrain() -> None:
    """See the module's text."""

    @task
    def check() -> None:
        """Skip the run when it is not yet time or nothing has changed."""
        from training.settings import retrain_is_due

        context = get_current_context()
        refuse_unknown_keys(context)
        waiting = refreshes_on_their_way(context["ti"])
        if waiting:
            raise AirflowSkipException(f"{waiting} corpus_refresh on the way; the language model follows it")
        if not retrain_is_due():
            raise AirflowSkipException("network and evaluations for exactly these inputs exist already")

    train = TrainingJobOperator(task_id="train", backend="{{ params.backend }}", retries=2)

    @task
    def list_evaluations(trained: dict[str, Any]) -> list[dict[str, Any]]:
        """What to measure: one entry per corpus."""
        from training.settings import evaluations_of

        return evaluations_of(trained["run"])

    check() >> train
    list_evaluations(train.output)


retrain()
