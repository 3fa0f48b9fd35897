"""The Airflow processes and the supervisor that keeps them alive.

A process is remembered by its id *and* its start (in clock ticks of this boot): a stale record never makes us
signal a stranger. The supervisor is the components' parent: it starts one again that died and, on SIGTERM,
ends all of them, first politely. They are forked from it (parts.py). It knows nothing of DAGs.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from launcher import parts
from launcher.home import Home
from store.writing import temporary_beside

EXECUTION_PORT = "$SPEECHMILL_EXECUTION_PORT"  # stands for its value in the environment
COMPONENTS: Mapping[str, tuple[str, ...]] = {
    # What tasks ask stands apart from what people ask: on SQLite a click that has to wait for a task's write would hold
    # up that very write if one process served both.
    "api-server": ("api-server", "--apps", "core", "--proxy-headers"),
    "execution-api": ("api-server", "--apps", "execution", "--port", EXECUTION_PORT),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
SUPERVISOR = "supervisor"
POLITE_S = 20.0
LONG_LIFE_S = 60.0
MAX_PAUSE_S = 60.0
POLL_S = 0.5
LOG_LIMIT_BYTES = 20_000_000
log = logging.getLogger("supervisor")


def remember(home: Home, name: str, pid: int) -> None:
    """Record a running process: id, start time and what it is."""
    record = {"pid": pid, "birth": _birth(pid), "name": name}
    path = home.run / f"{name}.json"
    temporary = temporary_beside(path)
    temporary.write_text(json.dumps(record), "utf-8")
    temporary.replace(path)


def forget(home: Home, name: str) -> None:
    """Remove the record of a process."""
    (home.run / f"{name}.json").unlink(missing_ok=True)


def find(home: Home, name: str) -> psutil.Process | None:
    """The recorded process if it still is the one that was recorded, else None."""
    try:
        record = json.loads((home.run / f"{name}.json").read_text("utf-8"))
        if _birth(record["pid"]) != record["birth"]:
            return None
        process = psutil.Process(record["pid"])
        return process if process.status() != psutil.STATUS_ZOMBIE else None
    except (OSError, ValueError, KeyError, psutil.Error):
        return None


def _birth(pid: int) -> str:
    """What no other process of any boot shares: start in clock ticks, and the boot's id."""
    after_name = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return f"{after_name[19]} {Path('/proc/sys/kernel/random/boot_id').read_text('utf-8').strip()}"


def terminate(processes: Iterable[psutil.Process], polite_s: float = POLITE_S) -> None:
    """SIGTERM to each process, a wait, then SIGKILL to what is left of them and of their descendants."""
    roots = list(processes)
    family = {process.pid: process for root in roots for process in [root, *_descendants(root)]}
    for process in roots:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    psutil.wait_procs(roots, timeout=polite_s)
    for root in roots:
        family.update({process.pid: process for process in _descendants(root)})
    left = [process for process in family.values() if process.is_running()]
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(left, timeout=5)


def end_session(pid: int) -> None:
    """SIGKILL to what a dead component left behind: every component leads a session of its own.

    Executor workers would wait for ever, and a task that goes on would soon be running twice. A task is no child of the
    component any more and leads a group of its own, but it is of its session; a training job is not, it was detached.
    """
    for other in psutil.pids():
        with contextlib.suppress(OSError):
            if os.getsid(other) == pid:
                os.kill(other, signal.SIGKILL)


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    """Children of children; jobs that were detached on purpose have another parent and are not among them."""
    try:
        return list(process.children(recursive=True))
    except psutil.Error:
        return []


@dataclass
class _Component:
    name: str
    arguments: list[str]
    process: parts.Part | None = None
    started_s: float = 0.0
    failures: int = 0
    due_s: float = 0.0


@dataclass
class Supervisor:
    """Keeps the components of one home alive until it gets SIGTERM or SIGINT."""

    home: Home
    environment: Mapping[str, str]
    _ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Start all, watch them, end all. In the main thread of a process that has no other."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._ended.set())
        parts.import_shared(parts.SHARED)
        components = [
            _Component(name, [*map(self._filled_in, arguments)]) for name, arguments in COMPONENTS.items()
        ]
        try:
            while not self._ended.wait(POLL_S):
                for component in components:
                    self._tend(component)
        finally:
            log.info("ending all components")
            pids = [item.process.pid for item in components if item.process and item.process.poll() is None]
            terminate(psutil.Process(pid) for pid in pids if psutil.pid_exists(pid))
            for component in components:
                if component.process:
                    component.process.wait()
                forget(self.home, component.name)
            log.info("all components ended")

    def _filled_in(self, argument: str) -> str:
        return self.environment["SPEECHMILL_EXECUTION_PORT"] if argument == EXECUTION_PORT else argument

    def _tend(self, component: _Component) -> None:
        now_s = time.monotonic()
        if component.process is not None:
            status = component.process.poll()
            if status is None:
                return
            end_session(component.process.pid)
            component.failures = 1 if now_s - component.started_s > LONG_LIFE_S else component.failures + 1
            pause_s = min(MAX_PAUSE_S, 2.0 ** (component.failures - 1))
            log.warning(
                "%s ended with status %s; starting it again in %.0f s", component.name, status, pause_s
            )
            component.process, component.due_s = None, now_s + pause_s
        if now_s >= component.due_s:
            self._start(component)

    def _start(self, component: _Component) -> None:
        path = self.home.log(component.name)
        rotate(path)
        component.process = parts.start(component.arguments, self.environment, path)
        component.started_s = time.monotonic()
        with contextlib.suppress(OSError):
            remember(self.home, component.name, component.process.pid)
        log.info("%s started as process %d", component.name, component.process.pid)


def rotate(path: Path) -> None:
    """Move a log that has grown too long aside; one old file is kept."""
    if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
        path.replace(path.with_suffix(".log.1"))
