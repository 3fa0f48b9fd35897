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


def run(command: list[str], folder: Path, **environment: str) -> None:
    """Runs one of PostgreSQL's programs; as the user `postgres` where this process is root."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    # A server started by pg_ctl keeps its streams: they must not be pipes somebody waits for.
    with (folder / "output").open("ab") as output:
        done = subprocess.run(
            [*prefix, *command], cwd=folder, env={**os.environ, **environment},
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False,
        )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed: {(folder / 'output').read_text()}")


@contextlib.contextmanager
def postgresql_server(folder: Path) -> Iterator[str]:
    """Runs a server while the block lasts; yields the URL of an empty database."""
    bin_dir, port, password = programs(), free_port(), secrets.token_hex(12)
    if bin_dir is None:
        raise FileNotFoundError("PostgreSQL is not installed (package postgresql)")
    folder.mkdir(parents=True, exist_ok=True)
    password_file, data = folder / "password", folder / "data"
    password_file.write_text(password)
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        shutil.chown(password_file, "postgres")
    access = ["-U", "speechmill", "-A", "scram-sha-256", f"--pwfile={password_file}"]
    run([f"{bin_dir}/initdb", "-D", str(data), *access, "-E", "UTF8", "--locale=C.UTF-8"], folder)
    options = f"-c listen_addresses=127.0.0.1 -p {port} -c unix_socket_directories= -c fsync=off"
    control = [f"{bin_dir}/pg_ctl", "-D", str(data), "-w"]
    run([*control, "-o", options, "-l", str(folder / "log"), "start"], folder)
    try:
        server = ["-h", "127.0.0.1", "-p", str(port), "-U", "speechmill"]
        run([f"{bin_dir}/createdb", *server, "airflow"], folder, PGPASSWORD=password)
        yield f"postgresql+psycopg2://speechmill:{password}@127.0.0.1:{port}/airflow"
    finally:
        run([*control, "-m", "immediate", "stop"], folder)
