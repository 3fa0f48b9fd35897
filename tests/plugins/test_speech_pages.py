"""The pages inside the Airflow UI: login everywhere, only reports are served, hostile text stays text."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from store.opening import open_store
from store.pages.charts import script_sources
from tests.training.release.handmade_models import SAID, evaluation, package
from training.release.registry import Registry

OUR_SCRIPT = '<script src="/speech/shell.js"></script>'
HOSTILE = "<script>alert(1)</script>{{ 7 * 7 }}\u202egnihton"


@pytest.fixture(scope="module")
def application(airflow_home: Path, root: Path) -> Any:
    sys.path.append(str(root / "plugins"))
    from airflow.api_fastapi.app import create_auth_manager

    create_auth_manager().init()
    from speech_pages import app

    return app


@pytest.fixture(scope="module")
def stranger(application: Any) -> Iterator[Any]:
    from fastapi.testclient import TestClient

    with TestClient(application, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def reader(application: Any, store_root: Path) -> Iterator[Any]:
    """A client with the token of the role that may only look."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from fastapi.testclient import TestClient

    token = get_auth_manager().generate_jwt(SimpleAuthManagerUser(username="reader", role="viewer"))
    with TestClient(application, headers={"Authorization": f"Bearer {token}"}) as client:
        yield client


def paths(application: Any) -> list[str]:
    filled = {
        "{name:path}": "index.html", "{table}": "corpora", "{run}": "abc", "{evaluation}": "e1",
        "{name}": "radio", "{stem}": "a", "{file}": "a.flac",
        "{utterance:path}": "u1",
    }  # fmt: skip
    found = [route.path for route in application.routes]
    return [functools.reduce(lambda text, pair: text.replace(*pair), filled.items(), path) for path in found]


def test_every_route_asks_for_the_login(application: Any, stranger: Any) -> None:
    assert len(paths(application)) >= 7
    for path in paths(application):
        for method in ("GET", "POST", "HEAD", "DELETE"):
            assert stranger.request(method, path).status_code in (401, 405), path
        forged = stranger.get(path, headers={"Authorization": "Bearer forged"})
        assert forged.status_code in (401, 403, 405), path
    for path in ("/docs", "/openapi.json", "/redoc"):
        assert stranger.get(path).status_code == 404


def test_who_follows_a_link_without_a_login_comes_to_the_form_and_then_on(stranger: Any) -> None:
    looking = {"Accept": "text/html,application/xhtml+xml"}
    for path in ("/lineage?of=corpus:a", "/utterances/", "/try/", "/reports/index.html"):
        answer = stranger.get(path, headers=looking, follow_redirects=False)
        wanted = quote(path, safe="")
        assert (answer.status_code, answer.headers["location"]) == (307, f"/api/v2/auth/login?next={wanted}")
    assert stranger.post("/due", headers=looking).status_code == 401
    assert stranger.get("/", headers={"Accept": "application/json"}).status_code == 401


def publish_hostile(store: Path) -> None:
    """Manifests and a report as a malicious donor would like them."""
    corpus = store / "corpora/evil/v1"
    corpus.mkdir(parents=True)
    splits = {"train": {"utterances": 3, "hours": 0.5, "speakers": 1}}
    manifest = {
        "corpus": HOSTILE, "version": HOSTILE, "items": {"input": 4, "accepted": 3, "rejected": 1, "ignored": 0},
        "rejected": {HOSTILE: 1}, "splits": splits, "licences": {HOSTILE: 0.5},
    }  # fmt: skip
    (corpus / "manifest.json").write_text(json.dumps(manifest))
    (corpus.parent / "current").symlink_to("v1")
    broken = store / "corpora/broken/current"
    broken.mkdir(parents=True)
    (broken / "manifest.json").write_text("{")
    run = store / "runs/abc"
    run.mkdir(parents=True)
    (run / "state.json").write_text(json.dumps({"run": "abc", "state": "failed", "message": HOSTILE}))
    (store / "reports/corpora").mkdir(parents=True)
    (store / "reports/index.html").write_text("<h1>chain</h1>")
    (store / "secret.html").write_text("secret")
    (store / "reports/link.html").symlink_to(store / "secret.html")


