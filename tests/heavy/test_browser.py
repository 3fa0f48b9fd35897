"""The report pages in a real Chromium: inside the Airflow UI, behind the login, and deaf to hostile text."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from postgresql_server import free_port

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = "<script>document.title='broken'</script>{{ 7 * 7 }}"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("chromedriver") is None, reason="Chromium is not installed (make test-all installs it)"
    ),
]


def publish(tmp_path: Path) -> None:
    """A tiny corpus, one of whose transcripts is hostile, and its pages, in the store."""
    from corpora.refresh.plan import RefreshRequest
    from corpora.refresh.stage import refresh
    from corpora.report import write_corpus_report
    from demo.layouts import librispeech, tones
    from store.opening import open_store
    from training.pages.report import write_reports

    archives = tmp_path / "archives"
    archives.mkdir()
    tree = Path(librispeech.write(archives, tones.utterances()))
    transcript = sorted(tree.rglob("*.trans.txt"))[0]
    lines = transcript.read_text("utf-8").splitlines()
    lines[0] = f"{lines[0].split(' ')[0]} {HOSTILE}"
    transcript.write_text("\n".join(lines) + "\n", "utf-8")
    store = open_store(tmp_path / "store")
    result = refresh(RefreshRequest(importer="librispeech", sources=(tree,), store=tmp_path / "store"))
    assert sum(result["rejected"].values()) == 1
    write_corpus_report(store, store.corpus("librispeech"))
    write_reports(store)


def test_reports_are_read_inside_airflow_and_hostile_text_stays_text(tmp_path: Path) -> None:
    from launcher.screenshots import browser, log_in

    publish(tmp_path)
    environment = {
        **os.environ,
        "SPEECHMILL_ROOT": str(ROOT),
        "SPEECHMILL_PORT": str(free_port()),
        "SPEECHMILL_STORE": str(tmp_path / "store"),
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
    }
    command = [sys.executable, "-m", "launcher"]
    started = subprocess.run(
        [*command, "start", "--json"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    try:
        assert started.returncode == 0, started.stderr
        status = json.loads(started.stdout)
        for path in ("/speech/", "/speech/reports/index.html", "/speech/reports/corpora/librispeech.html"):
            answer = httpx.get(status["url"] + path, trust_env=False)
            assert answer.status_code in (401, 403), f"{path} is open without a login: {answer.status_code}"
        with browser(status["url"]) as window:
            log_in(window, status["user"], status["password"])
            window.visit("/plugin/speech")
            window.wait_for("librispeech")
            window.visit("/speech/reports/corpora/librispeech.html")
            window.wait_for("librispeech")
            assert HOSTILE in str(window.run("return document.body.textContent"))
            assert "broken" not in str(window.run("return document.title"))
            window.save(tmp_path / "report.png")
        assert (tmp_path / "report.png").stat().st_size > 20_000
    finally:
        stopped = subprocess.run(
            [*command, "stop"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
    assert stopped.returncode == 0, stopped.stderr
