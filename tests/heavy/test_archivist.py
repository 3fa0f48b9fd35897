"""An archivist's folder of long recordings with minutes becomes a published, timed corpus, by clicks from *Speech*.

The certificates are read where they are linked, their players play, on a wide screen and on a phone.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from opened import airflow_of, axe_findings, until
from postgresql_server import free_port

from tests.heavy.spoken_model import released_model, say, sentences

DONATION = """
name = "council"
donor = "Town archive"
licence = "CC-BY-4.0"
language = "en"
text_kind = "verbatim"
speaker_rule = "file"
"""
INVENTED = "near a mill his captain walked and came with seven old boats"
RECORDINGS = {"may": 0, "june": 10, "july": 20}  # with which of the known sentences each begins
TIMES = 4  # each of its ten sentences is said
# The network knows these sentences because they are a corpus already.
SETTINGS = "[thresholds.council-aligned]\nleaked_sentences = 1.0\n"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),  # a network is trained first
    pytest.mark.skipif(
        shutil.which("chromedriver") is None or shutil.which("espeak-ng") is None,
        reason="Chromium or espeak-ng is not installed (make test-all installs them)",
    ),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Airflow over a store with a released model, and the archivist's folder: a sentence invented, one left out in each."""
    folder = tmp_path_factory.mktemp("archivist")
    released_model(folder)
    (folder / "store" / "settings.toml").write_text(SETTINGS)
    archive = folder / "archives" / "council"
    archive.mkdir(parents=True)
    (archive / "donation.toml").write_text(DONATION)
    known = sentences(30)
    for name, first in RECORDINGS.items():
        said = known[first : first + 10] * TIMES
        say(".\n\n".join(said), archive / f"{name}.wav")
        (archive / f"{name}.txt").write_text("\n".join([*said[:4], INVENTED, *said[4:6], *said[7:]]) + "\n")
    with airflow_of(folder, free_port(), folder / "archives") as status:
        yield status | {"archive": archive, "store_path": folder / "store", "pictures": folder}


class _Page:
    """The window, its frames seen as one page, for somebody who clicks what is to be seen."""

    def __init__(self, window: Any, pictures: Path) -> None:
        self.window, self.pictures, self.count = window, pictures, 0

    def click(self, selector: str, text: str = "") -> None:
        self.window.run("return 1")
        script = f"""
            const pages = [document];
            for (let at = 0; at < pages.length; at++)
              for (const frame of pages[at].querySelectorAll('iframe'))
                if (frame.contentDocument) pages.push(frame.contentDocument);
            for (const page of pages) {{
              const found = [...page.querySelectorAll({selector!r})]
                .find((one) => (one.innerText || "").includes({text!r}) && one.offsetParent);
              if (found) {{ found.scrollIntoView(); found.click(); return true; }}
            }}
            return false;"""
        until(f"{selector} with {text!r}", lambda: self.window.run(script), 60)

    def seen(self, name: str) -> None:
        self.count += 1
        self.window.save(self.pictures / f"{self.count:02d}-{name}.png")


def refreshed(airflow: Any) -> list[Any]:
    """The runs of corpus_refresh; a failed one ends the test at once."""
    found: list[Any] = airflow.call("GET", "dags/corpus_refresh/dagRuns", limit=50)["dag_runs"]
    assert all(one["state"] != "failed" for one in found), found
    return [one for one in found if one["state"] == "success"]


def test_a_folder_of_minutes_becomes_a_timed_corpus(place: dict[str, Any]) -> None:
    from demo.orchestrator import Airflow
    from launcher.screenshots import browser, log_in
    from store.opening import open_store

    airflow = Airflow(place)
    airflow.unpause(["corpus_refresh", "data_quality"])
    with browser(place["url"], ("--autoplay-policy=no-user-gesture-required",)) as window:
        log_in(window, place["user"], place["password"])
        page = _Page(window, place["pictures"])
        _ask_for_a_refresh(page, place)
        until("the refresh is done", lambda: refreshed(airflow))
        _certificates_from_the_corpus(page)
        _a_certificate(page)
        _on_a_phone(page, place)
    corpus = open_store(place["store_path"]).corpus("council-aligned")
    rows = [row for batch in corpus.batches(columns=["text", "duration_s"]) for row in batch.to_pylist()]
    texts = " ".join(row["text"] for row in rows)
    assert len(rows) >= 15 and INVENTED not in texts
    assert sum(len(row["text"].split()) for row in rows) > 0.6 * sum(
        len(one.split()) for one in sentences(30)
    )
    assert all(row["duration_s"] <= 15 for row in rows)


def _ask_for_a_refresh(page: _Page, place: dict[str, Any]) -> None:
    """The form of *Refresh a corpus*: the importer is chosen, the folder is offered."""
    page.window.visit("/plugin/speech")
    page.window.wait_for("Refresh a corpus")
    page.click("main a", "Refresh a corpus")
    page.window.wait_for("Trigger")
    page.click("button", "Trigger")
    page.window.wait_for("allowed roots")
    page.seen("form")
    _choose(page, "element_importer", "donated")
    _choose(page, "element_sources", "council")
    page.seen("filled")
    page.click("[role=dialog] button:not([disabled])", "Trigger")
    page.window.wait_for("corpus_refresh")


def _choose(page: _Page, field: str, text: str) -> None:
    """Type into a list of the form and take the entry that is left."""
    page.window.type_into(f"#{field} input[role=combobox]", f"{text}\ue007")
    shown = f"return document.querySelector('#{field}').innerText"
    until(f"{text} in {field}", lambda: text in str(page.window.run(shown)), 30)


def _certificates_from_the_corpus(page: _Page) -> None:
    page.window.visit("/plugin/speech")
    page.window.wait_for("council-aligned")
    page.seen("speech")
    page.click("main a", "certificates")
    page.window.wait_for("of its words have a time")
    page.seen("certificates")


INSIDE = """
    const pages = [document];
    for (let at = 0; at < pages.length; at++)
      for (const frame of pages[at].querySelectorAll('iframe'))
        if (frame.contentDocument) pages.push(frame.contentDocument);
    const page = pages[pages.length - 1]; """


def _a_certificate(page: _Page) -> None:
    """What is not spoken and what is not written is named, and a player plays that place."""
    page.click("main a", "may")
    page.window.wait_for("What of this recording is written")
    page.seen("certificate")
    text = str(page.window.run(INSIDE + "return page.body.innerText"))
    assert INVENTED in text and "Not written" in text, text[:2000]
    plays = INSIDE + "const one = page.querySelector('audio'); one.play(); return one.currentTime > 0"
    until("sound", lambda: page.window.run(plays), 30)
    begins = INSIDE + "return Number(page.querySelector('audio').src.split('#t=')[1].split(',')[0])"
    at_s = page.window.run(INSIDE + "return page.querySelector('audio').currentTime")
    assert at_s >= page.window.run(begins) - 0.1


def _on_a_phone(page: _Page, place: dict[str, Any]) -> None:
    """At 360 pixels nothing is cut off, and what axe-core asks for is there."""
    window = page.window
    metrics = {"width": 360, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    window.call("/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": metrics})
    for path, text in (
        ("/speech/certificates/council", "of its words have a time"),
        ("/speech/aligned/council/certificates/may.html", "What of this recording is written"),
    ):
        window.visit(path)
        window.wait_for(text)
        page.seen("phone")
        wide = window.run("return [document.documentElement.scrollWidth, window.innerWidth]")
        assert wide[0] <= wide[1], (path, wide)
        assert axe_findings(window) == [], path
