"""Keeping a home for years: backup, restore, old records and logs, from SQLite to a server.

A backup is one folder a time, `<to>/<UTC time>/`, renamed into place when it is whole: the database (SQLite's own copy, or
pg_dump's), secrets, users and roots of sources. The store is not in it: its files never change once published, so any
program that copies folders will do (docs/team-server.md). Nothing here runs by itself.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from launcher.files import LaunchError, write_private
from launcher.home import Home
from store.writing import temporary_beside

ABOUT = "backup.json"
_SQLITE, _DUMP = "airflow.db", "airflow.dump"


def backup(home: Home, environ: Mapping[str, str], to: Path, keep: int = 14) -> dict[str, Any]:
    """Copy everything of a home that cannot be made again; answers where it lies and how large it is.

    Airflow may run meanwhile.

    Args:
        to: a folder on another disk; made if missing.
        keep: of the backups there, so many of the newest stay.

    Raises:
        LaunchError: there is no database yet, the folder lies within the home, or the copy fails.
    """
    to = to.resolve()
    if to.is_relative_to(home.path):
        raise LaunchError(f"{to} lies within the home {home.path}: a backup belongs on another disk")
    name = time.strftime("%Y-%m-%dT%H-%M-%SZ", time.gmtime())
    final = to / name
    partial = temporary_beside(final)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True, mode=0o700)
    try:
        _copy_database(home, environ, partial)
        shutil.copytree(home.secrets, partial / "secrets")
        for file in (home.users.file, home.sources_file):
            if file.exists():
                shutil.copy2(file, partial / file.name)
        about = {"airflow": importlib.metadata.version("apache-airflow"), "store": str(home.store)}
        write_private(partial / ABOUT, json.dumps(about))
    except OSError as error:
        raise LaunchError(f"the backup in {partial} could not be written: {error}") from error
    partial.rename(final)
    old = sorted(path for path in to.iterdir() if (path / ABOUT).is_file())[:-keep]
    for path in old:
        shutil.rmtree(path)
    size = sum(path.stat().st_size for path in final.rglob("*") if path.is_file())
    return {"backup": str(final), "bytes": size, "removed": [path.name for path in old]}


def _copy_database(home: Home, environ: Mapping[str, str], to: Path) -> None:
    server = environ.get("SPEECHMILL_DB")
    if server:
        _pg(server, ["pg_dump", "--format=custom", f"--file={to / _DUMP}"])
        return
    source = home.path / "airflow.db"
    if not source.exists():
        raise LaunchError(f"{home.path} holds no database: Airflow was never started here")
    with (
        contextlib.closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=60)) as live,
        contextlib.closing(sqlite3.connect(to / _SQLITE)) as copy,
    ):
        live.backup(copy)


def restore(home: Home, environ: Mapping[str, str], source: Path, replace: bool = False) -> dict[str, Any]:
    """Bring a backup back; Airflow must not run.

    Args:
        source: one backup, or the folder of backups (then the newest of them).
        replace: also over a home that has a database.

    Raises:
        LaunchError: no backup, made on the other kind of database or by a newer Airflow, or a home that is in use.
    """
    found = source if (source / ABOUT).is_file() else _newest(source)
    about = json.loads((found / ABOUT).read_text("utf-8"))
    here = importlib.metadata.version("apache-airflow")
    if _numbers(about["airflow"]) > _numbers(here):
        raise LaunchError(f"{found} was made by Airflow {about['airflow']}, here is {here}: upgrade first")
    server = environ.get("SPEECHMILL_DB")
    if not (found / (_DUMP if server else _SQLITE)).is_file():
        kind = (
            "SQLite, and SPEECHMILL_DB names a server" if server else "a server, and SPEECHMILL_DB is not set"
        )
        raise LaunchError(
            f"{found} is of {kind}: restore it as it was made, then python -m launcher move-database"
        )
    if not server and (home.path / "airflow.db").exists() and not replace:
        raise LaunchError(f"{home.path} has a database already: add --replace to put the backup in its place")
    home.path.mkdir(parents=True, exist_ok=True, mode=0o700)
    if server:
        _pg(
            server,
            ["pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", found / _DUMP],
        )
    else:
        for name in ("airflow.db-wal", "airflow.db-shm"):
            (home.path / name).unlink(missing_ok=True)
        _place(found / _SQLITE, home.path / "airflow.db")
    home.secrets.mkdir(exist_ok=True, mode=0o700)
    for path in (found / "secrets").iterdir():
        _place(path, home.secrets / path.name)
    for file in (home.users.file, home.sources_file):
        if (found / file.name).exists():
            _place(found / file.name, file)
    (home.run / "database").unlink(missing_ok=True)  # the next start migrates what is older
    return {"restored": str(found), "home": str(home.path), "store": about["store"]}


def _newest(folder: Path) -> Path:
    found = sorted(path.parent for path in folder.glob(f"*/{ABOUT}") if not path.parent.name.startswith("."))
    if not found:
        raise LaunchError(f"{folder} holds no backup: name a folder that python -m launcher backup wrote")
    return found[-1]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:3] if part.isdigit())


def _place(source: Path, target: Path) -> None:
    temporary = temporary_beside(target)
    shutil.copy2(source, temporary)
    temporary.replace(target)


def _pg(url: str, command: Sequence[str | Path]) -> None:
    """One of PostgreSQL's programs on the database of a URL; the password goes by the environment.

    Raises:
        LaunchError: it is not installed, or fails.
    """
    parts = urlsplit(url)
    environment = {
        **os.environ,
        "PGHOST": parts.hostname or "",
        "PGPORT": str(parts.port or 5432),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
    }
    name = parts.path.lstrip("/")
    try:
        done = subprocess.run(
            [*map(str, command), f"--dbname={name}"],
            env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise LaunchError(f"{command[0]} is not installed (Debian: postgresql-client)") from error
    if done.returncode != 0:
        raise LaunchError(f"{command[0]} failed: {done.stderr.strip()[-600:]}")


def clean(home: Home, environment: Mapping[str, str], days: int) -> dict[str, Any]:
    """Remove records and task logs that are older than so many days; Airflow may run meanwhile.

    Args:
        environment: `Home.environment`.

    Raises:
        LaunchError: days < 1, or Airflow's `db clean` fails.
    """
    if days < 1:
        raise LaunchError(f"{days} days: name at least 1")
    before_s = time.time() - days * 86_400
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(before_s))
    done = subprocess.run(
        [sys.executable, "-m", "airflow", "db", "clean", "--clean-before-timestamp", stamp, "--yes",
         "--skip-archive", "--error-on-cleanup-failure"],
        cwd=home.root, env=dict(environment), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if done.returncode != 0:
        raise LaunchError(f"airflow db clean failed: {(done.stderr or done.stdout).strip()[-600:]}")
    files = bytes_ = 0
    components = home.log("any").parent
    for path in sorted((home.path / "logs").rglob("*"), reverse=True):
        if path.is_relative_to(components):
            continue
        if path.is_dir():
            with contextlib.suppress(OSError):
                path.rmdir()  # only where nothing is left in it
        elif path.stat().st_mtime < before_s:
            files, bytes_ = files + 1, bytes_ + path.stat().st_size
            path.unlink()
    return {"before": stamp, "log_files": files, "log_bytes": bytes_}


def move_database(home: Home, environment: Mapping[str, str]) -> dict[str, Any]:
    """Copy the home's SQLite database into the empty one that SPEECHMILL_DB names; the source stays as it is.

    Args:
        environment: `Home.environment`, of the server.

    Raises:
        LaunchError: SPEECHMILL_DB is not set, there is nothing to move, the server has runs already, or it fails.
    """
    if not environment.get("SPEECHMILL_DB"):
        raise LaunchError(
            "SPEECHMILL_DB is not set: name the server, postgresql+psycopg2://user:password@host/database"
        )
    source = home.path / "airflow.db"
    if not source.exists():
        raise LaunchError(f"{source} is not there: nothing to move")
    done = subprocess.run(
        [sys.executable, "-m", "launcher.move_database", str(source)],
        cwd=home.root, env=dict(environment), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if done.returncode != 0:
        raise LaunchError(f"the database was not moved: {done.stderr.strip().splitlines()[-1]}")
    rows: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return {"rows": sum(rows.values()), "tables": {name: count for name, count in rows.items() if count}}
