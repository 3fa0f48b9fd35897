"""What a person is asked about a candidate, what is never asked, and that one model is in force whatever is killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from store.opening import open_store
from store.store import Store
from store.writing import sha256_file
from tests.training.release.handmade_models import BAD, SAID, evaluation, package
from training.errors import DataError
from training.evaluation.side_by_side import Filter, pairs_of, side_by_side
from training.pages.promotion import question, write_promotion
from training.pages.side_by_side import write_side_by_side
from training.release.decision import PROMOTE, REJECT, decide, weigh
from training.release.errors import ReleaseError
from training.release.registry import Registry

GOOD = SAID
EVIL = "<script>alert(1)</script>"


def corpus(store: Store, name: str = "town") -> None:
    """A published corpus, as far as its version is asked for."""
    folder = store.corpora_dir / name / "v1"
    folder.mkdir(parents=True)
    manifest = {"kind": "corpus", "corpus": name, "version": "v1", "splits": {}, "shards": []}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder.parent / "current").symlink_to("v1")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("SPEECHMILL_STORE", str(tmp_path))
    made = open_store(tmp_path)
    corpus(made)
    package(made, "aaaa", "run-a", [evaluation(made, "ea", "run-a", BAD)])
    package(made, "bbbb", "run-b", [evaluation(made, "eb", "run-b", GOOD)])
    return made


def test_the_first_model_is_asked_about(store: Store) -> None:
    verdict = weigh("aaaa", store)
    assert (verdict.verdict, verdict.released, verdict.is_asked) == ("first", None, True)
    assert "| town test | – |" in question(verdict)


def test_a_better_one_is_asked_about_with_both_figures(store: Store) -> None:
    Registry(store).promote("aaaa", "the first")
    verdict = weigh("bbbb", store)
    assert verdict.verdict == "better"
    assert verdict.rows[0].difference is not None and verdict.rows[0].difference < 0
    assert (verdict.rows[0].evaluation, verdict.rows[0].against) == ("eb", "ea")
    text = write_promotion(store, verdict).read_text()
    assert "0.00\u00a0%" in text and "evaluations/ea.html" in text


def test_a_significant_regression_never_reaches_a_person(store: Store) -> None:
    Registry(store).promote("bbbb", "good")
    verdict = weigh("aaaa", store)
    assert verdict.verdict == "worse"
    assert not verdict.is_asked
    assert "nobody is asked" in verdict.says


def test_what_cannot_be_trusted_never_reaches_a_person(store: Store) -> None:
    leak = evaluation(
        store, "ec", "run-c", GOOD, contamination=["its test sentences were in the language model"]
    )
    package(store, "cccc", "run-c", [leak])
    assert weigh("cccc", store).verdict == "refused"
    package(store, "dddd", "run-d", [])
    assert weigh("dddd", store).verdict == "refused"
    (store.root / "models/bbbb/weights.npz").write_bytes(b"x")
    verdict = weigh("bbbb", store)
    assert (verdict.verdict, verdict.is_asked) == ("refused", False)


def test_decisions_say_who_and_why_and_only_on_what_was_seen(store: Store) -> None:
    seen = weigh("aaaa", store).as_json()
    decide(seen, PROMOTE, "", "eva")
    last = Registry(store).history()[-1]
    assert (last.action, last.model, last.who, last.why) == ("promote", "aaaa", "eva", "no reason given")
    assert last.package_sha256 == sha256_file(store.root / "models/aaaa/model.json")
    with pytest.raises(ReleaseError, match="was weighed against none, and aaaa is released now"):
        decide({**weigh("bbbb", store).as_json(), "released": None}, PROMOTE, "better", "eva")
    decide(weigh("bbbb", store).as_json(), REJECT, "sounds odd", "the response deadline")
    assert Registry(store).model("bbbb").state == "rejected"
    assert Registry(store).released().id == "aaaa"  # type: ignore[union-attr]
    with pytest.raises(ReleaseError, match="is in force"):
        Registry(store).reject("aaaa", "no")
    assert weigh("aaaa", store).verdict == "in force"


def test_two_models_are_compared_by_utterance(store: Store, tmp_path: Path) -> None:
    found = side_by_side("aaaa", "bbbb", store)
    assert len(found["rows"]) == len(SAID)
    assert found["rows"][0].change == -2
    assert found["speakers"] == [f"s{index}" for index in range(6)]
    one = side_by_side("run-a", "run-b", store, Filter(speaker="s1", side="better"))
    assert {row.speaker for row in one["rows"]} == {"s1"}
    assert side_by_side("ea", "eb", store, Filter(side="worse"))["rows"] == []
    assert pairs_of("ea", "eb", store) == [("ea", "eb")]
    with pytest.raises(DataError, match="no evaluation"):
        pairs_of("ea", "nowhere", store)
    page = write_side_by_side("ea", "eb", store, Filter()).read_text()
    assert "mile" in page and "2 mistakes fewer" in page


def test_hostile_words_stay_words_on_the_page(store: Store) -> None:
    evaluation(store, "ee", "run-e", [f"{EVIL} {text}" for text in SAID])
    page = write_side_by_side("ea", "ee", store, Filter()).read_text()
    assert "<script" not in page


PROMOTER = """
import sys
from store.opening import open_store
from training.release.registry import Registry
registry, turn = Registry(open_store(sys.argv[1])), 0
while True:
    registry.promote(("aaaa", "bbbb")[turn % 2], "turn about"); turn += 1
"""


@pytest.mark.slow
def test_one_model_is_in_force_at_every_moment_while_promoting_is_killed(store: Store, root: Path) -> None:
    """Readers poll without a pause while a process that promotes in a loop is killed, fifty times."""
    Registry(store).promote("bbbb", "begin")
    reads = kills = 0
    while kills < 50:
        process = subprocess.Popen([sys.executable, "-c", PROMOTER, str(store.root)], cwd=root)
        begun = time.monotonic()
        lives_s = 1.0 + (kills % 10) * 0.037
        while time.monotonic() - begun < lives_s:
            released = Registry(store).released()
            assert released is not None and released.id in ("aaaa", "bbbb")
            reads += 1
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += 1
        assert Registry(store).released() is not None
        history = [one for one in Registry(store).history() if one.action == "promote"]
        if Registry(store).released().id == history[-1].model:  # type: ignore[union-attr]
            Registry(store).promote("aaaa" if history[-1].model == "bbbb" else "bbbb", "goes on")
        else:
            Registry(store).rollback("goes on from what was interrupted")
    assert reads > 1000
