"""The pages inside Airflow in a real Chromium: behind the login, deaf to hostile text, for everybody, on a phone."""

from __future__ import annotations

import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from opened import ROOT, airflow_of, axe_findings
from postgresql_server import free_port

from tests.training.release.handmade_models import BAD, SAID, evaluation, package

HOSTILE = "<script>document.title='broken'</script>{{ 7 * 7 }}"
LOOKS = {"wide": (1400, "light"), "phone": (360, "light"), "dark": (360, "dark")}
PAGES = {
    "/speech/": "librispeech",
    "/speech/models": "in force",
    "/speech/compare?before=run-aaaa&after=run-bbbb": "utterances differ",
    "/speech/lineage?of=corpus:librispeech": "librispeech",
    "/speech/utterances/": "as CSV",
    "/speech/try/": "model",
    "/speech/report?name=corpora/librispeech.html": "librispeech",
    "/speech/run?dag_id=corpus_refresh&run_id=none": "no such run",
    "/speech/training/none": "no training run",
}
# A reader's POST that only looks, or marks for the reader alone which DAGs the start page shows.
READS = (
    "/api/v2/dags/{dag_id}/dagRuns/list",
    "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/list",
    "/api/v2/dags/{dag_id}/favorite",
    "/api/v2/dags/{dag_id}/unfavorite",
    "/speech/try/hear",
)
# These look for the thing before they ask for the right; with nothing there, there is nothing to change.
LOOK_FIRST = ("/api/v2/backfills/{backfill_id}/", "/api/v2/parseDagFile/")
# Bodies that are read before the right is asked for.
BULK = {"actions": [{"action": "delete", "entities": ["one"]}]}
BODIES: dict[str, Any] = {
    "/api/v2/connections": BULK,
    "/api/v2/dags/{dag_id}/dagRuns": BULK,
    "/api/v2/pools": BULK,
    "/api/v2/variables": BULK,
    "/api/v2/connections/enqueue-test": {"connection_id": "one", "conn_type": "http"},
    "/api/v2/dags/{dag_id}/clearDagRuns": {"dag_runs": [{"dag_run_id": "one", "dag_id": "promote"}]},
}
# They tell a stranger that Airflow is up and which one it is, or send to the form where one logs in.
OPEN = ("/api/v2/version", "/api/v2/monitor/health", "/api/v2/auth/login", "/api/v2/auth/logout")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("chromedriver") is None, reason="Chromium is not installed (make test-all installs it)"
    ),
]


def publish(folder: Path) -> None:
    """A tiny corpus, one of whose transcripts is hostile, its pages, and two measured models, in the store."""
    from corpora.refresh.plan import RefreshRequest
    from corpora.refresh.stage import refresh
    from corpora.report import write_corpus_report
    from demo.layouts import librispeech, tones
    from store.opening import open_store
    from training.pages.report import write_reports
    from training.release.registry import Registry

    archives = folder / "archives"
    archives.mkdir()
    tree = Path(librispeech.write(archives, tones.utterances()))
    transcript = sorted(tree.rglob("*.trans.txt"))[0]
    lines = transcript.read_text("utf-8").splitlines()
    lines[0] = f"{lines[0].split(' ')[0]} {HOSTILE}"
    transcript.write_text("\n".join(lines) + "\n", "utf-8")
    store = open_store(folder / "store")
    result = refresh(RefreshRequest(importer="librispeech", sources=(tree,), store=folder / "store"))
    assert sum(result["rejected"].values()) == 1
    write_corpus_report(store, store.corpus("librispeech"))
    write_reports(store)
    facts = {"corpus": "librispeech", "corpus_version": store.corpus("librispeech").version}
    for model, heard in (("aaaa", BAD), ("bbbb", SAID)):
        package(
            store, model, f"run-{model}", [evaluation(store, f"e{model}", f"run-{model}", heard, **facts)]
        )
        Registry(store).promote(model, HOSTILE, "eva")


EVIL = "<script>alert(1)</script><img src=http://evil.example/x onerror=alert(2)>{{ 7 * 7 }} \u202egnihton"
EVIL_FILE = "=1+1<b onclick=alert(3)>{{ 7 * 7 }}\u202eht.wav"


