"""Airflow's REST interface and logs as the demo reads them: retries, refusals, the reason of a failed run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from demo import orchestrator
from demo.orchestrator import Airflow, OrchestrationError, last_error


class Server:
    """Answers from a list of (status, JSON) and keeps what was asked."""

    def __init__(self, *answers: tuple[int, Any]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str, str | None]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/auth/token":
            assert json.loads(request.content) == {"username": "admin", "password": "word"}
            return httpx.Response(201, json={"access_token": "token"})
        self.asked.append((request.method, request.url.path, request.headers.get("Authorization")))
        status, body = self.answers.pop(0)
        return httpx.Response(status, json=body)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orchestrator.time, "sleep", lambda seconds: None)


def airflow_of(server: Server, home: Path) -> Airflow:
    status = {"url": "http://127.0.0.1:1", "user": "admin", "password": "word", "home": str(home)}
    airflow = Airflow(status)
    airflow._client = httpx.Client(base_url=status["url"], transport=httpx.MockTransport(server))
    return airflow


def test_a_run_is_started_with_the_users_token(tmp_path: Path) -> None:
    server = Server((200, {"dag_run_id": "manual__1"}))
    assert airflow_of(server, tmp_path).trigger("corpus_refresh", {"workers": 2}) == "manual__1"
    assert server.asked == [("POST", "/api/v2/dags/corpus_refresh/dagRuns", "Bearer token")]


def test_a_busy_server_is_asked_again_and_a_refusal_is_not(tmp_path: Path) -> None:
    busy = Server((503, {}), (500, {}), (200, {"state": "running"}))
    assert airflow_of(busy, tmp_path).run("retrain", "r")["state"] == "running"
    refusing = Server((400, {"detail": "not one of"}))
    with pytest.raises(OrchestrationError, match=r"400 .*not one of"):
        airflow_of(refusing, tmp_path).trigger("corpus_refresh", {"importer": "x"})
    assert len(refusing.asked) == 1


def test_a_server_that_is_gone_is_said(tmp_path: Path) -> None:
    def gone(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    airflow = airflow_of(Server(), tmp_path)
    airflow._client = httpx.Client(base_url="http://127.0.0.1:1", transport=httpx.MockTransport(gone))
    with pytest.raises(OrchestrationError, match="make airflow-status"):
        airflow.runs("retrain")


def test_a_failed_run_names_task_reason_and_log(tmp_path: Path) -> None:
    folder = tmp_path / "logs/dag_id=corpus_refresh/run_id=r1/task_id=plan"
    folder.mkdir(parents=True)
    detail = [{"exc_type": "SourceError", "exc_value": "/data/x does not exist"}]
    lines = [
        {"level": "info", "event": "begun"},
        {"level": "error", "event": "Task failed with exception", "error_detail": detail},
    ]
    log = folder / "attempt=1.log"
    log.write_text("\n".join(map(json.dumps, lines)) + "\nnot JSON\n")
    tasks = [
        {"task_id": "seal", "state": "upstream_failed", "end_date": "1", "map_index": -1},
        {"task_id": "plan", "state": "failed", "end_date": "2", "map_index": -1},
    ]
    server = Server((200, {"task_instances": tasks}))
    said = airflow_of(server, tmp_path).why_failed("corpus_refresh", "r1")
    assert said == f"corpus_refresh: task plan failed: /data/x does not exist\n  log: {log}"


def test_a_log_without_an_error_says_so(tmp_path: Path) -> None:
    log = tmp_path / "attempt=1.log"
    log.write_text('{"level": "info", "event": "all well"}\n')
    assert last_error(log) == "no error line stands in its log"
