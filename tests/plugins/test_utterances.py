"""*Speech → Utterances* inside Airflow's application: behind its login, and only who may start a refresh decides."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def application(airflow_home: Path, root: Path) -> Any:
    sys.path.append(str(root / "plugins"))
    from airflow.api_fastapi.app import create_auth_manager

    create_auth_manager().init()
    from speech_pages import app

    return app


@pytest.fixture
def as_role(application: Any, store_root: Path) -> Callable[[str], Any]:
    """A client with the token of a role."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from fastapi.testclient import TestClient

    def client(role: str) -> Any:
        token = get_auth_manager().generate_jwt(SimpleAuthManagerUser(username=f"a-{role}", role=role))
        return TestClient(application, headers={"Authorization": f"Bearer {token}"})

    return client


def test_readers_look_and_operators_decide(
    application: Any, as_role: Callable[[str], Any], tmp_path: Path
) -> None:
    from fastapi.testclient import TestClient

    from corpora.refresh.plan import RefreshRequest
    from corpora.refresh.stage import refresh
    from demo.layouts import librispeech, tones

    tree = librispeech.write(tmp_path / "archives", tones.utterances(1, each=1))
    refresh(RefreshRequest("librispeech", (Path(tree),), store=tmp_path / "store"))
    path = "/utterances/api/librispeech/current/row/0"
    page = {"x-speechmill": "page"}
    stranger = TestClient(application)
    for route in ("/utterances/", "/utterances/files/page.js", "/utterances/api/corpora", path):
        assert stranger.get(route).status_code == 401, route
        assert as_role("viewer").get(route).status_code == 200, route
    assert stranger.post(f"{path}/decide", json={"action": "flag"}, headers=page).status_code == 401
    answers = {
        role: as_role(role).post(f"{path}/decide", json={"action": "flag"}, headers=page)
        for role in ("viewer", "op", "admin")
    }
    assert {role: answer.status_code for role, answer in answers.items()} == {
        "viewer": 403,
        "op": 200,
        "admin": 200,
    }
    assert answers["op"].json()["decision"]["by"] == "a-op"
    assert as_role("viewer").get("/utterances/api/visitor").json() == {
        "name": "a-viewer",
        "may_decide": False,
    }
    assert 'href="/speech/utterances/"' in as_role("viewer").get("/").text


def test_lineage_is_a_page_behind_the_login_and_hostile_names_stay_text(
    application: Any, as_role: Callable[[str], Any], tmp_path: Path
) -> None:
    from fastapi.testclient import TestClient

    from store.writing import write_json_atomic

    hostile = "<script>alert(1)</script>{{ 7 * 7 }}"
    run = tmp_path / "store/runs/abcd1234"
    write_json_atomic(run / "inputs.json", {"corpora": {hostile: "v1"}})
    write_json_atomic(run / "state.json", {"state": hostile})
    stranger, reader = TestClient(application), as_role("viewer")
    for path in ("/lineage", "/lineage?of=abcd1234", "/lineage.json?of=abcd1234"):
        assert stranger.get(path).status_code == 401
        assert reader.get(path).status_code == 200
    page = reader.get("/lineage", params={"of": "abcd1234"})
    assert "learnt from its train" in page.text and "49" not in page.text and "<script>" not in page.text
    assert "script-src 'self';" in page.headers["content-security-policy"]
    unknown = reader.get("/lineage", params={"of": f"{hostile}?"})
    assert "nothing here is called" in unknown.text and "<script>" not in unknown.text
    assert reader.get("/lineage.json", params={"of": "nobody"}).status_code == 404
