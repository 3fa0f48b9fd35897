"""The morning page walked in a real Chromium, from *Speech* in at most three clicks each.

One sees why rows were refused, compares two models by utterance, approves one, goes back to the one before, traces a figure
to a source file, hears an utterance, flags it, corrects another, and the refresh started by the form honours both.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from opened import airflow_of, until
from postgresql_server import free_port

from tests.training.release.handmade_models import BAD, SAID, evaluation, package

FORM = {"importer": "librispeech"}
MOST_CLICKS = 3
CORRECTED = "seven red"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(
        shutil.which("chromedriver") is None, reason="Chromium is not installed (make test-all installs it)"
    ),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A running Airflow with a tiny archive below its root."""
    from demo.layouts import Defects, librispeech, tones

    folder = tmp_path_factory.mktemp("morning")
    archives = folder / "archives"
    archives.mkdir()
    librispeech.write(archives, tones.utterances(2, 3), Defects.one_of_each())
    store = folder / "store"
    store.mkdir()
    with airflow_of(folder, free_port(), archives) as status:
        yield status | {"archives": str(archives), "store_path": store, "pictures": folder}


def start(airflow: Any, dag_id: str, conf: dict[str, Any]) -> None:
    airflow.call("POST", f"dags/{dag_id}/dagRuns", {"logical_date": None, "conf": conf})


def runs(airflow: Any, dag_id: str, state: str) -> list[Any]:
    found: list[Any] = airflow.call("GET", f"dags/{dag_id}/dagRuns", limit=50)["dag_runs"]
    return [one for one in found if one["state"] == state]


def asked(airflow: Any) -> list[Any]:
    answer = airflow.call("GET", "dags/promote/dagRuns/~/hitlDetails", response_received="false")
    found: list[Any] = answer["hitl_details"]
    return found


class Walk:
    """Somebody at the window who counts clicks since the start page: three are allowed."""

    def __init__(self, window: Any) -> None:
        self.window, self.clicks = window, 0

    def from_speech(self, text: str) -> None:
        self.window.visit("/plugin/speech")
        self.window.wait_for(text)
        self.clicks = 0

    def click(self, selector: str, text: str = "") -> None:
        """Click what is in the page or in a frame of it."""
        script = f"""
            const all = [document, ...[...document.querySelectorAll('iframe')].map((one) => one.contentDocument)];
            for (const page of all) {{
              const found = page && [...page.querySelectorAll({json.dumps(selector)})]
                .find((one) => (one.innerText || "").includes({json.dumps(text)}) && one.offsetParent);
              if (found) {{ found.click(); return true; }}
            }}
            return false;"""
        self.clicks += 1
        assert self.clicks <= MOST_CLICKS, f"{selector} with {text!r} is click {self.clicks}"
        until(f"{selector} with {text!r}", lambda: self.window.run(script))

    def in_page(self, script: str) -> Any:
        """The value of a script in the frame of *Speech*; `page` is its document."""
        return self.window.run(
            f"const page = document.querySelector('iframe').contentDocument; return {script}"
        )

    def fill(self, selector: str, text: str) -> None:
        """Write into a field of the page in the frame, as somebody does who types."""
        self.in_page(
            f"""(() => {{ const field = page.querySelector({json.dumps(selector)}); field.value = {json.dumps(text)};
            field.dispatchEvent(new Event('input', {{bubbles: true}})); return true; }})()"""
        )


def test_a_morning(place: dict[str, Any]) -> None:
    from demo.orchestrator import Airflow
    from launcher.screenshots import browser, log_in
    from store.opening import open_store
    from training.release.registry import Registry

    airflow, store = Airflow(place), open_store(place["store_path"])
    airflow.unpause(["corpus_refresh", "data_quality", "promote"])
    start(airflow, "corpus_refresh", FORM | {"sources": [f"{place['archives']}/LibriSpeech"]})
    until("the page of the corpus is there", lambda: runs(airflow, "data_quality", "success"))
    version = store.corpus("librispeech").version
    for model, heard in (("aaaa", BAD), ("bbbb", SAID)):
        facts = {"corpus": "librispeech", "corpus_version": version}
        package(
            store, model, f"run-{model}", [evaluation(store, f"e{model}", f"run-{model}", heard, **facts)]
        )
    start(airflow, "promote", {"model": "aaaa"})
    until("the first candidate waits for a person", lambda: asked(airflow))
    with browser(place["url"], ("--autoplay-policy=no-user-gesture-required",)) as window:
        log_in(window, place["user"], place["password"])
        walk = Walk(window)
        _why_refused(walk)
        _approve(walk, store)
        assert Registry(store).model().id == "aaaa"
        start(airflow, "promote", {"model": "bbbb"})
        until("the second waits", lambda: asked(airflow))
        _compare(walk)
        _approve(walk, store)
        assert Registry(store).model().id == "bbbb"
        _roll_back(walk)
        until("the first is back", lambda: Registry(store).model().id == "aaaa")
        last = Registry(store).history()[-1]
        assert (last.action, last.who, last.why) == ("rollback", place["user"], "worse in the field")
        _trace(walk)
        flagged = _hear_and_flag(walk)
        corrected = _correct_another(walk, flagged)
        _refresh_by_form(walk, airflow)
    _both_are_honoured(store, flagged, corrected)


def _why_refused(walk: Walk) -> None:
    walk.from_speech("librispeech")
    walk.click("main a", "librispeech")
    walk.window.wait_for("Refused, and why")


