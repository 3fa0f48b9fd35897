"""Refreshes in a loop: every task of every run is executed once, every corpus published once.

A task that was lost would leave its run unfinished or without the task; one that was doubled leaves a second attempt,
a second instance, or a second line *begins* in the log of its only attempt.
"""

from __future__ import annotations

import statistics
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.orchestration.own_airflow import OwnAirflow, ended, moment, refresh
from demo.orchestrator import Airflow
from store.opening import open_store

AT_ONCE, _NAMES, _ROWS = 4, 20, 18
_BEGINS = "::group::Pre Execute"
_EXPECTED = {"plan": "success", "seal": "success", "align": "skipped", "settle": "success"}


def loop_figures(own: OwnAirflow, refreshes: int) -> dict[str, Any]:
    """Counts, seconds, and `wrong`: sentences on what was lost or doubled.

    Every corpus is refreshed several times over: the first run publishes it, the others find it unchanged.
    """
    wrong: list[str] = []
    took: list[float] = []
    counts: Counter[str] = Counter()
    with own.running() as (status, airflow):
        airflow.unpause(["corpus_refresh"])
        begun_s, waiting = time.monotonic(), [f"corpus_{number % _NAMES:02d}" for number in range(refreshes)]
        working: list[str] = []
        while waiting or working:
            while waiting and len(working) < AT_ONCE:
                working.append(refresh(airflow, own.tree, waiting.pop(0)))
            run_id = working.pop(0)
            run = ended(airflow, run_id)
            wrong += _wrong_in(airflow, Path(status["home"]), run_id, counts)
            if run["state"] != "success":
                wrong.append(f"{run_id} is {run['state']}")
            else:
                took.append(moment(run["end_date"]) - moment(run["queued_at"]))
        whole_s = time.monotonic() - begun_s
    wrong += _wrong_in_store(own, min(_NAMES, refreshes))
    return {
        "refreshes": refreshes, "at_once": AT_ONCE, "whole_s": round(whole_s),
        "refresh_s_median": round(statistics.median(took), 1), "refresh_s_worst": round(max(took), 1),
        "tasks": dict(sorted(counts.items())), "wrong": wrong,
    }  # fmt: skip


def _wrong_in(airflow: Airflow, home: Path, run_id: str, counts: Counter[str]) -> list[str]:
    """Tasks of a run that are missing, there twice, tried twice or in another state than expected."""
    tasks = airflow.tasks("corpus_refresh", run_id)
    said = []
    seen = Counter((one["task_id"], one["map_index"]) for one in tasks)
    said += [f"{run_id}: {task} {index} stands {n} times" for (task, index), n in seen.items() if n > 1]
    states: dict[str, list[str]] = {}
    for one in tasks:
        counts[f"{one['task_id']} {one['state']}"] += 1
        states.setdefault(one["task_id"], []).append(str(one["state"]))
        if one["try_number"] != 1 and one["state"] == "success":
            said.append(f"{run_id}: {one['task_id']} took {one['try_number']} attempts")
    for task_id in (*_EXPECTED, "import_groups"):
        found = states.get(task_id, [])
        if not found or set(found) - {"success", "skipped"}:
            said.append(f"{run_id}: {task_id} is {', '.join(found) or 'missing'}")
    for path in (home / "logs" / "dag_id=corpus_refresh" / f"run_id={run_id}").rglob("*.log"):
        begun = path.read_text("utf-8", "replace").count(_BEGINS)
        if begun > 1 or path.name != "attempt=1.log":
            said.append(f"{run_id}: {path.parent.name}/{path.name} began {begun} times")
    return said


def _wrong_in_store(own: OwnAirflow, count: int) -> list[str]:
    """Corpora that are missing, there twice or not whole."""
    store, said = open_store(own.store), []
    names = store.corpus_names()
    if len(names) != count:
        said.append(f"{len(names)} corpora stand, not {count}")
    for name in names:
        versions = {path.resolve() for path in (store.corpora_dir / name).glob("*/manifest.json")}
        if len(versions) != 1:
            said.append(f"{name} was published {len(versions)} times")
        corpus = store.corpus(name)
        if not corpus.is_whole() or corpus.manifest["items"]["accepted"] != _ROWS:
            said.append(f"{name} is not whole, or has other rows")
    return said
