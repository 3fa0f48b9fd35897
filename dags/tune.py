"""
### The settings of a training are searched

Started by hand. `search` makes trials of the configuration that `retrain` trains (`settings.toml` in the
store), hands them to the dispatcher as ordinary runs, measures them on dev and ends those that fall behind.
The page of the search is under *Speech*; the best configuration lies beside it as `best.toml`: to train with
it, name it in `settings.toml`.

| form field | meaning |
|---|---|
| `trials` | in all; those of an earlier search of the same inputs count |
| `jobs` | at a time |
| `sampler` | *tpe* or *random* over the usual settings; *binary*: the binary search on dropout |
| `backend` | who executes the trials |

* `search` red: the sentence at the end of its log says why. Clear it: finished trials are kept, one that was
  under way goes on from its checkpoint.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param, dag, get_current_context, task
from assets import OWNER, refuse_unknown_keys
from sentences import told


@dag(
    dag_id="tune",
    description="trials of a training → the best settings",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    max_active_runs=1,
    tags=["speechmill", "training"],
    default_args={"owner": OWNER},
    params={
        "trials": Param(20, type="integer", minimum=1, maximum=1000, title="Trials"),
        "jobs": Param(1, type="integer", minimum=1, maximum=100, title="At a time"),
        "sampler": Param("tpe", type="string", enum=["tpe", "random", "binary"], title="How to search"),
        "backend": Param("local", type="string", enum=["local", "slurm"], title="Where the trials run"),
    },
)
def tune() -> None:
    """See the module's text."""

    @task
    @told
    def search() -> dict[str, Any]:
        """Run the trials that are missing and write the page."""
        from store.opening import open_store
        from training.search.run import run_search, space_of
        from training.search.study import SearchRequest
        from training.settings import read_retrain

        context = get_current_context()
        refuse_unknown_keys(context)
        asked, store = context["params"], open_store()
        space = space_of(read_retrain(store).config, None, asked["sampler"])
        request = SearchRequest(
            space, int(asked["trials"]), asked["sampler"], jobs=int(asked["jobs"]), backend=asked["backend"]
        )
        found = run_search(request, store)
        return {key: found[key] for key in ("id", "best", "config", "page")}

    search()


tune()