def _approve(walk: Walk, store: Any) -> None:
    from training.release.registry import Registry

    before = len(Registry(store).history())
    walk.from_speech("Promote model")
    walk.click(".card.wait a")
    walk.window.wait_for("test set")
    walk.window.type_into("input[name=element_why]", "fewer mistakes")
    walk.click("button:not([disabled])", "Promote")
    until("the decision stands", lambda: len(Registry(store).history()) > before)


def _trace(walk: Walk) -> None:
    """From the rate of an evaluation to the bytes that its corpus was made of."""
    walk.from_speech("Evaluations")
    walk.click("main a", "made of")
    walk.window.wait_for("Made of")
    walk.click("main a", "LibriSpeech#")
    walk.window.wait_for("source LibriSpeech#")
    seen = str(walk.in_page("page.body.innerText"))
    assert "bytes" in seen and "corpus librispeech@" in seen, seen


def _chosen(walk: Walk) -> str:
    """The id of the utterance on the page."""
    said = until("the first row", lambda: walk.in_page("page.querySelector('#facts')?.innerText"))
    lines = str(said).splitlines()
    return lines[lines.index("id") + 1]


def _hear_and_flag(walk: Walk) -> str:
    walk.from_speech("librispeech")
    walk.click("main a", "utterances")
    walk.window.wait_for("of 21")
    walk.click("#play")
    until("sound", lambda: walk.in_page("page.getElementById('player').currentTime > 0"))
    flagged = _chosen(walk)
    walk.from_speech("librispeech")
    walk.click("main a", "utterances")
    walk.window.wait_for("of 21")
    walk.click("#may button", "Flag as bad")
    walk.fill("#why", "hiss")
    walk.click("#keep")
    walk.window.wait_for("flagged as bad (hiss)")
    return flagged


def _correct_another(walk: Walk, flagged: str) -> str:
    walk.from_speech("librispeech")
    walk.click("main a", "utterances")
    walk.window.wait_for("of 21")
    walk.in_page("page.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'j', bubbles: true}))")
    until("another row", lambda: _chosen(walk) != flagged)
    corrected = _chosen(walk)
    walk.click("#may button", "Correct the text")
    walk.fill("#new-text", CORRECTED)
    walk.click("#keep")
    walk.window.wait_for(f"corrected: {CORRECTED}")
    return corrected


def _both_are_honoured(store: Any, flagged: str, corrected: str) -> None:
    import pyarrow.parquet as pq

    corpus = store.corpus("librispeech")
    assert corpus.manifest["items"]["accepted"] == 17
    kept: dict[str, tuple[str, str]] = {}
    for shard in corpus.path.glob("*/*.parquet"):
        for row in pq.read_table(shard, columns=["utterance_id", "text", "text_raw"]).to_pylist():
            kept[row["utterance_id"]] = (row["text"], row["text_raw"])
    assert flagged not in kept
    assert kept[corrected][0] == CORRECTED
    refused = pq.read_table(
        corpus.path / "rejections.parquet", columns=["utterance_id", "reason"]
    ).to_pylist()
    assert ["hiss" in row["reason"] for row in refused if row["utterance_id"] == flagged] == [True]


def _form_knows_last_sources(airflow: Any) -> bool:
    """Whether the folder of DAGs was parsed since the first refresh: the form then offers what was last used."""
    params = airflow.call("GET", "dags/corpus_refresh/details")["params"]
    return bool(params["sources"]["value"])


def _started(airflow: Any, before: set[str]) -> list[Any]:
    """The runs of corpus_refresh that are not among those before; a failed one ends the test at once."""
    every = airflow.call("GET", "dags/corpus_refresh/dagRuns", limit=50)["dag_runs"]
    found = [one for one in every if one["dag_run_id"] not in before]
    for one in found:
        assert one["state"] != "failed", f"{one['dag_run_id']} failed: {one['note']}"
    return found


def _refresh_by_form(walk: Walk, airflow: Any) -> None:
    before = {one["dag_run_id"] for one in _started(airflow, set())}
    until("the form offers the sources of the first refresh", lambda: _form_knows_last_sources(airflow))
    walk.from_speech("Refresh a corpus")
    walk.click("main a", "Refresh a corpus")
    walk.window.wait_for("Trigger")
    walk.click("button", "Trigger")
    walk.window.wait_for("allowed roots")
    walk.click("[role=dialog] button:not([disabled])", "Trigger")
    until("the form started a run", lambda: _started(airflow, before))
    until("the refresh is done", lambda: _started(airflow, before)[0]["state"] == "success")
    notes = [one["note"] or "" for one in runs(airflow, "corpus_refresh", "success")]
    assert any("librispeech: published 17 utterances" in one for one in notes), notes
    assert any("librispeech: published 18 utterances" in one for one in notes), notes


def _compare(walk: Walk) -> None:
    walk.from_speech("Compare")
    walk.click("nav a", "Compare")
    walk.window.wait_for("Compare two models by utterance")
    walk.click("main button", "Compare")
    walk.window.wait_for("utterances differ")


def _roll_back(walk: Walk) -> None:
    walk.from_speech("Models")
    walk.click("nav a", "Models")
    walk.window.wait_for("Go back to the model before")
    walk.fill("input[name=why]", "worse in the field")
    walk.click("form button", "Roll back")
