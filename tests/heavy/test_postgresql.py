"""The same Airflow on PostgreSQL: a real server, the real launcher, a real refresh through the REST interface."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from postgresql_server import free_port, postgresql_server, programs

ROOT = Path(__file__).resolve().parents[2]
RUN_LIMIT_S = 240.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(programs() is None, reason="PostgreSQL is not installed (make test-all installs it)"),
]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder the user `postgres` can reach, which a folder under a private home is not."""
    folder = Path(tempfile.mkdtemp(dir="/tmp", prefix="speechmill-postgresql-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def launcher(command: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "launcher", command, *(["--json"] if command != "stop" else [])],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def wait_for(airflow: Any, run_id: str) -> str:
    deadline_s = time.monotonic() + RUN_LIMIT_S
    while time.monotonic() < deadline_s:
        state: str = airflow.run("corpus_refresh", run_id)["state"]
        if state not in ("queued", "running"):
            return state
        time.sleep(1.0)
    return "too slow"


def test_a_refresh_publishes_with_postgresql_behind_airflow(tmp_path: Path, open_folder: Path) -> None:
    from demo.layouts import librispeech, tones
    from demo.orchestrator import Airflow

    archives = tmp_path / "archives"
    archives.mkdir()
    tree = Path(librispeech.write(archives, tones.utterances()))
    with postgresql_server(open_folder / "server") as url:
        environment = {
            **os.environ,
            "SPEECHMILL_ROOT": str(ROOT),
            "SPEECHMILL_DB": url,
            "SPEECHMILL_PORT": str(free_port()),
            "SPEECHMILL_SOURCES": str(archives),
            "SPEECHMILL_STORE": str(tmp_path / "store"),
            "AIRFLOW_HOME": str(tmp_path / "airflow"),
        }
        started = launcher("start", environment)
        try:
            assert started.returncode == 0, started.stderr
            assert not (tmp_path / "airflow" / "airflow.db").exists(), "it runs on SQLite"
            airflow = Airflow(json.loads(started.stdout))
            airflow.unpause(["corpus_refresh"])
            conf = {"importer": "librispeech", "sources": [str(tree)]}
            run_id = airflow.trigger("corpus_refresh", conf)
            assert wait_for(airflow, run_id) == "success"
        finally:
            stopped = launcher("stop", environment)
        assert stopped.returncode == 0, stopped.stderr
    manifest = json.loads((tmp_path / "store/corpora/librispeech/current/manifest.json").read_text())
    assert manifest["items"]["accepted"] == len(tones.utterances())


def kept(command: list[str], environment: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "launcher", *command, "--json"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def states(environment: dict[str, str]) -> dict[str, str]:
    """Start, read every refresh there ever was, stop: run → state."""
    from demo.orchestrator import Airflow

    started = launcher("start", environment)
    try:
        assert started.returncode == 0, started.stderr
        runs = Airflow(json.loads(started.stdout)).runs("corpus_refresh")
        return {run["dag_run_id"]: run["state"] for run in runs}
    finally:
        launcher("stop", environment)


@pytest.mark.timeout(900)
def test_a_team_moves_from_sqlite_and_restores_a_backup(tmp_path: Path, open_folder: Path) -> None:
    from demo.layouts import librispeech, tones
    from demo.orchestrator import Airflow

    (tmp_path / "archives").mkdir()
    tree = Path(librispeech.write(tmp_path / "archives", tones.utterances()))
    on_sqlite = {
        **os.environ,
        "SPEECHMILL_ROOT": str(ROOT),
        "SPEECHMILL_PORT": str(free_port()),
        "SPEECHMILL_SOURCES": str(tmp_path / "archives"),
        "SPEECHMILL_STORE": str(tmp_path / "store"),
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
    }
    started = launcher("start", on_sqlite)
    try:
        assert started.returncode == 0, started.stderr
        airflow = Airflow(json.loads(started.stdout))
        airflow.unpause(["corpus_refresh"])
        first = airflow.trigger("corpus_refresh", {"importer": "librispeech", "sources": [str(tree)]})
        assert wait_for(airflow, first) == "success"
    finally:
        launcher("stop", on_sqlite)
    with postgresql_server(open_folder / "server") as url:
        server = {**on_sqlite, "SPEECHMILL_DB": url}
        moved = kept(["move-database"], server)
        assert moved["tables"]["dag_run"] == 1 and moved["rows"] > 50
        again = subprocess.run(
            [sys.executable, "-m", "launcher", "move-database"], cwd=ROOT, env=server, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert again.returncode == 1 and "has 1 runs already" in again.stderr
        assert states(server) == {first: "success"}
        backup = kept(["backup", str(tmp_path / "backups")], server)
        started = launcher("start", server)
        try:
            airflow = Airflow(json.loads(started.stdout))
            later = airflow.trigger("corpus_refresh", {"importer": "librispeech", "sources": [str(tree)]})
            assert wait_for(airflow, later) == "success", "new rows get ids that no moved row has"
        finally:
            launcher("stop", server)
        kept(["restore", backup["backup"]], server)
        assert states(server) == {first: "success"}
