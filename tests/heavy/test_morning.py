"""The morning page walked in a real Chromium, from *Speech* in at most three clicks each.

A corpus is refreshed by the form, one sees why rows were refused, two models are compared by utterance, one is approved,
and the one before comes back.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from opened import airflow_of
from postgresql_server import free_port

from tests.training.release.handmade_models import BAD, SAID, evaluation, package

FORM = {"importer": "librispeech"}
LIMIT_S = 280.0

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


def until(what: str, is_so: Callable[[], Any]) -> Any:
    """The first true answer."""
    deadline_s = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline_s:
        found = is_so()
        if found:
            return found
        time.sleep(1.0)
    raise AssertionError(f"after {LIMIT_S:.0f} s still not: {what}")


def start(airflow: Any, dag_id: str, conf: dict[str, Any]) -> None:
    airflow.call("POST", f"dags/{dag_id}/dagRuns", {"logical_date": None, "conf": conf})


def runs(airflow: Any, dag_id: str, state: str) -> list[Any]:
    found: list[Any] = airflow.call("GET", f"dags/{dag_id}/dagRuns", limit=50)["dag_runs"]
    return [one for one in found if one["state"] == state]


def asked(airflow: Any) -> list[Any]:
    answer = airflow.call("GET", "dags/promote/dagRuns/~/hitlDetails", response_received="false")
    found: list[Any] = answer["hitl_details"]
    return found


def click(window: Any, selector: str, text: str = "") -> None:
    """Click what is in the page or in a frame of it."""
    script = f"""
        const all = [document, ...[...document.querySelectorAll('iframe')].map((one) => one.contentDocument)];
        for (const page of all) {{
          const found = page && [...page.querySelectorAll({json.dumps(selector)})]
            .find((one) => (one.innerText || "").includes({json.dumps(text)}));
          if (found) {{ found.click(); return true; }}
        }}
        return false;"""
    until(f"{selector} with {text!r}", lambda: window.run(script))


def speech(window: Any, text: str) -> None:
    window.visit("/plugin/speech")
    window.wait_for(text)


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
    with browser(place["url"]) as window:
        log_in(window, place["user"], place["password"])
        _why_refused(window)
        _approve(window, store)
        assert Registry(store).model().id == "aaaa"
        _refresh_by_form(window, airflow)
        start(airflow, "promote", {"model": "bbbb"})
        until("the second waits", lambda: asked(airflow))
        _compare(window)
        window.save(place["pictures"] / "compare.png")
        _approve(window, store)
        assert Registry(store).model().id == "bbbb"
        _roll_back(window)
        until("the first is back", lambda: Registry(store).model().id == "aaaa")
        last = Registry(store).history()[-1]
        assert (last.action, last.who, last.why) == ("rollback", place["user"], "worse in the field")


def _why_refused(window: Any) -> None:
    speech(window, "librispeech")
    click(window, "main a", "librispeech")  # click 1
    window.wait_for("Refused, and why")


def _approve(window: Any, store: Any) -> None:
    from training.release.registry import Registry

    before = len(Registry(store).history())
    speech(window, "Promote model")
    click(window, ".card.wait a")  # click 1
    window.wait_for("test set")
    window.type_into("input[name=element_why]", "fewer mistakes")
    click(window, "button:not([disabled])", "Promote")  # click 2
    until("the decision stands", lambda: len(Registry(store).history()) > before)


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


def _refresh_by_form(window: Any, airflow: Any) -> None:
    before = {one["dag_run_id"] for one in _started(airflow, set())}
    until("the form offers the sources of the first refresh", lambda: _form_knows_last_sources(airflow))
    speech(window, "Refresh a corpus")
    click(window, "main a", "Refresh a corpus")  # click 1
    window.wait_for("Trigger")
    click(window, "button", "Trigger")  # click 2
    window.wait_for("allowed roots")
    click(window, "[role=dialog] button:not([disabled])", "Trigger")  # click 3
    until("the form started a run", lambda: _started(airflow, before))
    until("the refresh is done", lambda: _started(airflow, before)[0]["state"] == "success")
    notes = [one["note"] or "" for one in runs(airflow, "corpus_refresh", "success")]
    assert any("librispeech: unchanged" in one for one in notes), notes
    assert any("librispeech: published 18 utterances" in one for one in notes), notes


def _compare(window: Any) -> None:
    speech(window, "Compare")
    click(window, "nav a", "Compare")  # click 1
    window.wait_for("Compare two models by utterance")
    click(window, "main button", "Compare")  # click 2
    window.wait_for("utterances differ")


def _roll_back(window: Any) -> None:
    speech(window, "Models")
    click(window, "nav a", "Models")  # click 1
    window.wait_for("Go back to the model before")
    window.run(
        "document.querySelector('iframe').contentDocument.querySelector('input[name=why]').value = 'worse in the field'"
    )
    click(window, "form button", "Roll back")  # click 2
