"""An Airflow of its own in a folder that may go: for what measures it, and for what kills its parts."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from demo.layouts import librispeech, tones
from demo.orchestrator import Airflow

ROOT = Path(__file__).resolve().parents[2]


class OwnAirflow:
    """Home, store and a tiny LibriSpeech below a folder; `environment` is what its processes see."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store, self.archives = folder, folder / "store", folder / "archives"
        for path in (self.store, self.archives):
            path.mkdir(parents=True, exist_ok=True)
        self.tree = Path(librispeech.write(self.archives, tones.utterances(2, 3)))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.environment = {
            **os.environ,
            "SPEECHMILL_ROOT": str(ROOT),
            "SPEECHMILL_PORT": str(port),
            "SPEECHMILL_STORE": str(self.store),
            "SPEECHMILL_SOURCES": str(self.archives),
            "AIRFLOW_HOME": str(folder / "airflow"),
        }

    def call(self, command: str) -> dict[str, Any]:
        """A command of the launcher; its JSON, {} where it prints none."""
        done = subprocess.run(
            [sys.executable, "-m", "launcher", command, *(["--json"] if command != "stop" else [])],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"python -m launcher {command}: {done.stderr.strip()[-2000:]}")
        answer: dict[str, Any] = json.loads(done.stdout) if done.stdout.startswith("{") else {}
        return answer

    @contextmanager
    def running(self) -> Iterator[tuple[dict[str, Any], Airflow]]:
        """Started, and stopped in the end; its status and its interface."""
        status = self.call("start")
        try:
            yield status, Airflow(status)
        finally:
            self.call("stop")


def refresh(airflow: Airflow, source: Path, name: str) -> str:
    """Start a refresh under a name; answers the id of its run."""
    form = {"importer": "librispeech", "sources": [str(source)], "name": name}
    run = airflow.call("POST", "dags/corpus_refresh/dagRuns", {"logical_date": None, "conf": form})
    return str(run["dag_run_id"])


def ended(airflow: Airflow, run_id: str, limit_s: float = 600.0) -> dict[str, Any]:
    """A run of corpus_refresh when it has ended, or as it is after `limit_s` seconds."""
    deadline_s = time.monotonic() + limit_s
    run = airflow.run("corpus_refresh", run_id)
    while run["state"] not in ("success", "failed") and time.monotonic() < deadline_s:
        time.sleep(0.25)
        run = airflow.run("corpus_refresh", run_id)
    return run


def moment(text: str) -> float:
    """Seconds since 1970 of a time as the interface writes it."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
