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
