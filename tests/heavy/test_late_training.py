"""A training that is late in a running Airflow: whoever the settings name is told once, with a link to the run."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from opened import airflow_of, until
from postgresql_server import free_port

LATE_AFTER_S, LIMIT_S = 10.0, 180.0
SLOW = "seed = 1\n[model]\nn_hidden = 8\n[loop]\nsteps = 1000000\nbatch_size = 4\nthreads = 1\n"
SETTINGS = """
[[language_models]]
name = "default"
order = 2
[retrain]
config = "slow.toml"
[notices]
webhook = "{webhook}"
link = "http://speech.example"
late_after_h = {hours}
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@contextmanager
def receiver() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An address that takes notices, and what it has taken."""
    taken: list[dict[str, Any]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on the error output."""

    server = HTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", taken
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with a published corpus and a language model."""
    from corpora.refresh.plan import RefreshRequest
    from corpora.refresh.stage import refresh
    from demo.layouts import librispeech, tones
    from lm.build import build
    from lm.settings import request_for

    store = tmp_path / "store"
    monkeypatch.setenv("SPEECHMILL_STORE", str(store))
    source = librispeech.write(tmp_path / "source", tones.utterances(2, 3)).path
    refresh(RefreshRequest("librispeech", (source,), store=store))
    (store / "slow.toml").write_text(SLOW)
    (store / "settings.toml").write_text(SETTINGS.partition("[notices]")[0])
    build(request_for("default", store))
    return tmp_path


def test_a_late_training_is_told_once(folder: Path) -> None:
    from demo.orchestrator import Airflow

    with receiver() as (webhook, taken):
        settings = SETTINGS.format(webhook=webhook, hours=LATE_AFTER_S / 3600)
        (folder / "store/settings.toml").write_text(settings)
        with airflow_of(folder, free_port()) as status:
            airflow = Airflow(status)
            airflow.unpause(["retrain"])
            begun_s = time.monotonic()
            run_id = airflow.trigger("retrain", {})
            until("the late training is told", lambda: taken, LIMIT_S)
            assert time.monotonic() - begun_s >= LATE_AFTER_S
            time.sleep(5.0)  # the scheduler looks at deadlines again and again
            airflow.call("PATCH", f"dags/retrain/dagRuns/{run_id}", {"state": "failed"}, update_mask="state")
            until("its end is told too", lambda: len(taken) > 1, LIMIT_S)
    late, failed = taken
    assert (late["kind"], late["title"]) == ("late", "a training is late")
    assert run_id in late["text"]
    assert late["link"].startswith("http://speech.example/dags/retrain/runs/manual__")
    assert failed["kind"] == "failed"
