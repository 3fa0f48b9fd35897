"""
### Published corpora become language models

Starts when a corpus was published; all events that wait are folded into one run. `check` looks what is to be
built (`settings.toml` in the store names the models; without it: one named *default* from all corpora),
`build` makes one model per square (ARPA, binary, lexicon trie), `announce` tells `retrain`.

* The run ends **pink** at `check` while a `corpus_refresh` waits or works (the last of them starts it
  again), or when every model is already built from exactly these inputs. Its log says which.
* `build` red: the sentence at the end of its log names the text or the limit (for example too little text
  for the order, or a full disk). Clear the task once that is mended. The model published before stays
  current.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException
from assets import CORPORA, LANGUAGE_MODEL, OWNER, refreshes_on_their_way, refuse_unknown_keys


@dag(
    dag_id="language_model",
    description="published corpora (and text) → n-gram language models",
    doc_md=__doc__,
    schedule=[CORPORA],
    catchup=False,
    max_active_runs=1,
    tags=["speechmill", "language model"],
    default_args={"owner": OWNER},
)
def language_model() -> None:
    """See the module's text."""

    @task
    def check() -> list[str]:
        """Names of the models whose inputs have changed; skips the run when it is too early or none is."""
        from lm.due import due_language_models

        context = get_current_context()
        refuse_unknown_keys(context)
        waiting = refreshes_on_their_way(context["ti"])
        if waiting:
            raise AirflowSkipException(f"{waiting} corpus_refresh on the way; the last one starts this again")
        due = due_language_models()
        if not due:
            raise AirflowSkipException("every language model is already built from exactly these inputs")
        return due

    @task(task_id="build", map_index_template="{{ label }}", multiple_outputs=False)
    def build_model(name: str) -> dict[str, Any]:
        """Build one language model and publish it."""
        from lm.build import build
        from lm.settings import request_for

        get_current_context()["label"] = name
        manifest = build(request_for(name))
        return {key: manifest[key] for key in ("name", "version", "order", "status")}

    @task(outlets=[LANGUAGE_MODEL])
    def announce(names: list[str]) -> None:
        """Tell `retrain`."""
        get_current_context()["outlet_events"][LANGUAGE_MODEL].extra = {"names": names}

    names = check()
    build_model.expand(name=names) >> announce(names)


language_model()
