"""Start to a usable page, memory at rest, and what a refresh takes beyond its own work.

`start_s`: from `python -m launcher start` to all parts healthy and every DAG read, the database being there; the first
start, which makes the database, counts for itself. `idle_pss_mib`: of all its processes, half a minute later.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

import psutil

from benchmarks.orchestration.own_airflow import OwnAirflow, ended, moment, refresh
from demo.orchestrator import Airflow

_REST_S, _REFRESHES = 30.0, 5


def start_figures(own: OwnAirflow) -> dict[str, Any]:
    """Seconds, MiB and processor seconds."""
    begun_s = time.monotonic()
    with own.running():
        first_s = time.monotonic() - begun_s
    begun_s = time.monotonic()
    with own.running() as (status, airflow):
        start_s, start_cpu_s = time.monotonic() - begun_s, _cpu_s(status)
        time.sleep(_REST_S)
        idle, idle_cpu_s = pss_mib(status), _cpu_s(status) - start_cpu_s
        airflow.unpause(["corpus_refresh"])
        runs = [timed(airflow, refresh(airflow, own.tree, f"tiny_{number}")) for number in range(_REFRESHES)]
        busy = pss_mib(status)
    return {
        "first_start_s": round(first_s, 1), "start_s": round(start_s, 1), "start_cpu_s": round(start_cpu_s, 1),
        "idle_pss_mib": sum(idle.values()), "idle_pss_mib_by_part": idle,
        "idle_cpu_share": round(idle_cpu_s / _REST_S, 3), "pss_after_runs_mib": sum(busy.values()),
        **{key: round(statistics.median(one[key] for one in runs), 2) for key in runs[0]},
    }  # fmt: skip


def _family(status: dict[str, Any]) -> dict[str, list[psutil.Process]]:
    """The processes of every part, those that they started too."""
    parents = {name: psutil.Process(pid) for name, pid in status["components"].items()}
    apart = set(status["components"].values())
    return {
        name: [parent, *(one for one in parent.children(recursive=True) if one.pid not in apart)]
        if name != "supervisor"
        else [parent]
        for name, parent in parents.items()
    }


def pss_mib(status: dict[str, Any]) -> dict[str, int]:
    """Proportional memory of every part with everything it started."""
    found: dict[str, int] = {}
    for name, processes in _family(status).items():
        total = 0.0
        for process in processes:
            try:
                total += process.memory_full_info().pss / 2**20
            except psutil.Error:
                continue
        found[name] = round(total)
    return found


def _cpu_s(status: dict[str, Any]) -> float:
    """Processor time so far of all parts, of their ended children too."""
    total = 0.0
    for processes in _family(status).values():
        for process in processes:
            try:
                times = process.cpu_times()
            except psutil.Error:
                continue
            total += times.user + times.system + times.children_user + times.children_system
    return total


def timed(airflow: Airflow, run_id: str) -> dict[str, float]:
    """Seconds of a run when it has ended: in all, of its tasks, and the rest."""
    run = ended(airflow, run_id)
    if run["state"] != "success":
        raise SystemExit(f"the refresh {run_id} is {run['state']}, not done")
    alone: dict[str, float] = {}  # squares of one task work side by side
    for one in airflow.tasks("corpus_refresh", run_id):
        alone[one["task_id"]] = max(alone.get(one["task_id"], 0.0), float(one["duration"] or 0.0))
    whole_s = moment(run["end_date"]) - moment(run["queued_at"])
    work_s = sum(alone.values())
    return {"refresh_s": whole_s, "work_s": work_s, "orchestration_s": whole_s - work_s}
