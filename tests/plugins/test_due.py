"""What is due stands on *Speech*, and one press starts the run that builds it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from demo.layouts import librispeech, tones
from lm.build import build
from lm.settings import request_for

OWN = {"Origin": "http://testserver"}
BUTTON = '<form method="post" action="/speech/due">'


@pytest.fixture(scope="module")
def pages(bag: Any, root: Path) -> Any:
    sys.path.append(str(root / "plugins"))
    from airflow.api_fastapi.app import create_auth_manager

    create_auth_manager().init()
    from speech_pages import app

    return app


@contextmanager
def client(pages: Any, role: str) -> Iterator[Any]:
    """The browser of somebody who is logged in, and has not followed the answer yet."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from fastapi.testclient import TestClient

    token = get_auth_manager().generate_jwt(SimpleAuthManagerUser(username=f"a {role}", role=role))
    said = {"Authorization": f"Bearer {token}"}
    with TestClient(pages, headers=said, follow_redirects=False) as found:
        yield found


@pytest.fixture
def behind(store_root: Path, tmp_path: Path) -> Path:
    """A store with a published corpus and no language model."""
    source = librispeech.write(tmp_path / "source", tones.utterances(speakers_per_split=1, each=2)).path
    refresh(RefreshRequest("librispeech", (source,), store=store_root))
    return store_root


@pytest.fixture
def runs(bag: Any) -> Iterator[Any]:
    """The runs of `language_model`, which is not paused; before and after there are none, and then it is paused."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import delete, select

    def found() -> list[Any]:
        with create_session() as session:
            asked = select(DagRun.run_id, DagRun.conf, DagRun.triggering_user_name, DagRun.state)
            return list(session.execute(asked.where(DagRun.dag_id == "language_model")).all())

    def forget() -> None:
        with create_session() as session:
            session.execute(delete(DagRun).where(DagRun.dag_id == "language_model"))

    forget()
    pause(False)
    yield found
    forget()
    pause(True)


def pause(paused: bool) -> None:
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session

    with create_session() as session:
        session.get(DagModel, "language_model").is_paused = paused


def test_one_press_starts_the_run_that_builds_what_is_due(pages: Any, behind: Path, runs: Any) -> None:
    with client(pages, "op") as operator:
        page = operator.get("/").text
        assert "language model <b>default</b> is behind" in page and BUTTON in page
        assert str(behind) not in page, "no path of the server"
        answer = operator.post("/due", headers=OWN)
        assert (answer.status_code, answer.headers["location"]) == (303, "/speech/")
        [(run_id, conf, user, state)] = runs()
        assert (conf or {}, user, state) == ({}, "a op", "queued")
        page = operator.get("/").text
        assert BUTTON not in page and "It is being built" in page and run_id.partition("__")[0] in page
        assert operator.post("/due", headers=OWN).status_code == 303
        assert len(runs()) == 1, "a second press starts no second run"


def test_what_is_built_is_not_due(pages: Any, behind: Path, runs: Any) -> None:
    build(request_for("default", behind))
    with client(pages, "op") as operator:
        page = operator.get("/").text
        assert "is behind" not in page and BUTTON not in page
        assert operator.post("/due", headers=OWN).status_code == 303
    assert runs() == []


def test_only_an_own_form_of_who_may_start_it_builds(pages: Any, behind: Path, runs: Any) -> None:
    with client(pages, "viewer") as reader:
        page = reader.get("/").text
        assert "is behind" in page and BUTTON not in page and "ask an operator" in page
        assert reader.post("/due", headers=OWN).status_code == 403
    with client(pages, "op") as operator:
        for headers in ({}, {"Origin": "http://elsewhere"}, {"Origin": "null"}):
            assert operator.post("/due", headers=headers).status_code == 403
    assert runs() == []


def test_a_paused_dag_says_so_instead_of_a_run_that_waits_for_ever(
    pages: Any, behind: Path, runs: Any
) -> None:
    pause(True)
    with client(pages, "op") as operator:
        page = operator.get("/").text
        assert BUTTON not in page and "is paused: unpause it there" in page
        answer = operator.post("/due", headers=OWN)
        assert answer.status_code == 409 and "unpause it" in answer.json()["detail"]
    assert runs() == []


def test_settings_that_cannot_be_read_are_a_red_row(pages: Any, behind: Path, runs: Any) -> None:
    (behind / "settings.toml").write_text('[[language_models]]\nname = "x"\norders = 3\n')
    with client(pages, "op") as operator:
        answer = operator.get("/")
    assert answer.status_code == 200 and "What is due cannot be said" in answer.text
    assert "orders" in answer.text