def test_hostile_text_is_shown_as_text(reader: Any, store_root: Path) -> None:
    publish_hostile(store_root)
    answer = reader.get("/")
    assert answer.status_code == 200
    assert "<script" not in answer.text.replace(OUR_SCRIPT, "")
    assert "49" not in answer.text
    assert "\u202e" not in answer.text and "[U+202E]gnihton" in answer.text
    assert "&lt;script&gt;" in answer.text
    assert "no readable JSON" in answer.text, "the damaged manifest shows as a row"
    frame = reader.get("/report", params={"name": f"{HOSTILE}.html"})
    assert "<script" not in frame.text.replace(OUR_SCRIPT, "")
    for page in (answer, frame, reader.get("/reports/index.html")):
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
        assert page.headers["X-Content-Type-Options"] == "nosniff"


def test_the_verdict_on_the_rows_stands_at_the_corpus(reader: Any, store_root: Path) -> None:
    publish_hostile(store_root)
    assert reader.get("/api/corpora").json()[1]["expected"] is None
    assert "its rows were not looked at yet" in reader.get("/").text
    (folder,) = (
        one for one in store_root.glob("corpora/*/current") if (one / "manifest.json").stat().st_size > 9
    )
    verdict = {
        "level": HOSTILE,
        "expectations": [{"says": "a", "passed": True}, {"says": HOSTILE, "passed": False}],
    }
    (folder / "expectations.json").write_text(json.dumps(verdict))
    expected = reader.get("/api/corpora").json()[1]["expected"]
    assert expected == {"level": HOSTILE, "passed": False, "asked": 2, "not_met": [HOSTILE]}
    page = reader.get("/").text
    assert "1 of 2 expectations not met" in page and "<script" not in page.replace(OUR_SCRIPT, "")
    (folder / "expectations.json").write_text('{"level": 3}')
    assert reader.get("/api/corpora").json()[1]["expected"] is None, "a damaged verdict hides no corpus"


def certify(store: Path) -> None:
    """A corpus whose times were found, with two certificates, one of them damaged, and files that are nobody's."""
    corpus = store / "corpora/radio-aligned/v1"
    corpus.mkdir(parents=True)
    splits = {"train": {"utterances": 3, "hours": 0.5, "speakers": 1}}
    manifest = {
        "corpus": "radio-aligned", "version": "v1", "splits": splits, "rejected": {}, "licences": {},
        "items": {"input": 3, "accepted": 3, "rejected": 0, "ignored": 0},
    }  # fmt: skip
    (corpus / "manifest.json").write_text(json.dumps(manifest))
    (corpus.parent / "current").symlink_to("v1")
    folder = store / "aligned/radio"
    (folder / "certificates").mkdir(parents=True)
    shares = {"words_timed": 0.5, "speech_timed": 0.25}
    answer = {
        "duration_s": 90.0, "shares": shares, "segments": [{}], "problem": HOSTILE, "not_written": [{}, {}],
        "not_spoken": [{"text": "x", "from_word": 3, "to_word": 10}],
    }  # fmt: skip
    (folder / "certificates/a b.alignment.json").write_text(json.dumps(answer))
    (folder / "certificates/a b.html").write_text("<h1>certificate</h1>")
    (folder / "certificates/bad.alignment.json").write_text("{")
    (folder / "a b.flac").write_bytes(b"fLaC" + bytes(range(200)))
    (folder / "other.flac").write_bytes(b"secret")
    (folder / "rows").mkdir()
    (folder / "certificates/other.html").write_text("secret")


