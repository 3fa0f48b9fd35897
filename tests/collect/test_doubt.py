"""The doubt of a network: its likelihoods against all alignments by hand, and what the service makes of its answers."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from collect_sounds import voice, wav
from collect_visitors import Volunteer
from sqlalchemy import select

from collect.checks.doubt import Doubter, Heard, is_doubtful
from collect.checks.doubt_worker import behind, log_likelihood
from collect.database.tables import Clip, Stopped
from collect.settings import Settings, released_run

WORKER = """
import json, sys
while line := sys.stdin.buffer.readline():
    asked = json.loads(line)
    sys.stdin.buffer.read(asked["bytes"])
    {act}
"""
DOUBTS = 'print(json.dumps({"heard": "something else", "behind": 1.5, "likelier": True}), flush=True)'


@pytest.mark.parametrize("labels", [[0], [1], [0, 1], [0, 0], [1, 0, 1]])
def test_the_likelihood_is_the_sum_over_all_alignments(labels: list[int]) -> None:
    rng = np.random.default_rng(len(labels))
    frames, blank = 5, 2
    log_probs = np.log(rng.dirichlet(np.ones(3), frames))
    total = 0.0
    for path in itertools.product(range(3), repeat=frames):
        collapsed = [label for label, _ in itertools.groupby(path) if label != blank]
        if collapsed == labels:
            total += float(np.exp(sum(log_probs[at, label] for at, label in enumerate(path))))
    assert log_likelihood(log_probs, labels, blank) == pytest.approx(np.log(total))


def test_what_was_said_is_near_the_best_path_and_something_else_is_not() -> None:
    log_probs = np.log(np.full((20, 3), 0.01))
    said = [0, 1, 0, 1]
    for at in range(20):
        log_probs[at, said[at // 5] if at % 5 < 3 else 2] = np.log(0.98)
    assert behind(log_probs, said, 2) < 0.2
    assert behind(log_probs, [1, 1, 1, 1, 1], 2) > 1.0
    assert behind(log_probs[:2], [0, 1, 0], 2) == float("inf")


@pytest.mark.parametrize(
    ("far", "likelier", "before", "doubted"),
    [
        (1.5, True, [], True),  # nothing is known of the voice: far, and another sentence is likelier
        (1.5, False, [0.1] * 4, False),  # far, but no sentence fits better: a voice that is heard badly
        (0.6, False, [0.1] * 5, True),  # near for others, far for this voice
        (0.4, False, [0.1] * 5, False),
        (1.6, True, [1.0, 1.1, 0.9, 1.2, 0.8], False),  # as this voice always is
        (2.1, False, [1.5] * 9, True),  # no habit explains that
    ],
)
def test_a_voice_is_compared_with_itself(
    far: float, likelier: bool, before: list[float], doubted: bool
) -> None:
    assert is_doubtful(Heard("words", far, likelier), before) is doubted


def with_worker(app: Any, tmp_path: Path, act: str) -> None:
    """Put a network into the service that acts so."""
    script = tmp_path / "worker.py"
    script.write_text(WORKER.replace("{act}", act))
    studio = app.state.services.studio
    object.__setattr__(studio, "doubter", Doubter(tmp_path, [sys.executable, str(script)]))


def test_a_doubtful_clip_is_asked_about_and_the_volunteer_decides(
    volunteer: Callable[[], Volunteer], app: Any, tmp_path: Path
) -> None:
    with_worker(app, tmp_path, DOUBTS)
    anna, ben = volunteer(), volunteer()
    tasks = anna.tasks(2)
    clips = []
    for seed, task in enumerate(tasks):
        answer = anna.send(task["id"], wav(voice(seed)), take := f"{seed:08d}-0000-4000-8000-000000000000")
        assert answer.json()["state"] == "asked" and "“something else”" in answer.json()["sentence"]
        clips.append(take)
    assert ben.call("GET", "/api/c/harbour/clips").json() == {"clips": []}, "nobody hears it before"
    assert ben.vote(clips[0], True).status_code == 404
    assert ben.call("POST", f"/api/c/harbour/takes/{clips[0]}/confirm").status_code == 404
    assert anna.call("POST", f"/api/c/harbour/takes/{clips[0]}/confirm").json() == {"state": "waiting"}
    assert anna.call("POST", f"/api/c/harbour/takes/{clips[1]}/discard").json() == {"state": "stopped"}
    assert [one["id"] for one in ben.call("GET", "/api/c/harbour/clips").json()["clips"]] == [clips[0]]
    with app.state.services.database.reading() as session:
        assert [clip.id for clip in session.scalars(select(Clip))] == [clips[0]]
        assert [one.check for one in session.scalars(select(Stopped))] == ["doubt"]
    answer = anna.send(tasks[1]["id"], wav(voice(9)), take := "90000000-0000-4000-8000-000000000000")
    assert answer.json()["state"] == "asked", "the sentence can be read again"
    assert f"me/confirm/{take}" in anna.get("/c/harbour/me").text
    assert anna.post(f"/c/harbour/me/confirm/{take}").status_code == 303
    assert len(ben.call("GET", "/api/c/harbour/clips").json()["clips"]) == 2


@pytest.mark.parametrize("act", ["sys.exit(3)", "print('no json', flush=True)"])
def test_a_network_that_fails_doubts_nothing(
    volunteer: Callable[[], Volunteer], app: Any, tmp_path: Path, act: str
) -> None:
    with_worker(app, tmp_path, act)
    anna = volunteer()
    for seed in range(4):
        anna.speak(seed)
    assert not app.state.services.studio.doubter.is_there, "after three failures it is left alone"
    assert json.dumps(anna.call("GET", "/api/c/harbour/clips").json()) == '{"clips": []}'


def test_the_sentences_that_are_tried_are_of_the_campaign_and_what_is_known_of_a_voice_is_kept(
    volunteer: Callable[[], Volunteer], app: Any, tmp_path: Path
) -> None:
    act = 'print(json.dumps({"heard": "x".join(asked["others"]), "behind": 0.1, "likelier": False}), flush=True)'
    with_worker(app, tmp_path, act)
    anna = volunteer()
    anna.speak(1)
    with app.state.services.database.reading() as session:
        (clip,) = session.scalars(select(Clip))
        assert clip.measures["behind"] == 0.1 and clip.doubt == ""
    studio = app.state.services.studio
    heard = studio.doubter.hear(voice(1), "some words", ["one", "two"])
    assert heard is not None and heard.text == "onextwo"


def test_the_released_model_doubts_campaigns_in_its_language_only(tmp_path: Path) -> None:
    assert released_run(tmp_path) == (None, "")
    package = tmp_path / "models/abc"
    package.mkdir(parents=True)
    (package / "model.json").write_text('{"run": "r1", "language": "en"}')
    (tmp_path / "models/released").symlink_to("abc")
    assert released_run(tmp_path) == (None, ""), "its run was removed"
    (tmp_path / "runs/r1").mkdir(parents=True)
    settings = Settings.from_environment({"SPEECHMILL_STORE": str(tmp_path)})
    assert (settings.model, settings.model_language) == (tmp_path / "runs/r1", "en")
    doubter = Doubter(settings.model, language=settings.model_language)
    assert doubter.speaks("en-GB") and not doubter.speaks("de")
    assert Doubter(settings.model).speaks("de") and not Doubter(None).speaks("en")
