"""A PostgreSQL server of a test's own: loopback only, a password, its data in the test's folder.

Debian keeps the programs under /usr/lib/postgresql/<version>/bin; the server refuses to run as root, so root runs it
as the user `postgres`.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path


def programs() -> Path | None:
    """The directory of initdb and pg_ctl, or None where PostgreSQL is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


def free_port() -> int:
    """A port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def postgresql_server(directory: Path) -> Iterator[str]:
    """Runs a server while the block lasts; yields the URL of an empty database."""
    bin_dir, port, password = programs(), free_port(), secrets.token_hex(12)
    if bin_dir is None:
        raise FileNotFoundError("PostgreSQL is not installed (package postgresql)")
    directory.mkdir(parents=True, exist_ok=True)
    password_file = directory / "password"
    password_file.write_text(password)
    prefix: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(directory, "postgres")
        shutil.chown(password_file, "postgres")
        prefix = ["runuser", "-u", "postgres", "--"]

    def call(*command: str) -> None:
        done = subprocess.run(
            [*prefix, *command],
            capture_output=True,
            text=True,
            check=False,
            cwd=directory,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]} failed: {done.stdout}{done.stderr}")

    data = directory / "data"
    call(
        f"{bin_dir}/initdb",
        "-D",
        str(data),
        "-U",
        "speechmill",
        "-A",
        "scram-sha-256",
        f"--pwfile={password_file}",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
    )
    options = f"-c listen_addresses=127.0.0.1 -p {port} -c unix_socket_directories= -c fsync=off -c max_connections=80"
    subprocess.run(
        [
            *prefix,
            f"{bin_dir}/pg_ctl",
            "-D",
            str(data),
            "-o",
            options,
            "-w",
            "-l",
            str(directory / "log"),
            "start",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=directory,
    )
    try:
        environment = {**os.environ, "PGPASSWORD": password}
        subprocess.run(
            [f"{bin_dir}/createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "speechmill", "airflow"],
            check=True,
            env=environment,
            capture_output=True,
        )
        yield f"postgresql+psycopg2://speechmill:{password}@127.0.0.1:{port}/airflow"
    finally:
        call(f"{bin_dir}/pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