def test_certificates_are_found_from_the_corpus_and_play_their_recordings(
    reader: Any, store_root: Path
) -> None:
    assert reader.get("/certificates/radio").status_code == 404
    certify(store_root)
    assert '<a href="certificates/radio">certificates</a>' in reader.get("/").text
    listed = reader.get("/certificates/radio").text
    assert "1.5 min, 25.0" in listed and "not spoken: 7 words; not written: 2 places" in listed
    assert "cannot be read" in listed and "<script" not in listed.replace(OUR_SCRIPT, "")
    assert listed.index("bad") < listed.index("a b"), "what is damaged comes first"
    frame = reader.get("/certificates/radio/a b").text
    assert 'src="/speech/aligned/radio/certificates/a%20b.html"' in frame
    inside = reader.get("/aligned/radio/certificates/a b.html")
    assert inside.text == "<h1>certificate</h1>" and "sandbox" in inside.headers["Content-Security-Policy"]
    part = reader.get("/aligned/radio/a b.flac", headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, bytes(range(4)))
    for path in (
        "/aligned/radio/other.flac",
        "/aligned/radio/certificates/other.html",
        "/aligned/radio/certificates/a b.alignment.json",
        "/aligned/radio/donation.toml",
        "/aligned/radio/..%2f..%2fsecret.html",
        "/aligned/..%2f..%2fcorpora/a b.flac",
        "/certificates/radio/other",
        "/certificates/none",
    ):
        assert reader.get(path).status_code == 404, path


def test_reports_are_sandboxed_and_nothing_else_is_served(reader: Any, store_root: Path) -> None:
    publish_hostile(store_root)
    answer = reader.get("/reports/index.html")
    assert answer.text == "<h1>chain</h1>"
    policy = answer.headers["Content-Security-Policy"]
    assert "sandbox allow-same-origin allow-scripts" in policy and "allow-forms" not in policy
    assert f"script-src {script_sources()};" in policy and "script-src 'self'" not in policy
    for name in (
        "%2e%2e/secret.html", "..%2fsecret.html", "corpora/%2e%2e/%2e%2e/secret.html", "link.html", "%00.html",
        f"{str(store_root)[1:]}/secret.html", f"/{store_root}/secret.html", "corpora", "", "none.html",
        "../settings.toml",
    ):  # fmt: skip
        assert reader.get(f"/reports/{name}").status_code == 404, name


def test_json_has_the_figures_of_the_manifests(reader: Any, store_root: Path) -> None:
    assert reader.get("/api/corpora").json() == []
    publish_hostile(store_root)
    rows = reader.get("/api/corpora").json()
    assert [row.get("utterances") for row in rows] == [None, 3], "what is damaged comes first"
    assert "error" in rows[0]
    assert reader.get("/api/overview").json()["runs"][0]["state"] == "failed"
    assert "/speech/api/{table}" in reader.get("/api/routes").json()
    assert reader.get("/api/nothing").status_code == 404


def test_evaluations_show_every_decoder_side_by_side(reader: Any, store_root: Path) -> None:
    folder = store_root / "evaluations/e1"
    folder.mkdir(parents=True)
    evaluation = {
        "id": "e1", "run": "abc", "corpus": HOSTILE, "split": "test", "language_model": {"name": HOSTILE},
        "utterances": 7, "greedy": {"wer": 0.1897}, "corrected": {"wer": 0.0693}, "lm": {"wer": 0.0083},
        "rtf": {"acoustic": 0.1, "decoder": 0.1},
    }  # fmt: skip
    (folder / "evaluation.json").write_text(json.dumps(evaluation))
    page = reader.get("/").text
    assert "<script" not in page.replace(OUR_SCRIPT, "")
    assert page.index("18.97\u00a0%") < page.index("6.93\u00a0%") < page.rindex("0.83\u00a0%")
    row = reader.get("/api/evaluations").json()[0]
    assert (row["greedy_wer"], row["corrected_wer"], row["lm_wer"]) == (0.1897, 0.0693, 0.0083)
    del evaluation["corrected"]
    (folder / "evaluation.json").write_text(json.dumps(evaluation))
    assert "6.93" not in reader.get("/").text, "an evaluation of an earlier format still shows"


