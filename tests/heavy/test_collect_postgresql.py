"""The service on a real PostgreSQL server: the same loop, and votes of two listeners at the same moment."""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "collect"))
from collect_sounds import voice, wav
from postgresql_server import postgresql_server, programs

from demo.collecting.service import Caller, Service, running

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(programs() is None, reason="PostgreSQL is not installed (make test-all installs it)"),
]
WORDS = ("sailor", "queen", "miller", "baker", "knight", "farmer", "captain", "river")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder the user `postgres` can reach, which a folder under a private home is not."""
    folder = Path(tempfile.mkdtemp(dir="/tmp", prefix="speechmill-postgresql-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_the_loop_runs_on_postgresql(tmp_path: Path, open_folder: Path) -> None:
    text = tmp_path / "s.txt"
    text.write_text(
        "".join(f"The {one} knew the {other}.\n" for one in WORDS for other in WORDS if one != other)
    )
    with postgresql_server(open_folder / "server") as url:
        plain = url.replace("postgresql+psycopg2", "postgresql")
        service = Service(tmp_path / "collect", tmp_path / "store", database=plain)
        service.command("campaign", "harbour", "--open", "--text", str(text), "--source", "our own")
        with running(service):
            people = [Caller(service.url, "harbour") for _ in range(6)]
            for one in people:
                one.join()
            clips = []
            for seed, task in enumerate(people[0].tasks(6)):
                take, answer = people[0].send(task["id"], wav(voice(seed)))
                assert answer.json()["state"] == "waiting", answer.text
                clips.append(take)
            for clip in clips:
                threads = [threading.Thread(target=one.vote, args=(clip, True)) for one in people[1:]]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
            assert all(not one.to_judge(5) for one in people[1:])
            published = service.command("publish", "harbour", "--no-airflow")
            assert "6 clips accepted" in published
        assert not (tmp_path / "collect" / "collect.sqlite").exists()
    for clip in clips:
        assert list((tmp_path / "collect/snapshots/harbour/sound").glob(f"*/{clip}.flac"))
