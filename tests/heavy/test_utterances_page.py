"""The page *Utterances* in a real Chromium: search, hear, see, decide by keyboard; hostile text, a phone, axe-core."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import soundfile

sys.path.insert(0, str(Path(__file__).parent))
from opened import axe_findings
from postgresql_server import free_port

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = "<img src=x onerror=document.title='broken'><script>document.title='broken'</script>{{ 7*7 }} \u202egnihton"
SERVER = """
import sys, uvicorn
from corpora.browsing.pages import Visitor, make_app
uvicorn.run(make_app(lambda: Visitor("ann", True)), host="127.0.0.1", port=int(sys.argv[1]), log_level="error")
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("chromedriver") is None, reason="Chromium is not installed (make test-all installs it)"
    ),
]


def publish(folder: Path) -> Path:
    """A donation, some of whose words are hostile, published; answers the store."""
    from corpora.refresh.plan import RefreshRequest
    from corpora.refresh.stage import refresh
    from demo.layouts import tones

    source = folder / "gift"
    source.mkdir(parents=True)
    items = tones.utterances(2, each=4)
    texts = [item.text for item in items]
    texts[1], texts[4] = HOSTILE, "odd Ω sign"
    for number, item in enumerate(items):
        soundfile.write(source / f"u{number}.wav", item.samples, 16_000, subtype="PCM_16")
    speakers = [f"s{n % 4}" if n % 7 else "=s<b>0" for n in range(len(items))]
    rows = "".join(f"u{n}.wav\t{text}\t{speakers[n]}\n" for n, text in enumerate(texts))
    (source / "t.tsv").write_text("path\ttext\tspeaker\n" + rows, encoding="utf-8")
    (source / "donation.toml").write_text(
        'name = "gift"\nlicence = "CC0-1.0"\ndonor = "<script>me</script>"\n'
    )
    refresh(RefreshRequest("donated", (source,), store=folder / "store"))
    return folder / "store"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    store = publish(tmp_path_factory.mktemp("page"))
    port = free_port()
    environment = {**os.environ, "SPEECHMILL_STORE": str(store)}
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(port)], cwd=ROOT, env=environment)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                httpx.get(f"{url}/api/visitor", trust_env=False)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def window(address: str) -> Iterator[Any]:
    from launcher.screenshots import browser

    with browser(address, ("--autoplay-policy=no-user-gesture-required",)) as opened:
        opened.visit("/")
        opened.wait_for("of 24", settle_s=0.5)
        yield opened


def until(window: Any, script: str) -> Any:
    """Wait until a script's value is true; answers it."""
    for _ in range(100):
        value = window.run(f"return {script}")
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError(f"never true: {script}")


def press(window: Any, key: str) -> None:
    window.run(f"document.body.dispatchEvent(new KeyboardEvent('keydown', {{key: {key!r}, bubbles: true}}))")


def chosen(window: Any) -> str:
    return str(window.run("return document.querySelector('#list [aria-current=true]').textContent"))


def test_all_by_keyboard(window: Any, tmp_path: Path) -> None:
    first = chosen(window)
    press(window, "j")
    until(window, f"document.querySelector('#list [aria-current=true]').textContent !== {first!r}")
    press(window, "k")
    until(window, f"document.querySelector('#list [aria-current=true]').textContent === {first!r}")
    until(window, "document.body.dataset.drawn")
    pixels = "document.getElementById('spectrum').getContext('2d').getImageData(0, 0, 900, 180).data"
    assert len(set(window.run(f"return [...{pixels}].slice(-90000)"))) > 30
    begun_s = time.monotonic()
    press(window, " ")
    until(window, "document.getElementById('player').currentTime > 0")
    assert time.monotonic() - begun_s < 5
    press(window, "f")
    assert window.run("return document.activeElement.id") == "why"
    window.type_into("#why", "hiss")
    window.press("#keep")
    until(window, "document.getElementById('decisions').textContent.includes('flagged as bad (hiss)')")
    assert window.run("return !document.getElementById('due').hidden")
    press(window, "c")
    window.run("document.getElementById('new-text').value = 'seven red'")
    window.press("#keep")
    until(window, "document.getElementById('decisions').textContent.includes('corrected: seven red')")
    press(window, "u")
    until(window, "document.getElementById('decisions').textContent.includes('undone')")
    press(window, "c")
    window.run("document.getElementById('new-text').value = '漢字'")
    window.press("#keep")
    until(window, "document.getElementById('problem').textContent.includes('cannot be used')")
    window.save(tmp_path / "page.png")


def test_hostile_text_is_text(window: Any) -> None:
    window.type_into("#text", "onerror")
    until(window, "document.querySelectorAll('#list li').length === 1")
    text = str(window.run("return document.getElementById('said').textContent"))
    assert "<script>" in text and "{{ 7*7 }}" in text and "U+202E" in text
    assert window.run("return document.title") == "Utterances – speechmill"
    assert window.run("return document.querySelectorAll('main img, main script').length") == 0
    requests = window.run(
        "return performance.getEntriesByType('resource').map(one => new URL(one.name).host)"
    )
    assert set(requests) == {window.run("return location.host")}


def test_filters_stand_in_the_address_and_refused_rows_say_why(window: Any, address: str) -> None:
    window.run("document.getElementById('filters').open = true")
    window.run(
        "const kind = document.querySelector('[name=kind]'); kind.value = 'rejected';"
        "kind.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    until(window, "document.querySelector('#list .bad')")
    until(window, "document.getElementById('facts').textContent.includes('reason')")
    assert window.run("return document.getElementById('player').hidden")
    said = str(window.run("return location.hash"))
    assert "kind=rejected" in said
    window.visit("about:blank".replace("about:blank", "/files/page.css"))
    window.visit(f"/{said}")
    until(window, "document.querySelector('#list .bad')")


@pytest.mark.parametrize("width", [1400, 360])
def test_axe_finds_nothing_and_nothing_sticks_out(window: Any, width: int, tmp_path: Path) -> None:
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 400}
    window.call("/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": metrics})
    window.run("document.getElementById('filters').open = true")
    press(window, "c")
    assert axe_findings(window) == []
    assert window.run("return document.documentElement.scrollWidth") <= width
    window.save(tmp_path / f"{width}.png")