def test_one_odd_figure_is_a_row_and_hides_nothing_else(reader: Any, store_root: Path) -> None:
    odd = {
        "runs/abc/state.json": {"run": "abc", "state": "failed", "step": "many", "steps": 3, "epoch": 0},
        "runs/def/state.json": {"run": "def"},
        "evaluations/e1/evaluation.json": {
            "id": "e1", "run": "r", "corpus": "c", "split": "test", "utterances": 3, "rtf": {}, "greedy": {"wer": "x"},
        },
    }  # fmt: skip
    for name, said in odd.items():
        path = store_root / name
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(said))
    page = reader.get("/")
    assert page.status_code == 200
    for wrong in (
        "step = &#39;many&#39; is no number",
        "state = None is no text",
        "greedy_wer = &#39;x&#39;",
    ):
        assert wrong in page.text


def test_a_run_that_nobody_knows_has_no_page(reader: Any) -> None:
    answer = reader.get("/run", params={"dag_id": "corpus_refresh", "run_id": "never there"})
    assert answer.status_code == 404
    assert "knows no such run" in answer.text
    missing = reader.get("/report", params={"name": "nosuch.html"})
    assert missing.status_code == 404
    assert "There is no report" in missing.text


def test_loading_the_plugins_costs_a_task_nothing(airflow_home: Path, root: Path) -> None:
    """Every task process loads all plugins; the web framework alone would cost it two seconds."""
    program = """if True:
        import sys, time
        import airflow.plugins_manager as manager
        import airflow.timetables.trigger
        begun = time.process_time()
        plugins, _ = manager._get_plugins()
        print(time.process_time() - begun, "fastapi" in sys.modules, *sorted(one.name for one in plugins))"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    seconds, framework, *names = done.stdout.splitlines()[-1].split()
    assert {"speechmill_speech", "speechmill_weekly"} <= set(names)
    assert framework == "False"
    assert float(seconds) < 1.0


def test_the_page_to_try_a_model_asks_for_the_login_too(stranger: Any, reader: Any) -> None:
    for path in ("/try/", "/try/page.js"):
        assert stranger.get(path).status_code in (401, 403)
    assert stranger.post("/try/hear", content=b"x").status_code in (401, 403)
    answer = reader.get("/try/")
    assert answer.status_code == 503 and "No model is in force yet" in answer.text
    assert 'href="/dags/corpus_refresh"' in answer.text and "python" not in answer.text, "the words of the UI"
    assert (
        'href="/speech/models"' in answer.text
        and "frame-ancestors" in answer.headers["Content-Security-Policy"]
    )
    assert "no model is released" in reader.post("/try/hear", content=b"x").json()["problem"]


def test_models_are_shown_and_only_who_may_decide_goes_back(reader: Any, store_root: Path) -> None:
    store = open_store(store_root)
    for model in ("aaaa", "bbbb"):
        package(store, model, f"run-{model}", [evaluation(store, f"e{model}", f"run-{model}", SAID)])
        Registry(store).promote(model, HOSTILE, "eva")
    answer = reader.get("/models")
    assert answer.status_code == 200
    assert "Go back to the model before" in answer.text and "ask an operator" in answer.text
    assert "<script" not in answer.text.replace(OUR_SCRIPT, "")
    own = {"Origin": "http://testserver"}
    assert reader.post("/models/rollback", content="why=x").status_code == 403, (
        "no word of where it came from"
    )
    assert reader.post("/models/rollback", content="why=x", headers=own).status_code == 403, "a reader looks"
    assert Registry(store).model().id == "bbbb"
