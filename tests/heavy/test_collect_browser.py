"""The pages of the service in a real Chromium with a file for a microphone: spoken, heard, judged, taken back.

Phone-sized and wide, light and dark, left-to-right and right-to-left: no finding of axe-core, no complaint in the
console, nothing wider than the window.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "collect"))
from collect_sounds import as_int16, voice, wav

from demo.collecting.chromium import Look, Window, driver
from demo.collecting.service import Service, running

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("chromedriver") is None, reason="Chromium is not installed (make test-all installs it)"
    ),
]
SENTENCES = "The sailor sold ten boats.\nThe queen heard the captain.\nThe old baker ate the bread.\n"
LOOKS = {
    "phone": Look(360, 740),
    "wide": Look(1100, 900),
    "dark": Look(360, 740, dark=True),
    "arabic": Look(360, 740, language="ar"),
    "german": Look(360, 740, language="de"),
}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    text = tmp_path / "sentences.txt"
    text.write_text(
        SENTENCES * 1 + "".join(f"The {w} knew the way.\n" for w in ("knight", "miller", "farmer"))
    )
    made = Service(tmp_path / "collect", tmp_path / "store")
    made.command(
        "campaign", "harbour", "--open", "--text", str(text), "--source", "our own", "--title", "Harbour"
    )
    made.command("admin", "anna", given="a long password\n")
    with running(made):
        yield made


class Person:
    """Somebody at a window: joins, speaks, listens."""

    def __init__(self, window: Window, microphone: Path) -> None:
        self.window, self.microphone = window, microphone

    def join(self) -> None:
        self.window.visit("/c/harbour")
        self.window.press("[name=agree]")
        self.window.press("form[action$=join] button")
        self.window.wait("a sentence", lambda: self.window.text_of("#sentence"))

    def record(self, samples: Any) -> None:
        self.microphone.write_bytes(wav(samples))
        window = self.window
        window.press("#record")
        pressed = "return document.querySelector('#record').getAttribute('aria-pressed')"
        window.wait("the recording", lambda: window.run(pressed) == "true")
        time.sleep(len(samples) / 16_000 + 0.3)
        window.press("#record")
        window.wait("its end", lambda: window.is_shown("#send"))
        window.press("#send")

    def hear(self) -> None:
        self.window.press("#play")
        yes = "return document.querySelector('#yes').disabled"
        self.window.wait("the end of the clip", lambda: not self.window.run(yes))


def findings(window: Window) -> list[Any]:
    """What axe-core finds on the page, what its console says, and whether it is wider than the window."""
    import axe_core_python

    source = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text("utf-8")
    script = source + (
        ";const done = arguments[arguments.length - 1];"
        "axe.run().then((r) => done(r.violations.map((v) => [v.id, v.nodes.map((n) => n.html.slice(0, 150))])))"
    )
    found: list[Any] = window.call("/execute/async", {"script": script, "args": []})
    found += window.complaints()
    if window.run("return document.documentElement.scrollWidth > innerWidth"):
        found.append("wider than the window")
    return found


@pytest.mark.parametrize("name", LOOKS)
def test_every_page_is_accessible_and_fits(service: Service, tmp_path: Path, name: str) -> None:
    microphone = tmp_path / "microphone.wav"
    microphone.write_bytes(wav(voice(1)))
    look = Look(LOOKS[name].width, LOOKS[name].height, LOOKS[name].dark, LOOKS[name].language, microphone)
    seen: dict[str, list[Any]] = {}
    with driver() as url, Window(url, service.url, look) as window, Window(url, service.url, look) as other:
        person, second = Person(window, microphone), Person(other, microphone)
        for path in ("/", "/c/harbour"):
            window.visit(path)
            seen[path] = findings(window)
        person.join()
        assert window.run("return document.documentElement.dir") == ("rtl" if name == "arabic" else "ltr")
        seen["speak"] = findings(window)
        count = window.text_of("#count")
        person.record(voice(3))
        window.wait("the next sentence", lambda: window.text_of("#count") != count)
        seen["spoken"] = findings(window)
        window.press("#report")
        window.wait("the dialog", lambda: window.is_shown("#reporting"))
        seen["report"] = findings(window)
        second.join()
        other.visit("/c/harbour/listen")
        other.wait("a clip", lambda: other.is_shown("#play"))
        second.hear()
        seen["listen"] = findings(other)
        other.press("#no")
        other.press("[name=reason][value=misread]")
        other.press("#sentence button")
        seen["reasons"] = findings(other)
        other.press("#give")
        other.wait("the thanks", lambda: other.text_of("#given"))
        for page in ("write", "me"):
            window.visit(f"/c/harbour/{page}")
            seen[page] = findings(window)
        for path in ("/admin/login", "/nowhere"):
            window.visit(path)
            seen[path] = [one for one in findings(window) if "404" not in str(one)]
        window.visit("/admin/login")
        window.type_into("#user", "anna")
        window.type_into("#password", "a long password")
        window.press("main form button")
        window.wait("the campaigns", lambda: window.is_shown("#title"))
        seen["admin"] = findings(window)
        window.visit("/admin/c/harbour")
        seen["campaign"] = findings(window)
    assert not {page: found for page, found in seen.items() if found}


def test_what_is_wrong_is_said_and_the_connection_may_break(service: Service, tmp_path: Path) -> None:
    microphone = tmp_path / "microphone.wav"
    microphone.write_bytes(wav(voice(1)))
    with driver() as url, Window(url, service.url, Look(360, 740, microphone=microphone)) as window:
        person = Person(window, microphone)
        person.join()
        person.record(as_int16(voice(5).astype(np.float64) / 32768 * 0.05))
        window.wait("the advice", lambda: "come nearer" in window.text_of("#hint"))
        person.record(voice(6))
        window.wait("the second sentence", lambda: window.text_of("#count").startswith("Sentence 2"))
        network = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
        command = {"cmd": "Network.emulateNetworkConditions", "params": network}
        window.call("/goog/cdp/execute", {"cmd": "Network.enable", "params": {}})
        window.call("/goog/cdp/execute", command)
        person.record(voice(7))
        window.wait("the outbox", lambda: "wait for the connection" in window.text_of("#outbox"))
        window.wait("the third sentence", lambda: window.text_of("#count").startswith("Sentence 3"))
        network |= {"offline": False, "downloadThroughput": -1, "uploadThroughput": -1}
        window.call("/goog/cdp/execute", command)
        window.wait("the outbox to be empty", lambda: not window.text_of("#outbox"), 60)
        window.visit("/c/harbour/me")
        assert window.text_of(".figures dd") == "2"
        window.run("document.querySelector('.rows details').open = true")
        window.press(".rows form button")
        window.wait("one clip fewer", lambda: window.text_of(".figures dd") == "1")


def test_the_whole_page_works_by_keys_alone(service: Service, tmp_path: Path) -> None:
    microphone = tmp_path / "microphone.wav"
    microphone.write_bytes(wav(voice(8)))
    with driver() as url, Window(url, service.url, Look(800, 800, microphone=microphone)) as window:
        Person(window, microphone).join()

        def key(letter: str) -> None:
            keys = [{"type": "keyDown", "value": letter}, {"type": "keyUp", "value": letter}]
            window.call("/actions", {"actions": [{"type": "key", "id": "keys", "actions": keys}]})

        key("r")
        pressed = "return document.querySelector('#record').getAttribute('aria-pressed')"
        window.wait("the recording", lambda: window.run(pressed) == "true")
        time.sleep(3.4)
        key("r")
        window.wait("its end", lambda: window.is_shown("#send"))
        key("\ue007")
        window.wait("the second sentence", lambda: window.text_of("#count").startswith("Sentence 2"))
        key("s")
        window.wait("the third sentence", lambda: window.text_of("#count").startswith("Sentence 3"))
