"""
### A network is trained and measured

Starts when a language model was published, and every Sunday at 03:00 UTC. `train` hands the job to the
dispatcher and waits without holding a worker slot; the job's lines appear in its log. `list_tunings` and
`list_evaluations` say what follows: `tune_decoder` picks the decoder's weights on dev, `evaluate` measures on
test (greedy, spell-corrected, with each language model) what was not measured yet and tests the difference to the time
before, `report` writes the pages, `package` makes a candidate of the network, about which `promote` asks a person.

* The run ends **pink** at `check` while a `corpus_refresh` waits or works, or when network and evaluations
  for exactly these inputs exist. Its log says which.
* `train` red: the last lines of its log are the job's own. Clear the task to go on from the last checkpoint.
  A job that still runs is found again, never started twice. Marking the task failed cancels the job.
* `evaluate` red: clear it; nothing is trained again. `package` red: the network cannot be handed on; its log says why.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import AssetOrTimeSchedule, Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException
from assets import CANDIDATE, EVALUATION, LANGUAGE_MODEL, OWNER, refreshes_on_their_way, refuse_unknown_keys
from late_training import deadlines
from sentences import told
from training_job import TrainingJobOperator
from weekly import ForwardCronTimetable

SUNDAY_NIGHT = "0 3 * * 0"
EVALUATORS = 2


def backends() -> list[str]:
    """The registry's names, for the form."""
    from training.dispatch import BACKENDS

    return list(BACKENDS)


@task
@told
def list_tunings(trained: dict[str, Any]) -> list[dict[str, Any]]:
    """One entry per language model."""
    from training.settings import tunings_of

    return tunings_of(trained["run"])


@task
@told
def list_evaluations(trained: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """One entry per corpus and language model, shared out to a few tasks: each loads the network once."""
    from training.settings import missing_evaluations

    entries = missing_evaluations(trained["run"])
    shares = [entries[start::EVALUATORS] for start in range(EVALUATORS)]
    return [share for share in shares if share]


@task(outlets=[EVALUATION], trigger_rule="none_failed_min_one_success")
@told
def report(trained: dict[str, Any]) -> str:
    """Write the page of the whole chain and tell whoever waits for evaluations."""
    from training.pages.report import write_reports

    get_current_context()["outlet_events"][EVALUATION].extra = trained
    return str(write_reports())


@task(outlets=[CANDIDATE], multiple_outputs=False)
@told
def package(trained: dict[str, Any]) -> dict[str, Any]:
    """Make a package of the network, a candidate, and announce it; skip what was announced or decided about before."""
    from store.opening import open_store
    from training.release.package import ReleaseRequest, release

    model = release(ReleaseRequest(trained["run"]), open_store())
    if model.state != "candidate":
        raise AirflowSkipException(f"model {model.id} is {model.state} already")
    get_current_context()["outlet_events"][CANDIDATE].extra = {"model": model.id, "run": trained["run"]}
    return {"model": model.id, "state": model.state}


@dag(
    dag_id="retrain",
    description="corpora and language models → a network with a measured word error rate",
    doc_md=__doc__,
    schedule=AssetOrTimeSchedule(
        timetable=ForwardCronTimetable(SUNDAY_NIGHT, timezone="UTC"), assets=[LANGUAGE_MODEL]
    ),
    start_date=datetime(2026, 11, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["speechmill", "training"],
    default_args={"owner": OWNER},
    deadline=deadlines(),
    params={"backend": Param("local", type="string", enum=backends(), title="Where the job runs")},
)
def retrain() -> None:
    """See the module's text."""

    @task
    @told
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

    train = TrainingJobOperator(
        task_id="train", backend="{{ params.backend }}", retries=2, retry_delay=timedelta(seconds=10)
    )

    @task(map_index_template="{{ label }}", multiple_outputs=False)
    @told
    def tune_decoder(tuning: dict[str, Any]) -> dict[str, Any]:
        """Pick the decoder's weights for one language model, on dev."""
        from training.decoding.tune import TuneRequest, tune_decoder

        get_current_context()["label"] = Path(tuning["language_model"]).parent.name
        chosen = tune_decoder(TuneRequest(**tuning))
        return {key: chosen[key] for key in ("alpha", "beta", "wer")}

    @task(map_index_template="{{ label }}", trigger_rule="none_failed")
    @told
    def evaluate(share: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Measure some corpora, each with one language model, on test; compare with the time before."""
        from store.opening import open_store
        from training.evaluation.compare import compare_with_previous
        from training.evaluation.evaluate import EvaluationRequest, evaluate

        get_current_context()["label"] = ", ".join(entry["corpus"] for entry in share)
        done = [evaluate(EvaluationRequest(**entry)) for entry in share]
        for one in done:
            compare_with_previous(one, open_store())
        rates = [
            {name: one[name] and one[name]["wer"] for name in ("greedy", "corrected", "lm")} for one in done
        ]
        return [
            {"id": one["id"], "corpus": one["corpus"], "unit": one.get("unit"), **rate}
            for one, rate in zip(done, rates, strict=True)
        ]

    check() >> train
    tuned = tune_decoder.expand(tuning=list_tunings(train.output))
    evaluated = evaluate.expand(share=list_evaluations(train.output))
    tuned >> evaluated >> report(train.output) >> package(train.output)


retrain()