def publish_gift(folder: Path) -> None:
    """A donation whose words, file, speaker and donor mean harm, a row of which is refused; with all its pages."""
    import soundfile

    from corpora.expectations.validate import expect
    from corpora.refresh.plan import RefreshRequest
    from corpora.refresh.stage import refresh
    from corpora.report import write_corpus_report
    from demo.layouts import tones
    from store.opening import open_store

    source = folder / "gift"
    source.mkdir()
    rows = ["path\ttext\tspeaker"]
    for number, item in enumerate(tones.utterances(2, each=4)):
        name = EVIL_FILE if number == 1 else f"u{number}.wav"
        soundfile.write(source / name, item.samples[::-1], 16_000, subtype="PCM_16")  # no copy of the other
        text = EVIL if number == 2 else " ".join(reversed(item.text.split()))
        rows.append(f"{name}\t{text}\t{EVIL if number == 1 else f's{number % 3}'}")
    (source / "t.tsv").write_text("\n".join(rows) + "\n", "utf-8")
    toml = f"name = 'gift'\nlicence = 'CC0-1.0'\ndonor = '{EVIL}'\n"
    (source / "donation.toml").write_text(toml, "utf-8")
    store = open_store(folder / "store")
    refresh(RefreshRequest("donated", (source,), store=folder / "store"))
    expect(store, "gift")
    write_corpus_report(store, store.corpus("gift"))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("browser")
    publish(folder)
    publish_gift(folder)
    with airflow_of(folder, free_port()) as status:
        yield status


@pytest.fixture(scope="module")
def window(running: dict[str, Any]) -> Iterator[Any]:
    from launcher.screenshots import browser, log_in

    with browser(running["url"]) as opened:
        log_in(opened, running["user"], running["password"])
        yield opened


def test_reports_are_read_inside_airflow_and_hostile_text_stays_text(window: Any, tmp_path: Path) -> None:
    window.visit("/plugin/speech")
    window.wait_for("librispeech")
    window.visit("/speech/reports/corpora/librispeech.html")
    window.wait_for("librispeech")
    assert HOSTILE in str(window.run("return document.body.textContent"))
    assert "broken" not in str(window.run("return document.title"))
    window.save(tmp_path / "report.png")
    assert (tmp_path / "report.png").stat().st_size > 20_000


def test_charts_are_drawn_in_the_frame_by_keys_too_and_nothing_is_fetched(window: Any) -> None:
    window.visit("/speech/report?name=corpora/librispeech.html")
    inside = "const frame = document.querySelector('iframe'), page = frame.contentDocument; "
    deadline_s = time.monotonic() + 30
    while window.run(inside + "return page.documentElement.dataset.charts") != "drawn":
        assert time.monotonic() < deadline_s, "the charts are not drawn"
        time.sleep(0.2)
    charts = window.run(
        inside + "return [...page.querySelectorAll('[data-chart]')].map(one => one.dataset.scales)"
    )
    assert len(charts) >= 8 and charts[0] == "LinearScale LinearScale", charts
    fetched = "return frame.contentWindow.performance.getEntriesByType('resource').map(one => one.name)"
    assert [one for one in window.run(inside + fetched) if not one.startswith("data:")] == []
    seen = inside + "const one = page.querySelector('[data-chart]'); "
    for button in window.run(seen + "return [...one.querySelectorAll('button')].map(two => two.textContent)"):
        window.run(
            seen + f"[...one.querySelectorAll('button')].find(two => two.textContent == '{button}').click()"
        )
    time.sleep(1)
    assert window.run(seen + "return one.dataset.scales") == "LogScale LogScale"
    ends = "return frame.contentWindow.Bokeh.documents.map(two => two.roots()[0].x_range.end)"
    before = window.run(seen + ends)
    press = "new frame.contentWindow.KeyboardEvent('keydown', {key: '+', cancelable: true})"
    window.run(seen + f"one.querySelector('.drawn').dispatchEvent({press})")
    after = window.run(seen + ends)
    assert sum(1 for old, new in zip(before, after, strict=True) if new < old) == 1
    dark = "page.documentElement.dataset.theme = 'dark'; return null"
    paper = "return frame.contentWindow.Bokeh.documents.map(two => two.roots()[0].background_fill_color)"
    light = window.run(inside + paper)
    window.run(inside + dark)
    time.sleep(1.5)
    now = window.run(inside + paper)
    assert len(now) == len(light) == len(charts) and set(now).isdisjoint(light)


