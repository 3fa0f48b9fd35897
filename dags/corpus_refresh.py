"""
### Archives become a published corpus

One run refreshes **one corpus**: `plan` downloads the parts that were asked for (most runs ask for none) and
cuts the sources into groups of recordings, `import_groups` (one square per group) turns each into checked
Parquet rows, `seal` joins them, asks the quality gate and publishes, `align` finds the times of recordings that
came with a text and no times, `settle` tells the other DAGs. A run on unchanged sources publishes nothing new and
says so in the log of `seal`.

Recordings whose text has no times wait in quarantine. Where a released model knows their language, `align` hears
them and publishes what was found as the corpus `<name>-aligned`, with a certificate of every recording under
`aligned/<name>/certificates` in the store. `seal` is pink where nothing has times from the start.

| form field | meaning |
|---|---|
| `importer` | the layout of the archives |
| `sources` | directories or archive files below an allowed root; what lies there is offered. Another path, also \
`s3://…`, can be written into the JSON under *Advanced options* |
| `parts` | download these first (LibriSpeech `dev-clean` …, TED-LIUM `release3` …) into the one folder in `sources` |
| `name` | publish under this name instead of the importer's (or the donation's) own |
| `donation` | a donation.toml for archives that bring none |
| `options` | choices the importer offers (`python -m corpora refresh --help`), by name; files below a root too |
| `dry_run` | only look: what it is, what would be imported anew; the answer stands on the tab *Report* |
| `checks` | how closely `data_quality` looks at the rows afterwards: *fast* or *full* |
| `workers` | into how many parallel tasks the import is cut; the result is the same |

**When it is red**

* `plan` failed: the sentence at the end of its log names the field, the source or the server's answer,
  and what mends it; a download goes on where it stopped when the task is cleared.
* `import_groups` failed: disk, memory or a fault of ours. Clear the task to try again; finished groups are
  kept.
* `seal` failed: the gate refused the corpus (its log lists the expectations that failed) or nothing could be
  imported. The version published before stays current. The tab *Report* shows what was refused, and why.
* `align` pink: nothing waits for times, or no released model knows the language; its log says which. Release one
  (`python -m training release`) and start the run again. Red: nothing could be aligned; its log says why.
* `settle` pink: the language models are up to date with what is published; nothing follows.
* A run that ends red, also one that was marked failed by hand, stays red, publishes nothing, and still lets the other
  DAGs know when something published earlier waits for it. *Clear only failed* runs the rest of it, `settle` too.
"""

from __future__ import annotations

import logging
from typing import Any

from airflow.sdk import Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException
from assets import CORPORA, CORPUS, OWNER, refuse_unknown_keys, say_sealed
from sentences import told

log = logging.getLogger(__name__)


def importer_names() -> list[str]:
    """The registry's names, for the form."""
    from corpora.importers import importer_names

    return importer_names()


def sources_offered() -> dict[str, str]:
    """Path → what the form shows of it, for what lies below the allowed roots now."""
    from corpora.sources.allowed import offered
    from store.opening import open_store

    return {str(one.path): one.label for one in offered(open_store())}


def roots_in_words() -> str:
    """The allowed roots, for the form."""
    import os

    from corpora.sources.allowed import allowed_entries, search_ended
    from store.opening import open_store

    there, cut = ", ".join(allowed_entries(os.environ)), search_ended(open_store())
    if not there:
        return "no root is allowed: SPEECHMILL_SOURCES=/dir make airflow-start"
    return f"allowed roots: {there}{f'; {cut}' if cut else ''}"


def last_used() -> dict[str, Any]:
    """What the form held last."""
    from corpora.sources.allowed import last_form
    from store.opening import open_store

    return last_form(open_store())


OFFERED, LAST = sources_offered(), last_used()


@task(outlets=[CORPUS], multiple_outputs=False)
@told
def seal(bundles: list[dict[str, Any]]) -> dict[str, Any]:
    """Join the groups, assign splits, ask the gate, publish."""
    from corpora.errors import NothingImportedError
    from corpora.refresh.bundles import seal_bundles

    try:
        sealed = seal_bundles(bundles)
    except NothingImportedError as error:
        if error.waits and _can_be_aligned(error.waits):
            raise AirflowSkipException(f"all recordings of {error.waits} wait for times") from error
        raise
    say_sealed(get_current_context(), sealed)
    return sealed


@task(outlets=[CORPUS], trigger_rule="none_failed", multiple_outputs=False)
@told
def align(bundles: list[dict[str, Any]] | None) -> dict[str, Any]:
    """Find the times of what waits for them, and publish it as a corpus of its own."""
    from corpora.refresh.bundles import name_of, require_passed
    from store.opening import open_store
    from training.alignment.waiting import publish_aligned, why_not

    if not bundles:
        raise AirflowSkipException("a look at the sources imports nothing")
    name, store = name_of(bundles), open_store()
    reason = why_not(name, store)
    if reason is not None:
        raise AirflowSkipException(reason)
    answer = publish_aligned(name, store)
    for problem in answer["problems"]:
        log.warning("%s", problem)
    require_passed(answer["published"], store)
    say_sealed(get_current_context(), answer["published"])
    return {
        **answer["published"],
        "aligned": {key: answer[key] for key in ("recordings", "segments", "path")},
    }


