"""Into the mill: snapshot, refresh of the corpus, new order of the sentences.

Where this store's Airflow runs, its `corpus_refresh` does the work (and what follows from the asset); else
`python -m corpora refresh` does. Only one publication of a campaign runs at a time.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collect.database.engine import Database
from collect.errors import CollectError
from collect.people.campaigns import campaign_named
from collect.people.secret import now_s
from collect.publishing.airflow import Airflow, running_airflow
from collect.publishing.snapshot import Snapshot, write_snapshot
from collect.publishing.weakness import newest_weakness
from collect.sentences import supply
from collect.settings import Settings
from store.locks import hold
from store.opening import open_store
from store.store import Store

_AIRFLOW_LIMIT_S = 3600.0
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Published:
    """What a publication came to: clips by state in the snapshot, the refresh's answer, who did it, seconds."""

    counts: dict[str, int]
    refresh: dict[str, Any]
    by: str
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """For the command line."""
        return {
            "clips": self.counts,
            "refresh": self.refresh,
            "by": self.by,
            "seconds": round(self.seconds, 2),
        }


def publish(settings: Settings, name: str, through_airflow: bool | None = None) -> Published:
    """Publish a campaign.

    Args:
        through_airflow: True = only so, False = never, None = where it runs.

    Raises:
        NotFoundError: no such campaign. CollectError: nothing accepted yet, or the refresh failed; says why.
    """
    began_s = time.monotonic()
    store, database = open_store(settings.store), Database(settings.database_url)
    database.migrate()
    with hold(settings.folder / "locks" / f"publish-{name}.lock", f"publish {name}", None):
        with database.reading() as session:
            campaign = campaign_named(session, name)
            taken = write_snapshot(session, campaign, settings.folder)
        if not taken.counts.get("accepted"):
            raise CollectError(
                f"campaign {name} has no accepted clip yet ({taken.counts or 'no clip at all'})"
            )
        airflow = None if through_airflow is False else running_airflow(store)
        if airflow is None and through_airflow:
            raise CollectError("Airflow does not run for this store: start it with `make airflow-start`")
        said = _by_airflow(airflow, taken, name) if airflow else _by_command(store, taken, name)
        weakness = newest_weakness(store, campaign.language)
        with database.writing() as session:
            campaign = campaign_named(session, name)
            supply.order(session, campaign, weakness)
            campaign.published_at_s = now_s()
            campaign.published_version = store.corpus(name).version
    database.close()
    return Published(taken.counts, said, "airflow" if airflow else "command", time.monotonic() - began_s)


def _by_command(store: Store, taken: Snapshot, name: str) -> dict[str, Any]:
    command = [
        sys.executable, "-m", "corpora", "refresh", "campaign", "--source", str(taken.folder), "--as", name,
        "--store", str(store.root), "--json",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=_ROOT)
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip() or "it said nothing").split("\n")[-1]
        raise CollectError(f"the refresh of {name} ended with status {done.returncode}: {last}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _by_airflow(airflow: Airflow, taken: Snapshot, name: str) -> dict[str, Any]:
    conf = {"importer": "campaign", "sources": [str(taken.folder)], "name": name, "workers": 1}
    run = airflow.trigger("corpus_refresh", conf)
    state = airflow.wait("corpus_refresh", run, _AIRFLOW_LIMIT_S)
    if state != "success":
        raise CollectError(
            f"Airflow's corpus_refresh of {name} ended as {state}: see {airflow.url}/dags/corpus_refresh/runs/{run}; "
            f"its sources must lie below $SPEECHMILL_SOURCES, and this one is {taken.folder}"
        )
    return {"corpus": name, "status": state, "run": run}
