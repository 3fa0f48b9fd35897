"""Jobs as detached processes of this machine.

The process has its own session, so it outlives whoever submitted it; it is known by process id and start
time, so that a reused id is never mistaken for it. No queue: every job submitted starts at once.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from store.opening import open_store
from store.store import Store
from training.dispatch.job import Job, JobState, RunFolder
from training.errors import DispatchError

_GRACE_S = 20.0  # between asking a process to stop and ending it


class LocalDispatcher:
    """See `Dispatcher`."""

    def __init__(self, store: Store | None = None) -> None:
        self._store = store or open_store()

    def submit(self, job: Job) -> str:
        folder = RunFolder.prepare(self._store, job)
        with self._store.lock(f"dispatch/{folder.run}"):
            if folder.state().state == "finished" or _process_of(folder) is not None:
                return folder.run
            folder.write_state("queued")
            with folder.log_path.open("ab") as log:
                process = subprocess.Popen(
                    ["nice", "-n", "5", *folder.command],  # whoever watches the run comes first
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=folder.environment,
                    start_new_session=True,
                )
            folder.write_ticket({"backend": "local", "pid": process.pid, "started": start_time(process.pid)})
        return folder.run

    def submit_all(self, jobs: Sequence[Job]) -> list[str]:
        return [self.submit(job) for job in jobs]

    def poll(self, job_id: str) -> JobState:
        folder = RunFolder(self._store, job_id)
        folder.must_exist()
        alive = (
            _process_of(folder) is not None
        )  # asked first: a process that ends has written its state before
        state = folder.state()
        if alive or state.ended or not folder.ticket():
            return state
        folder.write_state(
            "failed", f"the job ended without a word of its own; its last line: {folder.last_words()}"
        )
        return folder.state()

    def cancel(self, job_id: str) -> None:
        folder = RunFolder(self._store, job_id)
        folder.must_exist()
        pid = _process_of(folder)
        if pid is None:
            if not folder.state().ended:
                folder.write_state("cancelled", "cancelled")
            return
        _signal(pid, signal.SIGTERM)  # it saves a checkpoint first
        deadline = time.monotonic() + _GRACE_S
        while time.monotonic() < deadline and _process_of(folder) is not None:
            time.sleep(0.1)
        if _process_of(folder) is not None:
            _signal(pid, signal.SIGKILL)
        if folder.state().state != "finished":
            folder.write_state("cancelled", "cancelled; submit it again to go on from its last checkpoint")

    def logs(self, job_id: str, offset: int = 0) -> tuple[str, int]:
        folder = RunFolder(self._store, job_id)
        folder.must_exist()
        return folder.logs(offset)


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return
    except PermissionError as error:
        raise DispatchError(
            f"process {pid} belongs to another user and cannot be stopped: {error}"
        ) from error


def start_time(pid: int) -> int | None:
    """Clock ticks since boot at which a live process started; None when there is none or it is a zombie."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # lets go of our own ended children
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def _process_of(folder: RunFolder) -> int | None:
    """The process id of the folder's job while it lives."""
    ticket = folder.ticket()
    if ticket.get("backend") != "local" or ticket.get("started") is None:
        return None
    return int(ticket["pid"]) if start_time(int(ticket["pid"])) == ticket["started"] else None
