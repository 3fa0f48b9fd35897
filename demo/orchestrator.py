"""Airflow as the demo uses it: started by the launcher, driven through its REST interface.

What it does: start (or find running) Airflow for a store, unpause the DAGs, start runs, read states, and
say why a run failed: the task, the last words of its log, and where the log lies.

What it does not do: it imports neither Airflow nor any DAG and reads no database.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from native.errors import SpeechmillError

DAGS = ("corpus_refresh", "language_model", "retrain", "data_quality")
UNFINISHED = ("queued", "running")
_TOKEN_LIFE_S = 1800.0
_TRIES = 5


class OrchestrationError(SpeechmillError):
    """Airflow did not start, does not answer, or a DAG run failed; the text says which and where to look."""


@dataclass
class Airflow:
    """One running Airflow. `status` is what the launcher's `start --json` printed."""

    status: dict[str, Any]
    _client: httpx.Client = field(init=False, repr=False)
    _token_until_s: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._client = httpx.Client(base_url=self.status["url"], timeout=30.0, trust_env=False)

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """The JSON answer of the REST interface; busy moments are tried again.

        Raises:
            OrchestrationError: no answer, or an error status; holds what the server said.
        """
        for attempt in range(_TRIES):
            try:
                self._log_in()
                answer = self._client.request(method, f"/api/v2/{path}", json=body, params=query)
            except httpx.HTTPError as error:
                problem = (
                    f"Airflow at {self.status['url']} does not answer ({error}); see `make airflow-status`"
                )
            else:
                if answer.status_code < 400:
                    return answer.json() if answer.content else None
                problem = f"{method} {path}: {answer.status_code} {answer.text[:400]}"
                if answer.status_code < 500:
                    break
            time.sleep(1.0 + attempt)
        raise OrchestrationError(problem)

    def _log_in(self) -> None:
        if time.monotonic() < self._token_until_s:
            return
        login = {"username": self.status["user"], "password": self.status["password"]}
        answer = self._client.post("/auth/token", json=login)
        answer.raise_for_status()
        self._client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        self._token_until_s = time.monotonic() + _TOKEN_LIFE_S

    def unpause(self, dag_ids: Sequence[str] = DAGS) -> None:
        """Let these DAGs run."""
        for dag_id in dag_ids:
            self.call("PATCH", f"dags/{dag_id}", {"is_paused": False}, update_mask="is_paused")

    def trigger(self, dag_id: str, conf: dict[str, Any]) -> str:
        """Start a run; its id."""
        answer = self.call("POST", f"dags/{dag_id}/dagRuns", {"logical_date": None, "conf": conf})
        run_id: str = answer["dag_run_id"]
        return run_id

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """One run: state, start_date, end_date …"""
        found: dict[str, Any] = self.call("GET", f"dags/{dag_id}/dagRuns/{run_id}")
        return found

    def runs(self, dag_id: str, limit: int = 20) -> list[dict[str, Any]]:
        """The newest runs of a DAG, newest first."""
        answer = self.call("GET", f"dags/{dag_id}/dagRuns", limit=limit, order_by="-run_after")
        found: list[dict[str, Any]] = answer["dag_runs"]
        return found

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """The task instances of a run."""
        answer = self.call("GET", f"dags/{dag_id}/dagRuns/{run_id}/taskInstances", limit=200)
        found: list[dict[str, Any]] = answer["task_instances"]
        return found

    def why_failed(self, dag_id: str, run_id: str) -> str:
        """A sentence on a failed run: its first failed task, the last error in its log, the log's path."""
        failed = [
            task for task in self.tasks(dag_id, run_id) if task["state"] in ("failed", "upstream_failed")
        ]
        failed.sort(key=lambda task: (task["state"] != "failed", task["end_date"] or ""))
        if not failed:
            return f"run {run_id} of {dag_id} failed; look at it under {self.status['url']}/dags/{dag_id}"
        task = failed[0]
        log = self._log_of(dag_id, run_id, task)
        said = last_error(log) if log else "its log is not there yet"
        return (
            f"{dag_id}: task {task['task_id']} failed: {said}\n  log: {log or self.status['home'] + '/logs'}"
        )

    def _log_of(self, dag_id: str, run_id: str, task: dict[str, Any]) -> Path | None:
        folder = Path(self.status["home"]) / "logs" / f"dag_id={dag_id}" / f"run_id={run_id}"
        folder /= f"task_id={task['task_id']}"
        if task.get("map_index", -1) >= 0:
            folder /= f"map_index={task['map_index']}"
        attempts = sorted(folder.glob("attempt=*.log"), key=lambda path: path.stat().st_mtime)
        return attempts[-1] if attempts else None


def last_error(log: Path) -> str:
    """The last error in a task's log (JSON lines): the exception's own words where there are any."""
    said = "no error line stands in its log"
    for line in log.read_text("utf-8", "replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if not isinstance(entry, dict) or entry.get("level") not in ("error", "critical"):
            continue
        details = entry.get("error_detail") or []
        words = [
            str(one.get("exc_value")) for one in details if isinstance(one, dict) and one.get("exc_value")
        ]
        said = words[0] if words else str(entry.get("event", said))
    return said


def start_airflow(root: Path, store: Path, sources: Sequence[Path]) -> Airflow:
    """Start Airflow for a store, or find it running, with `sources` added to the roots it may read.

    Raises:
        OrchestrationError: it did not come up; in the launcher's own words.
    """
    launcher = [sys.executable, "-m", "launcher"]
    environment = {**os.environ, "SPEECHMILL_ROOT": str(root), "SPEECHMILL_STORE": str(store)}
    known = _ask([*launcher, "status", "--json"], environment, (0, 3))
    roots = [part for part in str(known.get("sources") or "").split(":") if part]
    roots += [part for part in os.environ.get("SPEECHMILL_SOURCES", "").split(":") if part]
    roots += [str(path.resolve()) for path in sources]
    environment["SPEECHMILL_SOURCES"] = ":".join(dict.fromkeys(roots))
    return Airflow(_ask([*launcher, "start", "--json"], environment, (0,)))


def _ask(command: list[str], environment: dict[str, str], good: tuple[int, ...]) -> dict[str, Any]:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        answer = {}
    if done.returncode not in good or not answer:
        said = done.stderr.strip() or f"`python -m launcher {command[3]}` ended with {done.returncode}"
        raise OrchestrationError(f"{said}\n  more under `make airflow-logs`")
    return answer
