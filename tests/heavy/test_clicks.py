"""Clicks in a running Airflow on SQLite while refreshes work: none waits, and what is red stays red until it is cleared."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from opened import airflow_of
from postgresql_server import free_port

RUNS = "/api/v2/dags/corpus_refresh/dagRuns"
CLICKS, AT_MOST_S, LIMIT_S = 200, 5.0, 240.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@dataclass
class Place:
    """A running Airflow, somebody who is logged in, and a corpus to read."""

    client: httpx.Client
    archives: Path
    store: Path

    def start(self, name: str, tree: str = "here") -> None:
        form = {
            "importer": "librispeech",
            "sources": [str(self.archives / tree / "LibriSpeech")],
            "name": name,
        }
        body = {"dag_run_id": name, "logical_date": None, "conf": form}
        self.client.post(RUNS, json=body).raise_for_status()

    def run(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get(f"{RUNS}/{name}").json()
        return found

    def tasks(self, name: str) -> dict[str, set[str]]:
        states: dict[str, set[str]] = {}
        for one in self.client.get(f"{RUNS}/{name}/taskInstances").json()["task_instances"]:
            states.setdefault(one["task_id"], set()).add(str(one["state"]))
        return states

    def working(self) -> int:
        asked = {"state": ["running", "queued"]}
        return int(self.client.get(RUNS, params=asked).json()["total_entries"])

    def pause(self, dag_id: str, paused: bool) -> httpx.Response:
        asked = {"update_mask": "is_paused"}
        return self.client.patch(f"/api/v2/dags/{dag_id}", params=asked, json={"is_paused": paused})


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    from demo.layouts import librispeech, tones

    folder = tmp_path_factory.mktemp("clicks")
    librispeech.write(folder / "archives/here", tones.utterances(4, 14, first=12))
    with airflow_of(folder, free_port(), folder / "archives") as status:
        client = httpx.Client(base_url=status["url"], timeout=90.0, trust_env=False)
        login = {"username": status["user"], "password": status["password"]}
        token = client.post("/auth/token", json=login).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        found = Place(client, folder / "archives", folder / "store")
        found.pause("corpus_refresh", False).raise_for_status()
        yield found


def until(is_so: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + LIMIT_S
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.1)


def test_no_click_waits_for_a_refresh(place: Place) -> None:
    took_s: list[float] = []
    busy: list[int] = []
    started = 0
    for click in range(CLICKS):
        if click % 4 == 0:
            busy.append(place.working())
            for _ in range(2 - busy[-1]):
                place.start(f"beside_{started}")
                started += 1
        begun_s = time.monotonic()
        place.pause("promote", click % 2 == 0).raise_for_status()
        took_s.append(time.monotonic() - begun_s)
        time.sleep(0.1)
    place.pause("promote", True).raise_for_status()
    until(lambda: place.working() == 0)
    assert sum(busy) > len(busy)  # most clicks fell into the work of two
    assert max(took_s) < AT_MOST_S
    assert {place.run(f"beside_{number}")["state"] for number in range(started)} == {"success"}


def test_a_run_marked_failed_while_it_works_stays_red(place: Place) -> None:
    place.start("marked")
    until(lambda: "running" in place.tasks("marked").get("import_groups", set()))
    place.client.patch(f"{RUNS}/marked", json={"state": "failed"}).raise_for_status()
    time.sleep(15.0)  # the scheduler looks at it several times
    assert place.run("marked")["state"] == "failed"
    assert place.run("marked")["note"].endswith("marked: ended by hand; nothing was published by this run")
    assert (
        "ended by hand"
        in place.client.get("/speech/run", params={"dag_id": "corpus_refresh", "run_id": "marked"}).text
    )
    assert not (place.store / "corpora/marked").exists()


def test_clear_only_failed_publishes_and_tells(place: Place) -> None:
    place.start("later", tree="later")
    until(lambda: place.run("later")["state"] == "failed")
    shutil.copytree(place.archives / "here", place.archives / "later")
    cleared = {"dry_run": False, "only_failed": True, "dag_run_id": "later", "reset_dag_runs": True}
    answer = place.client.post("/api/v2/dags/corpus_refresh/clearTaskInstances", json=cleared)
    assert "settle" in {one["task_id"] for one in answer.json()["task_instances"]}
    until(lambda: place.run("later")["state"] in ("success",))
    assert place.tasks("later")["settle"] == {"success"}
    events = place.client.get("/api/v2/assets/events", params={"limit": 100}).json()["asset_events"]
    assert ("later", "later") in [(one["source_run_id"], one["extra"]["name"]) for one in events]
