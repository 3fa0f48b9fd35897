"""
### A person decides which model is in force

Starts when `retrain` has packaged a candidate (or by hand: which one). `weigh` measures it beside the released model on
the same test sets and writes the page of both; `ask` waits for an answer; `decide` carries it out and notes who decided
what, when, why and on which bytes. Going back to the model before: *Speech → Models*.

| form field | meaning |
|---|---|
| `model` | the candidate, or a unique beginning of its id; empty: the one that was announced |

* Pink at `weigh`: nobody is asked, and the log says why: the candidate is in force already, is significantly worse on
  all test sets together or on one of them, or its figures cannot be trusted.
* `ask` waits under *Required Actions* and on *Speech*; after the response deadline it answers *Reject* by itself.
* `weigh` red: a test set cannot be measured; the sentence at the end of its log says which.
* `decide` red: another model was released meanwhile. Clear `weigh`, and decide on the new figures. At every moment
  exactly one model is in force, whatever is killed when.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException
from assets import CANDIDATE, OWNER, refuse_unknown_keys
from sentences import told

DEADLINE = timedelta(days=7)
OPTIONS = ("Promote", "Reject")
NOBODY = "the response deadline"


@dag(
    dag_id="promote",
    description="a candidate → a person's decision → the model in force",
    doc_md=__doc__,
    schedule=[CANDIDATE],
    catchup=False,
    max_active_runs=1,
    tags=["speechmill", "training"],
    default_args={"owner": OWNER},
    params={
        "model": Param(
            None, type=["null", "string"], title="Model", description="empty: the candidate announced last"
        )
    },
)
def promote() -> None:
    """See the module's text."""

    @task(multiple_outputs=False)
    @told
    def weigh() -> dict[str, Any]:
        """Measure both, judge, write the page; skip where nobody is to be asked."""
        from waiting import run_address

        from store.notices.sending import Notice, tell
        from store.opening import open_store
        from training.pages.promotion import question, write_promotion
        from training.release.decision import weigh as weigh_models

        context = get_current_context()
        refuse_unknown_keys(context)
        store = open_store()
        verdict = weigh_models(context["params"]["model"] or announced(context), store)
        write_promotion(store, verdict)
        if not verdict.is_asked:
            raise AirflowSkipException(f"{verdict.candidate}: {verdict.says}")
        subject = f"promote model {verdict.candidate}?"
        path = f"{run_address('promote', context['run_id'])}/tasks/ask/required_actions"
        tell(Notice("waiting", subject, question(verdict), verdict.candidate, path), wait=True)
        return {**verdict.as_json(), "question": question(verdict)}

    ask = HITLOperator(
        task_id="ask",
        subject="Promote model {{ ti.xcom_pull(task_ids='weigh')['candidate'] }}? "
        "{{ ti.xcom_pull(task_ids='weigh')['says'] }}",
        body="{{ ti.xcom_pull(task_ids='weigh')['question'] }}",
        options=list(OPTIONS),
        defaults="Reject",
        params={"why": Param("", type="string", title="Why", description="kept in the history of decisions")},
        response_timeout=DEADLINE,
    )

    @task(multiple_outputs=False)
    @told
    def decide(verdict: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        """Do what was chosen, and note it."""
        from training.release.decision import decide as carry_out

        user = answer.get("responded_by_user") or {}
        who = (
            str(user.get("name") or NOBODY) if isinstance(user, dict) else str(getattr(user, "name", NOBODY))
        )
        why = str((answer.get("params_input") or {}).get("why") or "")
        return carry_out(verdict, answer["chosen_options"][0], why, who)

    weighed = weigh()
    weighed >> ask
    decide(weighed, ask.output)


def announced(context: Any) -> str:
    """The candidate that was announced last, or the newest there is."""
    from store.opening import open_store
    from training.release.registry import Registry

    events = [one for asset in (context.get("triggering_asset_events") or {}).values() for one in asset]
    named = [str(one.extra["model"]) for one in events if (one.extra or {}).get("model")]
    return named[-1] if named else Registry(open_store()).newest_candidate()


promote()
