"""Refreshes in a loop while parts of Airflow are killed: every run ends right, nothing is published twice.

    make soak-airflow [SEED=1] [COUNT=50]

Each round starts a refresh under its own name and kills one part (SIGKILL) at a random moment of it: scheduler, api-server,
execution-api, dag-processor, triggerer, or a task. The supervisor starts the part again. A run that ended red because its
task was killed is cleared, as a person would. In the end every corpus must stand once, whole, with the same version, and
every run be green. Ends with 1 where that is not so.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from benchmarks.orchestration.own_airflow import OwnAirflow, refresh
from demo.orchestrator import Airflow, OrchestrationError
from store.opening import open_store

PARTS = ("scheduler", "api-server", "execution-api", "dag-processor", "triggerer", "task")
LIMIT_S, CLEARINGS = 300.0, 3


class Soak:
    """One campaign; `counts` of what was killed and what became of the runs."""

    def __init__(self, own: OwnAirflow, airflow: Airflow, seed: int) -> None:
        self.own, self.airflow, self.chance = own, airflow, random.Random(seed)
        self.counts: Counter[str] = Counter()

    def round(self, number: int) -> str:
        """One refresh, one kill; answers what is wrong, "" for nothing."""
        name, part = f"corpus_{number:03d}", PARTS[number % len(PARTS)]
        run_id = self._patiently(lambda: refresh(self.airflow, self.own.tree, name))
        time.sleep(self.chance.uniform(0.0, 8.0))
        self.counts[f"killed {part}"] += self._kill(part)
        state = self._end_of(run_id)
        for _ in range(CLEARINGS):
            if state != "failed":
                break
            self.counts["cleared"] += 1
            self._patiently(
                lambda: self.airflow.call(
                    "POST", "dags/corpus_refresh/clearTaskInstances",
                    {"dry_run": False, "only_failed": True, "dag_run_id": run_id, "reset_dag_runs": True},
                )
            )  # fmt: skip
            state = self._end_of(run_id)
        self.counts[f"ended {state}"] += 1
        return "" if state == "success" else f"{name}: its run is {state}"

    def _kill(self, part: str) -> int:
        status = self.own.call("status")
        scheduler = status["components"]["scheduler"]
        if part == "task":
            with contextlib.suppress(psutil.Error):
                tasks = [
                    one
                    for one in psutil.Process(scheduler).children(recursive=True)
                    if one.cpu_times().user > 0
                ]
                victim = self.chance.choice(tasks) if tasks else None
                if victim is not None:
                    victim.send_signal(signal.SIGKILL)
                    return 1
            return 0
        pid = status["components"][part]
        if pid is None:
            return 0
        with contextlib.suppress(psutil.Error):
            psutil.Process(pid).send_signal(signal.SIGKILL)
            return 1
        return 0

    def _end_of(self, run_id: str) -> str:
        deadline_s = time.monotonic() + LIMIT_S
        state = "unknown"
        while time.monotonic() < deadline_s:
            with contextlib.suppress(OrchestrationError):
                state = str(self.airflow.call("GET", f"dags/corpus_refresh/dagRuns/{run_id}")["state"])
                if state in ("success", "failed"):
                    return state
            time.sleep(1.0)
        return f"{state} after {LIMIT_S:.0f} s"

    def _patiently(self, ask: Any) -> Any:
        deadline_s = time.monotonic() + LIMIT_S
        while True:
            try:
                return ask()
            except OrchestrationError:
                if time.monotonic() > deadline_s:
                    raise
                time.sleep(1.0)

    def verdict(self, count: int) -> list[str]:
        """What is wrong with the store after all rounds."""
        store, wrong = open_store(self.own.store), []
        names = store.corpus_names()
        if len(names) != count:
            wrong.append(f"{len(names)} corpora stand, not {count}")
        for name in names:
            versions = list((store.corpora_dir / name).glob("*/manifest.json"))
            if len({path.resolve() for path in versions}) != 1:
                wrong.append(f"{name} was published {len(versions)} times")
            if not store.corpus(name).is_whole():
                wrong.append(f"{name} is not whole")
            if store.corpus(name).manifest["items"]["accepted"] != 18:
                wrong.append(f"{name} has other rows")
        return wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaign; prints counts as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=50)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="soak-airflow-") as folder:
        own = OwnAirflow(Path(folder))
        with own.running() as (_, airflow):
            airflow.unpause(["corpus_refresh"])
            soak = Soak(own, airflow, options.seed)
            wrong = [said for number in range(options.count) if (said := soak.round(number))]
            wrong += soak.verdict(options.count)
    answer = {
        "rounds": options.count,
        "seed": options.seed,
        **dict(sorted(soak.counts.items())),
        "wrong": wrong,
    }
    sys.stdout.write(json.dumps(answer, indent=1) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
