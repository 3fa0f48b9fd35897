"""What admins do: begin a campaign from a text file, invite, look, publish; and who may not."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from collect_visitors import Browser, Volunteer
from sqlalchemy import select

from collect.errors import ConflictError, ForbiddenError, SettingsError
from collect.people import admins, campaigns
from collect.people.campaigns import NewCampaign

Join = Callable[[], Volunteer]


def test_a_campaign_begins_from_a_text_file_and_takes_people_in_by_invite(admin: Browser, app: Any) -> None:
    lines = b"The small boat sailed at noon.\nShe has 12 pears.\nThe small boat sailed at noon\n"
    form = {
        "title": "Boats", "name": "boats", "campaign_language": "en", "licence": "CC0-1.0", "goal_hours": "1",
        "source": "our own", "text_licence": "CC0-1.0",
    }  # fmt: skip
    files = {"file": ("boats.txt", lines, "text/plain")}
    assert admin.post("/admin/campaigns", form, files=files).status_code == 303
    page = admin.get("/admin/c/boats").text
    assert "Sentences left" in page
    shown = admin.post("/admin/c/boats/invites", {"uses": "1", "days": "2", "label": "class 4b"}).text
    link = re.search(r"http://testserver(/i/[\w-]+)", shown)
    assert link is not None
    guest = Browser(app)
    assert guest.post("/c/boats/join", {"text_id": "1", "agree": "yes"}).status_code == 403
    joining = guest.get(link.group(1)).text
    text = re.search(r'name="text_id" value="(\d+)"', joining)
    assert text is not None
    secret = link.group(1).removeprefix("/i/")
    wanted = {"text_id": text.group(1), "agree": "yes", "secret": secret}
    assert guest.post("/c/boats/join", wanted).status_code == 303
    second = Browser(app)
    second.get("/c/boats")
    assert second.post("/c/boats/join", wanted).status_code == 403, "the link was for one"


def test_pages_of_admins_are_closed_to_others(volunteer: Join, app: Any) -> None:
    anna = volunteer()
    assert anna.get("/admin").status_code == 303
    for path in ("/admin/c/harbour",):
        assert anna.get(path).status_code == 403
    for path in ("/admin/campaigns", "/admin/c/harbour/publish", "/admin/c/harbour/invites"):
        assert anna.post(path, {"uses": "3", "days": "3"}).status_code == 403
    stranger = Browser(app)
    now_s = time.monotonic()
    app.state.services.rates._clock = lambda: now_s  # time stands still, however slow the machine
    stranger.get("/admin/login")
    assert stranger.post("/admin/login", {"user": "anna", "password": "wrong password"}).status_code == 403
    for _ in range(12):
        last = stranger.post("/admin/login", {"user": "anna", "password": "wrong password"})
    assert last.status_code == 429


def test_a_new_consent_text_is_asked_of_everybody(admin: Browser, volunteer: Join) -> None:
    anna = volunteer()
    anna.tasks()
    form = {"text": "Newer words.", "text_language": "en"}
    assert admin.post("/admin/c/harbour/consent", form).status_code == 303
    assert anna.call("POST", "/api/c/harbour/tasks").status_code == 403
    page = anna.get("/c/harbour").text
    text = re.search(r'name="text_id" value="(\d+)"', page)
    assert "Newer words." in page and text is not None
    assert anna.post("/c/harbour/join", {"text_id": text.group(1)}).status_code == 400, "without the tick"
    anna.post("/c/harbour/join", {"text_id": text.group(1), "agree": "yes"})
    assert anna.tasks()


def test_reported_sentences_go_back_or_away(admin: Browser, volunteer: Join) -> None:
    anna, ben = volunteer(), volunteer()
    number = anna.tasks(1)[0]["id"]
    for reader in (anna, ben):
        reader.call("POST", f"/api/c/harbour/sentences/{number}/report", {"reason": "odd"})
    assert "odd" in admin.get("/admin/c/harbour").text
    assert admin.post(f"/admin/c/harbour/sentences/{number}/keep").status_code == 303
    cleo = Volunteer(admin.client.app)
    assert number in {one["id"] for one in cleo.tasks(20)}


@pytest.mark.parametrize(
    "new",
    [
        NewCampaign("Boats", "x"), NewCampaign("boats", " "), NewCampaign("boats", "x", language="english please"),
        NewCampaign("boats", "x", licence="all rights!"), NewCampaign("boats", "x", goal_hours=float("nan")),
        NewCampaign("boats", "x", votes_to_decide=0), NewCampaign("boats", "x", publish_every_s=1.0),
    ],
)  # fmt: skip
def test_a_campaign_that_cannot_be_is_refused(app: Any, new: NewCampaign) -> None:
    with pytest.raises(SettingsError), app.state.services.database.writing() as session:
        campaigns.begin(session, new)


def test_admins_need_a_real_password_and_a_name_of_their_own(app: Any) -> None:
    database = app.state.services.database
    with pytest.raises(SettingsError), database.writing() as session:
        admins.add_admin(session, "ben", "short")
    with pytest.raises(ConflictError), database.writing() as session:
        admins.add_admin(session, "anna", "another long password")
    with pytest.raises(ForbiddenError), database.writing() as session:
        admins.log_in(session, "nobody", "another long password")
    with database.reading() as session:
        stored = session.scalar(select(admins.Admin.password_hash))
    assert stored.startswith("$argon2id$")
