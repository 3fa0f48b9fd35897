"""The Airflow of a store, if it runs: asked of its launcher, driven through its REST interface."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collect.errors import CollectError
from store.store import Store

_ROOT = Path(__file__).resolve().parents[2]
_EVERY_S = 2.0


@dataclass(frozen=True)
class Airflow:
    """One running Airflow: its URL and an admin of it."""

    url: str
    user: str
    password: str

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON answer of the REST interface.

        Raises:
            CollectError: no answer, or an error status.
        """
        import httpx

        try:
            with httpx.Client(base_url=self.url, timeout=30.0, trust_env=False) as client:
                login = client.post("/auth/token", json={"username": self.user, "password": self.password})
                login.raise_for_status()
                client.headers["Authorization"] = f"Bearer {login.json()['access_token']}"
                answer = client.request(method, f"/api/v2/{path}", json=body)
                answer.raise_for_status()
                return answer.json()
        except httpx.HTTPError as error:
            raise CollectError(f"Airflow at {self.url} does not do {method} {path}: {error}") from error

    def trigger(self, dag: str, conf: dict[str, Any]) -> str:
        """Start a run; its id. Raises what `call` raises."""
        self.call("PATCH", f"dags/{dag}?update_mask=is_paused", {"is_paused": False})
        return str(
            self.call("POST", f"dags/{dag}/dagRuns", {"logical_date": None, "conf": conf})["dag_run_id"]
        )

    def wait(self, dag: str, run: str, limit_s: float) -> str:
        """The state in which a run ended, or the one it is in when time is up. Raises what `call` raises."""
        until_s = time.monotonic() + limit_s
        while True:
            state = str(self.call("GET", f"dags/{dag}/dagRuns/{run}")["state"])
            if state not in ("queued", "running") or time.monotonic() > until_s:
                return state
            time.sleep(_EVERY_S)


def running_airflow(store: Store) -> Airflow | None:
    """The Airflow that works on this store, or None."""
    done = subprocess.run(
        [sys.executable, "-m", "launcher", "status", "--json"],
        capture_output=True,
        text=True,
        check=False,
        cwd=_ROOT,
    )
    try:
        status = json.loads(done.stdout)
    except ValueError:
        return None
    if not status.get("running") or Path(status["store"]).resolve() != store.root.resolve():
        return None
    return Airflow(status["url"], status["user"], status["password"])
