"""What Airflow adds to the demo's chain: the time in which no task was at its work.

The chain of `make demo` on the same archives, with a training of a few steps: how long the network learns makes no
difference to what is added. Tasks that only route (check, settle, list_…, announce) are counted as added.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from benchmarks.orchestration.own_airflow import OwnAirflow, moment
from demo import spoken
from demo.archives import make_archives
from demo.chain import Chain, Source
from demo.chain_settings import write_if_changed
from demo.display import Display
from demo.layouts import donated
from demo.orchestrator import DAGS, Airflow
from store.opening import open_store
from training.network.config import config_text, read_config

_STEPS, _SEED = 40, 1
_ROUTES = ("check", "settle", "announce", "list_tunings", "list_evaluations", "list_corpora")


def chain_figures(own: OwnAirflow) -> dict[str, Any]:
    """Seconds of the whole, of its work and of the rest, and how many tasks there were."""
    store = open_store(own.store)
    archives = make_archives(own.archives / "demo", _SEED, lambda *_: None)
    sources = tuple(
        Source(
            donated.NAME if one.importer == "donated" else one.importer, one.importer, (one.path,)
        )
        for one in archives
    )  # fmt: skip
    spoken.prepare(store, _SEED, [source.name for source in sources])
    config = read_config(store.root / "training.toml")
    config = dataclasses.replace(config, loop=dataclasses.replace(config.loop, steps=_STEPS))
    write_if_changed(store.root / "training.toml", config_text(config))
    with own.running() as (_, airflow):
        with Display() as display:
            Chain(store, airflow, display, sources).go()
        return figures_of(_tasks(airflow))


def _tasks(airflow: Airflow) -> list[dict[str, Any]]:
    """Every task of every run, with when its run was queued."""
    return [
        {**task, "queued": run["queued_at"]}
        for dag_id in DAGS
        for run in airflow.runs(dag_id, limit=100)
        for task in airflow.tasks(dag_id, run["dag_run_id"])
    ]


def figures_of(tasks: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """`chain_s` from the first run's start in the queue to the last task's end; `work_s` in which a task was at work."""
    done = [one for one in tasks if one["start_date"] and one["end_date"]]
    begun_s = min(moment(one["queued"]) for one in done)
    ended_s = max(moment(one["end_date"]) for one in done)
    work = sorted(
        (moment(one["start_date"]), moment(one["end_date"])) for one in done if one["task_id"] not in _ROUTES
    )
    work_s, until_s = 0.0, begun_s
    for first_s, last_s in work:
        work_s += max(0.0, last_s - max(first_s, until_s))
        until_s = max(until_s, last_s)
    return {
        "chain_s": round(ended_s - begun_s, 1),
        "work_s": round(work_s, 1),
        "orchestration_s": round(ended_s - begun_s - work_s, 1),
        "tasks": len(done),
    }
