"""
### Published corpora become language models

Starts when a corpus was published; all events that wait are folded into one run. `check` looks what is to be
built (`settings.toml` in the store names the models; without it: one named *default* from all corpora),
`build` makes one model per square (ARPA, binary, lexicon trie) and its report (tab *Report*), `announce` tells
`retrain`, with perplexity, unknown words and hashes in the asset's event.

Started by hand with an empty form it does the same. A filled-in field asks for one model once, with the
standing settings of that name otherwise; to keep a change, write it into `settings.toml`, or the next corpus
brings the standing settings back.

| form field | meaning |
|---|---|
| `name` | the model's name; empty: *default* |
| `order` | longest n-gram, 2 to 6 |
| `prune` | thresholds per order, for example 0, 0, 1: n-grams seen so rarely are dropped |
| `vocabulary_size` | only the N most frequent words |
| `interpolate` | a model of each source, mixed by weights tuned on dev |
| `text` | text files or folders to learn from besides, one per line, below a root of `$SPEECHMILL_SOURCES` |

* The run ends **pink** at `check` while a `corpus_refresh` waits or works (the last of them starts it
  again), or when every model is already built from exactly these inputs. Its log says which.
* `build` red: the sentence at the end of its log names the text or the limit (for example too little text
  for the order, or a full disk). Clear the task once that is mended. The model published before stays
  current.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException
from assets import CORPORA, LANGUAGE_MODEL, OWNER, refreshes_on_their_way, refuse_unknown_keys
from sentences import told


@dag(
    dag_id="language_model",
    description="published corpora (and text) → n-gram language models",
    doc_md=__doc__,
    schedule=[CORPORA],
    catchup=False,
    max_active_runs=1,
    tags=["speechmill", "language model"],
    default_args={"owner": OWNER},
    params={
        "name": Param(None, type=["null", "string"], title="Name", section="Once, by hand"),
        "order": Param(
            None, type=["null", "integer"], minimum=2, maximum=6, title="Order", section="Once, by hand"
        ),
        "prune": Param(
            [],
            type="array",
            items={"type": "integer", "minimum": 0},
            title="Pruning",
            section="Once, by hand",
            description="thresholds per order, not falling, the first 0",
        ),
        "vocabulary_size": Param(
            None, type=["null", "integer"], minimum=1, title="Vocabulary", section="Once, by hand"
        ),
        "text": Param(
            [],
            type="array",
            items={"type": "string"},
            title="Extra text",
            section="Once, by hand",
            description="files or folders, one per line",
        ),
        "interpolate": Param(
            False,
            type="boolean",
            title="One model per source",
            section="Once, by hand",
            description="mix them by weights tuned on dev",
        ),
    },
)
def language_model() -> None:
    """See the module's text."""

    @task
    @told
    def check() -> list[dict[str, Any]]:
        """What is to be built: models whose inputs have changed, or what the form asks for."""
        from lm.due import due_language_models
        from lm.form import asked_for

        context = get_current_context()
        refuse_unknown_keys(context)
        asked = asked_for(context["params"])
        if asked:
            return [_checked(asked)]
        waiting = refreshes_on_their_way(context["ti"])
        if waiting:
            raise AirflowSkipException(f"{waiting} corpus_refresh on the way; the last one starts this again")
        due = due_language_models()
        if not due:
            raise AirflowSkipException("every language model is already built from exactly these inputs")
        return [{"name": name} for name in due]

    @task(task_id="build", map_index_template="{{ label }}", multiple_outputs=False)
    @told
    def build_model(asked: dict[str, Any]) -> dict[str, Any]:
        """Build one language model, publish it, write its page."""
        from lm.build import build
        from lm.form import request_of
        from lm.pages.report import write_report
        from store.opening import open_store

        get_current_context()["label"] = asked["name"]
        request = request_of(asked)
        manifest = build(request)
        write_report(open_store(request.store), asked["name"])
        figures = ("name", "version", "order", "status", "perplexity", "perplexity_without_oov", "oov_rate")
        return {key: manifest[key] for key in figures} | {"identity": manifest["identity"]}

    @task(outlets=[LANGUAGE_MODEL])
    def announce(built: list[dict[str, Any]]) -> None:
        """Tell `retrain`."""
        models = list(built)
        extra = {"names": [model["name"] for model in models], "models": models}
        get_current_context()["outlet_events"][LANGUAGE_MODEL].extra = extra

    announce(build_model.expand(asked=check()))


def _checked(asked: dict[str, Any]) -> dict[str, Any]:
    """What a form asks for, its text allowed and found; skips the run where it is built already."""
    from corpora.sources.allowed import require_allowed
    from lm.form import is_current, request_of

    asked = {"name": "default", **asked}
    if "text" in asked:
        asked["text"] = [str(path) for path in require_allowed(asked["text"])]
    if is_current(request_of(asked)):
        raise AirflowSkipException(f"language model {asked['name']} is already built from exactly this")
    return asked


language_model()