@task(outlets=[CORPORA], trigger_rule="none_failed_min_one_success")
@told
def settle() -> None:
    """Tell the other DAGs. A run that ends red is told by plugins/failed_refreshes.py: no task of it would run."""
    from lm.due import due_language_models
    from native.errors import SpeechmillError

    context = get_current_context()
    try:
        due = bool(due_language_models())
    except SpeechmillError as error:  # language_model shall show it, in red
        log.warning("what is due cannot be said: %s", error)
        due = True
    if not due:
        raise AirflowSkipException("every language model is up to date with the published corpora")
    sealed = context["ti"].xcom_pull(task_ids="seal") or context["ti"].xcom_pull(task_ids="align") or {}
    keys = {"name": "corpus", "version": "version", "rows": "utterances", "hours": "hours"}
    extra = {ours: sealed.get(theirs) for ours, theirs in keys.items()}
    more = {"rejected": sealed.get("rejected"), "checks": context["params"]["checks"]}
    context["outlet_events"][CORPORA].extra = extra | more


def _can_be_aligned(name: str) -> bool:
    from store.opening import open_store
    from training.alignment.waiting import why_not

    return why_not(name, open_store()) is None


@dag(
    dag_id="corpus_refresh",
    description="archives → a checked, published corpus",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    max_active_runs=8,
    tags=["speechmill", "corpora"],
    default_args={"owner": OWNER},
    params={
        "importer": Param(
            LAST.get("importer", "librispeech"), type="string", enum=importer_names(), title="Importer"
        ),
        "sources": Param(
            [path for path in LAST.get("sources", []) if path in OFFERED],
            type="array",
            items={"type": "string"},
            minItems=1,
            title="Sources",
            description=roots_in_words(),
            **({"examples": list(OFFERED), "values_display": OFFERED} if OFFERED else {}),
        ),
        "dry_run": Param(
            False,
            type="boolean",
            title="Dry run",
            description="only say what it is and what would change",
        ),
        "parts": Param(
            None,
            type=["null", "array"],
            items={"type": "string"},
            title="Parts to download first",
            section="More",
            description="LibriSpeech or TED-LIUM only, one per line; the source is the folder for the archives",
        ),
        "name": Param(
            None,
            type=["null", "string"],
            title="Name",
            section="More",
            description="publish under this name; empty: the importer's or the donation's own",
        ),
        "donation": Param(
            None,
            type=["null", "string"],
            title="Donation file",
            section="More",
            description="a donation.toml for archives that bring none",
        ),
        "options": Param(
            None,
            type=["null", "object"],
            title="Options of the importer",
            section="More",
            description='as the command line has them, for example {"release": "3", "pad": "yes"}',
        ),
        "checks": Param(
            "fast", type="string", enum=["fast", "full"], title="Level of checks", section="More"
        ),
        "workers": Param(2, type="integer", minimum=1, maximum=64, title="Workers", section="More"),
    },
)
def corpus_refresh() -> None:
    """See the module's text."""

    @task
    @told
    def plan() -> list[dict[str, Any]]:
        """Check the form, download what it asks for, read names and tables of the sources, share the work out."""
        from corpora.download import fetch_sources
        from corpora.importers import allowed_options
        from corpora.refresh.bundles import plan_bundles
        from corpora.refresh.plan import RefreshRequest
        from corpora.refresh.preview import preview
        from corpora.sources.allowed import remember_form, require_allowed, require_allowed_sources
        from store.opening import open_store

        context = get_current_context()
        refuse_unknown_keys(context)
        params = context["params"]
        allowed = require_allowed_sources(params["sources"])
        sources = fetch_sources(params["importer"], params["parts"] or [], allowed)
        request = RefreshRequest(
            importer=params["importer"],
            sources=tuple(sources),
            name=params["name"] or None,
            donation=require_allowed([params["donation"]])[0] if params["donation"] else None,
            options=allowed_options(params["importer"], params["options"] or {}),
            workers=int(params["workers"]),  # JSON's integers may be written 2.0
        )
        remember_form(open_store(), {"importer": params["importer"], "sources": params["sources"]})
        if params["dry_run"]:
            seen = preview(request)
            context["ti"].xcom_push(key="preview", value=seen)
            raise AirflowSkipException(seen["headline"])
        return plan_bundles(request)

    @task(map_index_template="{{ label }}", multiple_outputs=False, retries=1)
    @told
    def import_groups(bundle: dict[str, Any]) -> dict[str, Any]:
        """Turn some groups of recordings into checked rows and rejections."""
        from corpora.refresh.bundles import run_bundle

        get_current_context()["label"] = bundle["label"]
        return run_bundle(bundle)

    bundles = plan()
    sealed, aligned = seal(bundles), align(bundles)
    import_groups.expand(bundle=bundles) >> sealed >> aligned
    [sealed, aligned] >> settle()


corpus_refresh()
