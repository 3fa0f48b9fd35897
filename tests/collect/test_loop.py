"""Sentence → recording → checks → votes: the whole loop through the pages and calls of the service."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
from collect_sounds import RATE_HZ, as_int16, voice, wav
from collect_visitors import Browser, Volunteer
from sqlalchemy import select

from collect.database.tables import Clip, Sentence, Stopped

Join = Callable[[], Volunteer]


def test_a_clip_is_recorded_heard_and_accepted_by_two(volunteer: Join) -> None:
    anna, ben, cleo = volunteer(), volunteer(), volunteer()
    clip = anna.speak(1)
    assert [one["id"] for one in ben.call("GET", "/api/c/harbour/clips").json()["clips"]] == [clip]
    sound = ben.call("GET", f"/api/c/harbour/clips/{clip}/sound")
    assert sound.headers["content-type"] == "audio/flac" and sound.content[:4] == b"fLaC"
    assert ben.vote(clip, True).json() == {"state": "waiting"}
    assert cleo.vote(clip, True).json() == {"state": "accepted"}
    page = anna.get("/c/harbour/me").text
    assert "Accepted" in page and "2 yes, 0 no" in page


def test_one_hears_neither_oneself_nor_a_clip_twice(volunteer: Join) -> None:
    anna, ben = volunteer(), volunteer()
    clip = anna.speak(1)
    assert anna.call("GET", "/api/c/harbour/clips").json() == {"clips": []}
    assert anna.vote(clip, True).status_code == 403
    assert ben.vote(clip, True).status_code == 200
    assert ben.call("GET", "/api/c/harbour/clips").json() == {"clips": []}
    assert ben.vote(clip, True).json() == {"state": "waiting"}, "the same vote again counts once"
    assert ben.vote(clip, False, "noise").status_code == 409


def test_a_split_goes_to_a_third_and_begun_clips_come_first(volunteer: Join, app: Any) -> None:
    anna, ben, cleo, dora = (volunteer() for _ in range(4))
    old, new = anna.speak(1), anna.speak(2)
    ben.vote(new, True)
    listed = [one["id"] for one in cleo.call("GET", "/api/c/harbour/clips").json()["clips"]]
    assert listed == [new, old], "a clip with one vote comes before an older one without"
    assert cleo.vote(new, False, "misread", (1, 2)).json() == {"state": "waiting"}
    assert dora.vote(new, False, "noise").json() == {"state": "refused"}
    with app.state.services.database.reading() as session:
        clip = session.scalar(select(Clip).where(Clip.id == new))
        assert (clip.yes, clip.no, clip.state) == (1, 2, "refused")
        assert session.get(Sentence, clip.sentence_id).takes == 0, "its sentence is read again"


def test_a_no_names_a_reason(volunteer: Join) -> None:
    anna, ben = volunteer(), volunteer()
    clip = anna.speak(1)
    assert ben.vote(clip, False).status_code == 400
    assert ben.vote(clip, False, "ugly").status_code == 422
    assert ben.vote(clip, True, "noise").status_code == 400
    assert ben.vote(clip, False, "misread", (99,)).status_code == 400
    assert ben.vote(clip, False, "misread", (0,)).status_code == 200


def test_what_fails_the_checks_is_said_at_once_and_never_heard(volunteer: Join, app: Any) -> None:
    anna, ben = volunteer(), volunteer()
    sentence = anna.tasks(1)[0]["id"]
    quiet = as_int16(voice(1).astype(np.float64) / 32768 * 0.06)
    answer = anna.send(sentence, wav(quiet)).json()
    assert (answer["state"], answer["check"]) == ("stopped", "quiet") and "come nearer" in answer["sentence"]
    assert anna.send(sentence, wav(np.zeros(3 * RATE_HZ, np.int16))).json()["check"] == "silent"
    assert ben.call("GET", "/api/c/harbour/clips").json() == {"clips": []}
    with app.state.services.database.reading() as session:
        assert {one.check for one in session.scalars(select(Stopped))} == {"quiet", "silent"}


def test_a_clip_of_somebody_else_is_stopped(volunteer: Join) -> None:
    anna, ben = volunteer(), volunteer()
    anna.speak(1)
    sentence = ben.tasks(1)[0]["id"]
    room = np.random.default_rng(9).standard_normal(12_000) * 0.0005
    played_back = as_int16(np.concatenate([room, voice(1).astype(np.float64) / 32768 * 0.7, room[:7000]]))
    assert ben.send(sentence, wav(voice(1))).json()["check"] == "copy"
    assert ben.send(sentence, wav(played_back)).json()["check"] == "copy"


def test_an_interrupted_upload_goes_on_and_a_repeated_one_is_one_clip(volunteer: Join, app: Any) -> None:
    anna, take, data = volunteer(), str(uuid.uuid4()), wav(voice(3))
    sentence, place = anna.tasks(1)[0]["id"], f"/api/c/harbour/takes/{take}"
    anna.call("PATCH", f"{place}?offset=0", content=data[:30_000])
    assert anna.call("GET", place).json() == {"bytes": 30_000}
    assert anna.call("PATCH", f"{place}?offset=0", content=data[:30_000]).json() == {"bytes": 30_000}
    assert anna.call("PATCH", f"{place}?offset=50000", content=b"later").status_code == 409
    anna.call("PATCH", f"{place}?offset=30000", content=data[30_000:])
    for _ in range(3):  # the answer was lost, and the browser asks again
        assert anna.send(sentence, data, take).json()["state"] == "waiting"
    with app.state.services.database.reading() as session:
        assert len(list(session.scalars(select(Clip)))) == 1


def test_sentences_are_skipped_reported_and_handed_to_one_at_a_time(volunteer: Join) -> None:
    anna, ben, cleo = volunteer(), volunteer(), volunteer()
    mine, theirs = anna.tasks(3), ben.tasks(3)
    assert not {one["id"] for one in mine} & {one["id"] for one in theirs}
    anna.call("POST", f"/api/c/harbour/sentences/{mine[0]['id']}/skip")
    assert mine[0]["id"] not in {one["id"] for one in anna.tasks(20)}
    for reader in (anna, ben):
        path = f"/api/c/harbour/sentences/{mine[1]['id']}/report"
        assert reader.call("POST", path, {"reason": "a typing error"}).status_code == 200
    assert mine[1]["id"] not in {one["id"] for one in cleo.tasks(20)}


def test_everything_is_taken_back(volunteer: Join, app: Any, settings: Any) -> None:
    anna, ben = volunteer(), volunteer()
    first, second = anna.speak(1), anna.speak(2)
    ben.vote(first, True)
    zipped = anna.get("/c/harbour/me/everything.zip")
    assert zipped.content[:2] == b"PK" and first.encode() in zipped.content
    anna.get("/c/harbour/me")
    assert anna.post(f"/c/harbour/me/withdraw/{first}").status_code == 303
    assert ben.call("GET", f"/api/c/harbour/clips/{first}/sound").status_code == 404
    assert ben.post(f"/c/harbour/me/withdraw/{second}").status_code in (403, 404)
    answer = anna.post("/c/harbour/me/withdraw", {"sure": "yes"})
    assert "1 recordings are deleted" in answer.text
    assert not list(settings.folder.glob("sound/harbour/*/*.flac"))
    with app.state.services.database.reading() as session:
        assert not list(session.scalars(select(Clip)))
    assert anna.call("POST", "/api/c/harbour/tasks").status_code == 403


def test_proposals_are_reviewed_by_two(volunteer: Join) -> None:
    anna, ben, cleo = volunteer(), volunteer(), volunteer()
    form = {"sentence": "The river carried the letter home.", "source": "my own words", "licence": "CC0-1.0"}
    assert anna.post("/c/harbour/write", form).status_code == 303
    again = ben.post("/c/harbour/write", {**form, "sentence": "the RIVER carried the letter home!"})
    assert again.status_code == 409 and "there already" in again.text
    assert "42 pears" in anna.post("/c/harbour/write", {**form, "sentence": "She ate 42 pears."}).text
    page = ben.get("/c/harbour/write").text
    number = page.split("/c/harbour/write/")[1].split('"')[0]
    assert "/c/harbour/write/" not in anna.get("/c/harbour/write").text, "nobody reviews their own"
    assert anna.post(f"/c/harbour/write/{number}", {"verdict": "yes"}).status_code == 403
    for reader in (ben, cleo):
        reader.get("/c/harbour/write")
        assert reader.post(f"/c/harbour/write/{number}", {"verdict": "yes"}).status_code == 303
    assert int(number) in {one["id"] for one in cleo.tasks(20)}


def test_another_browser_is_the_same_voice_by_its_key(volunteer: Join, app: Any) -> None:
    anna = volunteer()
    anna.speak(1)
    key = anna.client.cookies["voice_harbour"]
    other = Browser(app)
    other.get("/c/harbour")
    assert other.post("/c/harbour/return", {"key": "x" * 43}).status_code == 403
    assert other.post("/c/harbour/return", {"key": key}).status_code == 303
    assert "1" in other.get("/c/harbour/me").text.split("<dd>")[1][:2]
