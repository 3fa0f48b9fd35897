"""Publications begun by the page or by the clock: when they are due, how they stand, and that two never run at once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from collect_visitors import Browser, Volunteer

from collect.people.campaigns import campaign_named
from collect.publishing import jobs
from collect.settings import Settings


def accept_one(volunteer: Callable[[], Volunteer], seed: int) -> None:
    people = [volunteer() for _ in range(3)]
    clip = people[0].speak(seed)
    for listener in people[1:]:
        listener.vote(clip, True)


def test_a_campaign_is_due_when_something_changed_and_its_time_has_come(
    app: Any, volunteer: Callable[[], Volunteer]
) -> None:
    database = app.state.services.database

    def due(now_s: float) -> bool:
        with database.reading() as session:
            return jobs.is_due(database, campaign_named(session, "harbour"), now_s)

    accept_one(volunteer, 1)
    assert not due(time.time() + 1e6), "no schedule"
    with database.writing() as session:
        campaign_named(session, "harbour").publish_every_s = 60.0
    assert due(time.time())
    with database.writing() as session:
        campaign_named(session, "harbour").published_at_s = time.time()
    assert not due(time.time()), "it was published a moment ago"
    assert not due(time.time() + 61), "nothing changed since"
    accept_one(volunteer, 2)
    assert not due(time.time()) and due(time.time() + 61)


@pytest.mark.slow
def test_a_publication_runs_as_a_process_and_says_how_it_went(
    app: Any, settings: Settings, admin: Browser, volunteer: Callable[[], Volunteer]
) -> None:
    assert jobs.publication_state(settings, "harbour")["state"] == "none"
    accept_one(volunteer, 3)
    admin.get("/admin/c/harbour")
    assert admin.post("/admin/c/harbour/publish").status_code == 303
    assert not jobs.start_publication(settings, "harbour"), "one at a time"
    end_s = time.monotonic() + 120
    while jobs.publication_state(settings, "harbour")["state"] == "running":
        assert time.monotonic() < end_s, Path(settings.folder / "publications/harbour.log").read_text()
        time.sleep(0.2)
    found = jobs.publication_state(settings, "harbour")
    assert found["state"] == "done" and "1 clips accepted" in found["said"], found
    assert "1 clips accepted" in admin.get("/admin/c/harbour").text


def test_a_killed_publication_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 2**22 + 1)
    jobs.note_publication(settings, "harbour", "running", "")
    assert jobs.publication_state(settings, "harbour")["state"] == "failed"


def test_the_clock_begins_what_is_due(
    app: Any, settings: Settings, volunteer: Callable[[], Volunteer], monkeypatch: pytest.MonkeyPatch
) -> None:
    database, begun = app.state.services.database, []
    monkeypatch.setattr(jobs, "start_publication", lambda _settings, name: begun.append(name) or True)
    with database.writing() as session:
        campaign_named(session, "harbour").publish_every_s = 60.0
    schedule = jobs.Schedule(settings, database)
    assert schedule.look() == []
    accept_one(volunteer, 4)
    assert schedule.look() == ["harbour"] and begun == ["harbour"]
