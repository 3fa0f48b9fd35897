"""
### The reports a person reads and listens to

Starts when a corpus was published; all events that wait are folded into one run. `list_corpora` finds the
corpora whose page is older than their current version, `expect` looks at their rows with Great Expectations, `corpus_page`
writes one page each, `chain_page` the overview of the whole chain. What does not meet what is expected is told on the
pages and in the note of the run; it stops nothing. The pages are under *Speech* in the navigation and on the tab
*Report* of every run. They are made from manifests only: delete them and this DAG makes them again.

* `corpus_page` red: a manifest or a shard is damaged; its log names the file. Refresh that corpus.
* `expect` red: the library itself failed; the pages are written all the same.
* Pink at `list_corpora` while a `corpus_refresh` waits or works: the last of them starts this again. Pink at
  `corpus_page`: all pages are up to date.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException
from assets import CORPORA, OWNER, refreshes_on_their_way, refuse_unknown_keys
from sentences import told


@dag(
    dag_id="data_quality",
    description="manifests → report pages",
    doc_md=__doc__,
    schedule=[CORPORA],
    catchup=False,
    max_active_runs=1,
    tags=["speechmill", "reports"],
    default_args={"owner": OWNER},
    params={
        "checks": Param(
            None,
            type=["null", "string"],
            enum=[None, "fast", "full"],
            title="Level of checks",
            description="fast: some rows of every shard; full: every row; empty: as the refreshes asked",
        )
    },
)
def data_quality() -> None:
    """See the module's text."""

    @task
    @told
    def list_corpora() -> list[str]:
        """Names of the corpora whose page is not of their current version."""
        from corpora.report import outdated_reports

        context = get_current_context()
        refuse_unknown_keys(context)
        waiting = refreshes_on_their_way(context["ti"])
        if waiting:
            raise AirflowSkipException(f"{waiting} corpus_refresh on the way; the last one starts this again")
        return outdated_reports()

    @task(multiple_outputs=False)
    @told
    def expect(names: list[str]) -> list[dict[str, Any]]:
        """Look at the rows of each: one task, for the library takes seconds to load."""
        from corpora.expectations.validate import expect as look_at_rows
        from store.opening import open_store

        context = get_current_context()
        store, level = open_store(), asked_level(context)
        found = [look_at_rows(store, name, level) for name in names]
        return [
            {
                "corpus": one["corpus"], "level": one["level"], "asked": len(one["expectations"]), "page": one["page"],
                "not_met": [other["says"] for other in one["expectations"] if not other["passed"]],
            }
            for one in found
        ]  # fmt: skip

    @task(map_index_template="{{ label }}", trigger_rule="none_skipped")
    @told
    def corpus_page(name: str) -> str:
        """Write the page of one corpus."""
        from corpora.report import write_corpus_report
        from store.opening import open_store

        get_current_context()["label"] = name
        store = open_store()
        return str(write_corpus_report(store, store.corpus(name)))

    @task(trigger_rule="none_failed_min_one_success")
    @told
    def chain_page() -> str:
        """Write the overview and the pages of the evaluations."""
        from training.pages.report import write_reports

        return str(write_reports())

    names = list_corpora()
    pages = corpus_page.expand(name=names)
    expect(names) >> pages >> chain_page()


def asked_level(context: Any) -> str:
    """The level of checks: of the form, else the closest that a refresh asked for, else *fast*."""
    asked = context["params"]["checks"]
    if asked:
        return str(asked)
    events = [one for asset in (context.get("triggering_asset_events") or {}).values() for one in asset]
    return "full" if any((one.extra or {}).get("checks") == "full" for one in events) else "fast"


data_quality()
