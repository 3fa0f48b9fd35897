"""A campaign published through a real Airflow: votes → snapshot → corpus_refresh → the campaign's corpus."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "collect"))
sys.path.insert(0, str(Path(__file__).parent))
from collect_sounds import voice, wav
from postgresql_server import free_port

from demo.collecting.service import Caller, Service, running
from store.opening import open_store

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture
def airflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """An Airflow for the test's store that may read below the service's folder."""
    for name, value in (
        ("SPEECHMILL_ROOT", ROOT),
        ("SPEECHMILL_PORT", free_port()),
        ("SPEECHMILL_SOURCES", tmp_path / "collect"),
        ("SPEECHMILL_STORE", tmp_path / "store"),
        ("AIRFLOW_HOME", tmp_path / "airflow"),
    ):
        monkeypatch.setenv(name, str(value))
    (tmp_path / "collect").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "launcher", "start", "--json"],
        cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert done.returncode == 0, done.stderr
        yield json.loads(done.stdout)
    finally:
        subprocess.run([sys.executable, "-m", "launcher", "stop"], cwd=ROOT, check=False)


@pytest.mark.timeout(600)
def test_votes_become_a_corpus_by_the_dag(airflow: dict[str, Any], tmp_path: Path) -> None:
    text = tmp_path / "s.txt"
    text.write_text(
        "The sailor sold ten boats.\nThe queen heard the captain.\nThe miller painted the mill.\n"
    )
    service = Service(tmp_path / "collect", tmp_path / "store")
    service.command("campaign", "harbour", "--open", "--text", str(text), "--source", "our own")
    with running(service):
        people = [Caller(service.url, "harbour") for _ in range(3)]
        for person in people:
            person.join()
        for seed, person in enumerate(people):
            (task,) = person.tasks(1)
            _, answer = person.send(task["id"], wav(voice(seed, syllables=14)))
            assert answer.json()["state"] == "waiting", answer.text
        for person in people:
            for clip in person.to_judge(5):
                person.hear(clip["id"])
                person.vote(clip["id"], True)
        said = json.loads(service.command("publish", "harbour", "--airflow", "--json"))
        for person in people:
            person.close()
    assert said["clips"] == {"accepted": 3} and said["refresh"]["status"] == "success", said
    corpus = open_store(tmp_path / "store").corpus("harbour")
    assert sum(split["utterances"] for split in corpus.manifest["splits"].values()) == 3
    assert airflow["url"]
