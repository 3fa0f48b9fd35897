"""What Airflow costs: start to a usable page, memory at rest, and what a refresh takes beyond its own work.

    python -m benchmarks.orchestration [--refreshes 5] [--json]

An Airflow of its own is made in a temporary folder. `start_s`: from `python -m launcher start` to all parts healthy and
every DAG read, the database being there. `idle_pss_mib`: of all its processes, half a minute later. `refresh_s`: a run of
corpus_refresh over a tiny archive from queued to ended; `work_s`: the durations of its tasks; `orchestration_s`: the rest.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from benchmarks.orchestration.own_airflow import OwnAirflow, refresh
from demo.orchestrator import Airflow

_REST_S, _LIMIT_S = 30.0, 180.0


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--refreshes", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bench-airflow-") as folder:
        figures = measure(OwnAirflow(Path(folder)), options.refreshes)
    lines = [f"{key} {value}" for key, value in figures.items()]
    sys.stdout.write((json.dumps(figures) if options.json else "\n".join(lines)) + "\n")
    return 0


def measure(own: OwnAirflow, refreshes: int) -> dict[str, Any]:
    """All figures; the first start makes the database and counts for itself."""
    begun_s = time.monotonic()
    with own.running():
        first_s = time.monotonic() - begun_s
    begun_s = time.monotonic()
    with own.running() as (status, airflow):
        start_s = time.monotonic() - begun_s
        time.sleep(_REST_S)
        idle = pss_mib(status)
        airflow.unpause(["corpus_refresh"])
        runs = [timed(airflow, refresh(airflow, own.tree, f"tiny_{number}")) for number in range(refreshes)]
        busy = pss_mib(status)
    return {
        "first_start_s": round(first_s, 1), "start_s": round(start_s, 1), "idle_pss_mib": idle,
        "pss_after_runs_mib": busy,
        **{key: round(statistics.median(one[key] for one in runs), 2) for key in runs[0]},
        "refreshes": refreshes, "load": psutil.getloadavg()[0], "cores": psutil.cpu_count(),
    }  # fmt: skip


def pss_mib(status: dict[str, Any]) -> int:
    """Proportional memory of all parts with everything they started."""
    seen: dict[int, float] = {}
    for pid in status["components"].values():
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            try:
                seen[process.pid] = process.memory_full_info().pss / 2**20
            except psutil.Error:
                continue
    return round(sum(seen.values()))


def timed(airflow: Airflow, run_id: str) -> dict[str, float]:
    """Seconds of a run when it has ended: in all, of its tasks, and the rest."""
    deadline_s = time.monotonic() + _LIMIT_S
    while time.monotonic() < deadline_s:
        run = airflow.call("GET", f"dags/corpus_refresh/dagRuns/{run_id}")
        if run["state"] in ("success", "failed"):
            break
        time.sleep(0.25)
    if run["state"] != "success":
        raise SystemExit(f"the refresh {run_id} is {run['state']}, not done")
    tasks = airflow.call("GET", f"dags/corpus_refresh/dagRuns/{run_id}/taskInstances")["task_instances"]
    alone: dict[str, float] = {}  # squares of one task work side by side
    for one in tasks:
        alone[one["task_id"]] = max(alone.get(one["task_id"], 0.0), float(one["duration"] or 0.0))
    whole_s = (_moment(run["end_date"]) - _moment(run["queued_at"])).total_seconds()
    work_s = sum(alone.values())
    return {"refresh_s": whole_s, "work_s": work_s, "orchestration_s": whole_s - work_s}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


if __name__ == "__main__":
    sys.exit(main())
