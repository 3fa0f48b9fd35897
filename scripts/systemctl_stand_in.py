#!/usr/bin/env python3
"""What docs/team-server.md asks of systemctl, for a Debian in which no systemd runs (a chroot, a container).

    start | stop | restart | enable [--now] | daemon-reload   UNIT…

It reads the same unit files: User, WorkingDirectory, EnvironmentFile, ExecStart, Type, TimeoutStopSec. Timers do not tick,
nothing is restarted, nothing is confined. PostgreSQL and nginx are started as Debian's own init scripts do.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

UNITS = Path("/etc/systemd/system")


def lines_of(unit: str) -> list[tuple[str, str]]:
    """(key, value) of a unit's [Service] section, in order."""
    found = []
    for line in (UNITS / unit).read_text("utf-8").splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.append((key.strip(), value.strip()))
    return found


def environment(path: str) -> dict[str, str]:
    """The variables of an EnvironmentFile."""
    pairs = (line.partition("=") for line in Path(path).read_text("utf-8").splitlines() if "=" in line)
    return {key: value for key, _, value in pairs}


def start(unit: str) -> None:
    """One service; a oneshot has ended when this returns."""
    entries = lines_of(unit)
    settings = dict(entries)
    given = {**os.environ, **environment(settings["EnvironmentFile"]), "HOME": "/srv/speechmill"}
    for key, value in entries:
        if key != "ExecStart":
            continue
        command = ["runuser", "-u", settings["User"], "--", *value.split()]
        if settings["Type"] == "oneshot":
            subprocess.run(command, cwd=settings["WorkingDirectory"], env=given, check=True)
            continue
        with Path(f"/var/log/{unit}.log").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=settings["WorkingDirectory"], env=given, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True,
            )  # fmt: skip
        record(unit).write_text(str(process.pid))


def record(unit: str) -> Path:
    """Where the id of a running service stands."""
    return Path(f"/run/{unit}.pid")


def stop(unit: str) -> None:
    """SIGTERM to the service itself, as KillMode=mixed has it, then a wait."""
    if not record(unit).exists():
        return
    pid = int(record(unit).read_text())
    children = subprocess.run(
        ["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split()
    for child in children or [str(pid)]:  # runuser's child is the service
        os.kill(int(child), signal.SIGTERM)
    end_s = time.monotonic() + 90
    while Path(f"/proc/{pid}").exists() and time.monotonic() < end_s:
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            break
        time.sleep(0.2)
    record(unit).unlink()


def act(action: str, unit: str) -> None:
    """One action on one unit."""
    if unit.startswith("postgresql"):
        subprocess.run(["service", "postgresql", action], check=True)
    elif unit.startswith("nginx"):
        subprocess.run(["service", "nginx", action], check=True)
    elif not unit.endswith(".timer"):
        if action in ("stop", "restart"):
            stop(unit)
        if action in ("start", "restart"):
            start(unit)


def main() -> int:
    """The command line."""
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    action = words[0]
    if action == "enable":
        action = "start" if "--now" in sys.argv else ""
    if action in ("start", "stop", "restart"):
        for unit in words[1:]:
            act(action, unit if "." in unit else f"{unit}.service")
    return 0


if __name__ == "__main__":
    sys.exit(main())
