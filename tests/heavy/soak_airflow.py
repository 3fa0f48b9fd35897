"""Refreshes and trainings while parts of Airflow are killed: every run ends right, nothing is done twice.

    make soak-airflow [SEED=1] [COUNT=50]

Each round starts a refresh under its own name, every fifth one a training, and kills one part (SIGKILL) at a random moment
of it: scheduler, api-server, execution-api, dag-processor, triggerer, or a worker with its task. The supervisor starts the
part again. A run that ended red because its task was killed is cleared, as a person would. In the end every corpus must
stand once, whole, every run be green, and every training have been started by one process. Ends with 1 where that is not so.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from benchmarks.orchestration.own_airflow import OwnAirflow, refresh
from demo.orchestrator import Airflow, OrchestrationError
from lm.build import build
from lm.settings import request_for
from store.opening import open_store

PARTS = ("scheduler", "api-server", "execution-api", "dag-processor", "triggerer", "worker")
LIMIT_S, CLEARINGS, TRAININGS = 600.0, 3, 5
REFRESH, TRAINING = "corpus_refresh", "retrain"
NETWORK = "seed = {seed}\n[model]\nn_hidden = 8\n[loop]\nsteps = 30\nbatch_size = 4\nthreads = 1\n"
SETTINGS = """
[[language_models]]
name = "default"
order = 2
corpora = ["{corpus}"]
[retrain]
config = "network.toml"
evaluate = ["{corpus}"]
tune_corpora = ["{corpus}"]
"""


class Jobs(threading.Thread):
    """Looks which processes train in a store; `started`: run → (process, start) of each."""

    def __init__(self, store: Path) -> None:
        super().__init__(daemon=True)
        self.folder, self.over = f"{store}/runs/", threading.Event()
        self.started: dict[str, set[tuple[int, float]]] = {}

    def run(self) -> None:
        while not self.over.wait(0.3):
            for process in psutil.process_iter(["cmdline", "create_time"]):
                said = process.info["cmdline"] or []
                config = next((one for one in said if one.startswith(self.folder)), "")
                if config and "training" in said:
                    run = config.removeprefix(self.folder).partition("/")[0]
                    self.started.setdefault(run, set()).add((process.pid, process.info["create_time"]))


class Soak:
    """One campaign; `counts` of what was killed and what became of the runs."""

    def __init__(self, own: OwnAirflow, airflow: Airflow, seed: int) -> None:
        self.own, self.airflow, self.chance = own, airflow, random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.longest_s = 0.0

    def round(self, number: int) -> str:
        """One run, one kill; answers what is wrong, "" for nothing."""
        trains = number % TRAININGS == TRAININGS - 1
        dag_id, part = (TRAINING if trains else REFRESH), PARTS[number % len(PARTS)]
        if trains:
            (self.own.store / "network.toml").write_text(NETWORK.format(seed=number))
            run_id = self._patiently(lambda: self.airflow.trigger(TRAINING, {}))
        else:
            name = f"corpus_{number:03d}"
            run_id = self._patiently(lambda: refresh(self.airflow, self.own.tree, name))
        time.sleep(self.chance.uniform(0.0, 25.0 if trains else 8.0))
        self.counts[f"killed {part}"] += self._kill(part)
        killed_s = time.monotonic()
        state = self._end_of(dag_id, run_id)
        for _ in range(CLEARINGS):
            if state != "failed":
                break
            self.counts["cleared"] += 1
            cleared = {"dry_run": False, "only_failed": True, "dag_run_id": run_id, "reset_dag_runs": True}
            clear = partial(self.airflow.call, "POST", f"dags/{dag_id}/clearTaskInstances", cleared)
            self._patiently(clear)
            state = self._end_of(dag_id, run_id)
        self.longest_s = max(self.longest_s, time.monotonic() - killed_s)
        self.counts[f"{dag_id} ended {state}"] += 1
        print(
            number, part, dag_id, state, f"{time.monotonic() - killed_s:.0f} s", file=sys.stderr, flush=True
        )
        return "" if state == "success" else f"{run_id} of {dag_id} is {state}"

    def prepare_training(self) -> None:
        """A language model of the first corpus, and settings that train and measure on it."""
        store = open_store(self.own.store)
        store.settings_path.write_text(SETTINGS.format(corpus=store.corpus_names()[0]))
        (self.own.store / "network.toml").write_text(NETWORK.format(seed=0))
        build(request_for("default", self.own.store))
        self.airflow.unpause([TRAINING])

    def _kill(self, part: str) -> int:
        status = self.own.call("status")
        scheduler = status["components"]["scheduler"]
        if part == "worker":
            with contextlib.suppress(psutil.Error):
                workers = psutil.Process(scheduler).children(recursive=True)
                if workers:
                    self.chance.choice(workers).send_signal(signal.SIGKILL)
                    return 1
            return 0
        pid = status["components"][part]
        if pid is None:
            return 0
        with contextlib.suppress(psutil.Error):
            psutil.Process(pid).send_signal(signal.SIGKILL)
            return 1
        return 0

    def _end_of(self, dag_id: str, run_id: str) -> str:
        deadline_s = time.monotonic() + LIMIT_S
        state = "unknown"
        while time.monotonic() < deadline_s:
            with contextlib.suppress(OrchestrationError):
                state = str(self.airflow.run(dag_id, run_id)["state"])
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

    def verdict(self, count: int, jobs: Jobs) -> list[str]:
        """What is wrong with the store after all rounds."""
        store, wrong = open_store(self.own.store), []
        names = store.corpus_names()
        refreshes = sum(number % TRAININGS != TRAININGS - 1 for number in range(count))
        if len(names) != refreshes:
            wrong.append(f"{len(names)} corpora stand, not {refreshes}")
        if len(jobs.started) != count - refreshes:
            wrong.append(f"{len(jobs.started)} trainings were started, not {count - refreshes}")
        twice = [run for run, processes in jobs.started.items() if len(processes) > 1]
        wrong += [f"training {run} was started {len(jobs.started[run])} times" for run in twice]
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
            airflow.unpause([REFRESH])
            soak, jobs = Soak(own, airflow, options.seed), Jobs(own.store)
            jobs.start()
            wrong = []
            for number in range(options.count):
                if number == TRAININGS - 1:
                    soak.prepare_training()
                wrong += filter(None, [soak.round(number)])
            jobs.over.set()
            jobs.join()
            wrong += soak.verdict(options.count, jobs)
    answer = {
        "rounds": options.count,
        "seed": options.seed,
        **dict(sorted(soak.counts.items())),
        "longest_from_kill_to_end_s": round(soak.longest_s),
        "processes_that_trained": sum(map(len, jobs.started.values())),
        "wrong": wrong,
    }
    sys.stdout.write(json.dumps(answer, indent=1) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