def test_a_hostile_donation_is_text_on_every_page_and_nothing_is_asked_of_anybody(
    running: dict[str, Any], window: Any
) -> None:
    version = (Path(running["store"]) / "corpora/gift/current").resolve().name
    shown = {
        "/speech/": "gift",
        "/speech/reports/corpora/gift.html": "[U+202E]gnihton",
        f"/speech/reports/expectations/gift/{version}.html": "what is expected",
        f"/speech/lineage?of={quote(EVIL)}": "[U+202E]gnihton",
        "/speech/utterances/#corpus=gift": "U+202E",
        "/speech/models": HOSTILE,
    }
    for path, text in shown.items():
        window.visit("/speech/try/")  # a change of what stands behind # alone would load nothing
        window.visit(path)
        window.wait_for(text, settle_s=0.5)  # an open dialog would end it
        page = str(window.run("return document.documentElement.innerHTML"))
        assert "{{ 7 * 7 }}" in page or path == "/speech/" or "expectations" in path, path
        assert "\u202e" not in page.replace("&#x202e;", "\u202e"), path
        ours = "[...document.scripts].every(one => one.src.startsWith(location.origin) || one.text.length > 999 || one.type)"
        assert window.run(f"return {ours}"), path
        assert window.run("return document.querySelectorAll('img[onerror], b[onclick]').length") == 0, path
        asked = "performance.getEntriesByType('resource').map(one => new URL(one.name))"
        hosts = f"return {asked}.filter(one => one.protocol.startsWith('http')).map(one => one.host)"
        assert set(window.run(hosts)) <= {window.run("return location.host")}, path


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_on_any_page_and_nothing_sticks_out(
    running: dict[str, Any], window: Any, tmp_path: Path, look: str
) -> None:
    width, scheme = LOOKS[look]
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 400}
    window.call("/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": metrics})
    feature = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    window.call("/goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": feature})
    found: dict[str, list[str]] = {}
    files = Path(running["store"]) / "reports"
    found_in = {True: "gift", False: "librispeech"}
    reports = {f"file://{one}": found_in["gift" in str(one)] for one in sorted(files.rglob("*.html"))}
    assert len(reports) >= 2
    for path, text in (PAGES | reports).items():
        window.call("/url", {"url": path if path.startswith("file:") else running["url"] + path})
        try:
            window.wait_for(text, settle_s=0.3)
        except SystemExit as error:
            found[path] = [str(error), window.run("return document.body.innerText")]
            continue
        seen = axe_findings(window)
        too_wide = window.run("return document.documentElement.scrollWidth")
        if too_wide > width:
            seen.append(f"{too_wide} pixels wide")
        if seen:
            found[path] = seen
            window.save(tmp_path / f"{look}-{len(found)}.png")
    assert found == {}


def filled(path: str) -> str:
    """A path with something in the place of every variable; lists across DAGs take ~ alone."""
    return re.sub(r"\{[^}]*\}", "~" if path.endswith("/list") else "1", path)


def doors(url: str, token: str) -> list[tuple[str, str]]:
    """(method, path) of everything that Airflow and our pages answer."""
    description = httpx.get(
        f"{url}/openapi.json", headers={"Authorization": f"Bearer {token}"}, trust_env=False
    ).json()
    found = [(method.upper(), path) for path, methods in description["paths"].items() for method in methods]
    sys.path.append(str(ROOT / "plugins"))
    from speech_pages import app

    return sorted({*found, *_routes(app.routes, "/speech")})


def _routes(routes: Any, below: str) -> Iterator[tuple[str, str]]:
    """(method, path) of an application and of what is mounted in it; a mount without routes of its own is a folder."""
    for route in routes:
        path = below + str(route.path)
        if getattr(route, "routes", None):
            yield from _routes(route.routes, path)
        elif getattr(route, "methods", None):
            yield from ((method, path) for method in route.methods)
        else:
            yield "GET", f"{path}/page.css"


def logged_in(running: dict[str, Any], name: str) -> str:
    import json

    home = Path(running["home"])
    password = json.loads((home / "secrets/passwords.json").read_text())[name]
    answer = httpx.post(
        f"{running['url']}/auth/token", json={"username": name, "password": password}, trust_env=False
    )
    return str(answer.json()["access_token"])


def test_nobody_gets_in_anywhere_and_a_reader_changes_nothing(running: dict[str, Any]) -> None:
    url = running["url"]
    everything = doors(url, logged_in(running, running["user"]))
    assert len(everything) > 150 and ("POST", "/speech/models/rollback") in everything
    let_in, changed = [], []
    reader = {"Authorization": f"Bearer {logged_in(running, 'reader')}", "Origin": url}
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        for method, path in everything:
            if path in OPEN or path.startswith("/auth/"):
                continue
            body = BODIES.get(path, {})
            answer = client.request(method, filled(path), json=body)
            if answer.status_code not in (401, 403, 405):
                let_in.append((method, path, answer.status_code))
            if method in ("GET", "HEAD", "OPTIONS") or path in READS:
                continue
            answer = client.request(method, filled(path), json=body, headers=reader)
            refused = (401, 403, 404) if path.startswith(LOOK_FIRST) else (401, 403)
            if answer.status_code not in refused:
                changed.append((method, path, answer.status_code))
    assert let_in == []
    assert changed == []
