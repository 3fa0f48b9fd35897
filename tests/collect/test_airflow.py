"""Publishing through Airflow, against a stand-in that speaks its REST interface; and without one."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from collect.errors import CollectError
from collect.publishing import publish as publishing
from collect.publishing.airflow import Airflow, running_airflow
from collect.publishing.snapshot import Snapshot
from store.opening import open_store


class Stand(BaseHTTPRequestHandler):
    """Answers login, unpausing, a new run and its states."""

    calls: ClassVar[list[tuple[str, str, Any]]] = []
    states: ClassVar[list[str]] = []

    def _answer(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        self.calls.append((self.command, self.path, body))
        if self.path == "/auth/token":
            said: Any = {"access_token": "t"}
        elif self.path.endswith("/dagRuns"):
            said = {"dag_run_id": "run-1"}
        elif self.path.endswith("/run-1"):
            said = {"state": self.states.pop(0)}
        else:
            said = {}
        data = json.dumps(said).encode()
        self.send_response(200 if self.path != "/api/v2/broken" else 500)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PATCH = _answer

    def log_message(self, *_arguments: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def airflow() -> Iterator[Airflow]:
    Stand.calls, Stand.states = [], []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stand)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Airflow(f"http://127.0.0.1:{server.server_address[1]}", "admin", "secret")
    server.shutdown()


def test_corpus_refresh_is_triggered_with_the_snapshot(airflow: Airflow, tmp_path: Path) -> None:
    Stand.states = ["success"]
    said = publishing._by_airflow(airflow, Snapshot(tmp_path, {"accepted": 1}), "harbour")
    assert said == {"corpus": "harbour", "status": "success", "run": "run-1"}
    posted = [body for method, path, body in Stand.calls if path.endswith("corpus_refresh/dagRuns")]
    assert posted == [
        {
            "logical_date": None,
            "conf": {"importer": "campaign", "sources": [str(tmp_path)], "name": "harbour", "workers": 1},
        }
    ]


def test_a_failed_run_is_told_with_its_place(airflow: Airflow, tmp_path: Path) -> None:
    Stand.states = ["failed"]
    with pytest.raises(CollectError, match=r"ended as failed: see .*SPEECHMILL_SOURCES"):
        publishing._by_airflow(airflow, Snapshot(tmp_path, {}), "harbour")
    with pytest.raises(CollectError, match="does not do GET broken"):
        airflow.call("GET", "broken")


def test_a_store_without_airflow_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "airflow"))
    assert running_airflow(open_store(tmp_path / "store")) is None
