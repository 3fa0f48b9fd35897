"""Backup, restore and clean of a home on SQLite; the server's side is tests/heavy/test_postgresql.py."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

import pytest

from launcher import upkeep
from launcher.files import LaunchError
from launcher.home import Home


@pytest.fixture
def home(tmp_path: Path, root: Path) -> Home:
    made = Home(root, tmp_path / "home", tmp_path / "store")
    made.make()
    made.set_sources("/archives")
    made.users.add("anna", "admin")
    with sqlite3.connect(made.path / "airflow.db") as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE dag_run (id INTEGER, run_id TEXT)")
        database.execute("INSERT INTO dag_run VALUES (1, 'first')")
    return made


def runs(home: Home) -> list[str]:
    with sqlite3.connect(home.path / "airflow.db") as database:
        return [row[0] for row in database.execute("SELECT run_id FROM dag_run ORDER BY id")]


def test_what_a_backup_holds_comes_back_whole(home: Home, root: Path, tmp_path: Path) -> None:
    writer = sqlite3.connect(home.path / "airflow.db")  # Airflow runs meanwhile
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO dag_run VALUES (2, 'not committed')")
    done = upkeep.backup(home, {}, tmp_path / "backups")
    writer.rollback()
    writer.close()
    other = Home(root, tmp_path / "new", tmp_path / "store")
    upkeep.restore(other, {}, tmp_path / "backups")
    assert runs(other) == ["first"]
    assert other.users.roles() == home.users.roles()
    assert other.users.password("anna") == home.users.password("anna")
    assert other.sources_file.read_text() == "/archives"
    assert (other.secrets / "fernet_key").read_bytes() == (home.secrets / "fernet_key").read_bytes()
    assert Path(done["backup"]).stat().st_mode & 0o077 == 0


def test_only_the_newest_backups_stay_and_halves_never_count(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = iter(f"2030-01-0{day}T00-00-00Z" for day in range(1, 6))
    monkeypatch.setattr(upkeep.time, "strftime", lambda *_: next(names))
    (tmp_path / "backups/.2030-09-09T00-00-00Z.partial").mkdir(parents=True)
    (tmp_path / "backups/.2030-09-09T00-00-00Z.partial/backup.json").write_text("{}")
    (tmp_path / "backups/notes").mkdir()
    for _ in range(4):
        last = upkeep.backup(home, {}, tmp_path / "backups", keep=2)
    found = sorted(path.name for path in (tmp_path / "backups").iterdir() if not path.name.startswith("."))
    assert found == ["2030-01-03T00-00-00Z", "2030-01-04T00-00-00Z", "notes"]
    assert last["removed"] == ["2030-01-02T00-00-00Z"]
    assert upkeep.restore(home, {}, tmp_path / "backups", replace=True)["restored"].endswith(
        "01-04T00-00-00Z"
    )


def test_a_restore_never_replaces_what_is_there_unasked(home: Home, tmp_path: Path) -> None:
    upkeep.backup(home, {}, tmp_path / "backups")
    with sqlite3.connect(home.path / "airflow.db") as database:
        database.execute("INSERT INTO dag_run VALUES (2, 'second')")
    with pytest.raises(LaunchError, match="add --replace"):
        upkeep.restore(home, {}, tmp_path / "backups")
    assert runs(home) == ["first", "second"]
    upkeep.restore(home, {}, tmp_path / "backups", replace=True)
    assert runs(home) == ["first"]


def test_what_cannot_be_is_said_before_anything_is_touched(home: Home, tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="belongs on another disk"):
        upkeep.backup(home, {}, home.path / "backups")
    with pytest.raises(LaunchError, match="holds no backup"):
        upkeep.restore(home, {}, tmp_path)
    upkeep.backup(home, {}, tmp_path / "backups")
    with pytest.raises(LaunchError, match="is of SQLite"):
        upkeep.restore(home, {"SPEECHMILL_DB": "postgresql://x@127.0.0.1/y"}, tmp_path / "backups")
    (about,) = (tmp_path / "backups").glob("*/backup.json")
    about.write_text('{"airflow": "99.0.0", "store": "s"}')
    with pytest.raises(LaunchError, match=r"made by Airflow 99\.0\.0"):
        upkeep.restore(home, {}, tmp_path / "backups", replace=True)
    (home.path / "airflow.db").unlink()
    with pytest.raises(LaunchError, match="never started here"):
        upkeep.backup(home, {}, tmp_path / "backups")
    assert not list((tmp_path / "backups").glob("*Z")) or len(list((tmp_path / "backups").glob("*Z"))) == 1


def test_old_task_logs_go_and_young_ones_and_those_of_the_components_stay(
    airflow_home: Path, root: Path, tmp_path: Path
) -> None:
    home = Home(root, Path(os.environ["AIRFLOW_HOME"]), tmp_path / "store")
    old, young, component = (
        home.path / "logs/dag_id=x/old.log", home.path / "logs/dag_id=y/young.log", home.log("scheduler"),
    )  # fmt: skip
    for path in (old, young, component):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("text")
    long_ago_s = time.time() - 100 * 86_400
    for path in (old, component):
        os.utime(path, (long_ago_s, long_ago_s))
    done = upkeep.clean(home, home.environment(os.environ, 1), 90)
    assert done["log_files"] == 1 and not old.exists() and not old.parent.exists()
    assert young.exists() and component.exists()
    with pytest.raises(LaunchError, match="at least 1"):
        upkeep.clean(home, {}, 0)
