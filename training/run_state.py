"""state.json of a run: what it is doing, how far it is, and a heartbeat that shows that its process lives.

A thread rewrites the file every few seconds while a run is open. Reading judges staleness: a run that says
`running` with an old heartbeat and no such process on this host was killed.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from store.errors import StoreError
from store.writing import is_running, read_json, write_json_atomic

STATES = ("queued", "running", "finished", "failed", "cancelled")
HEARTBEAT_S = 3.0
STALE_S = 60.0


class RunState:
    """The open state of a run (a context manager); `update` changes fields, the file follows.

    Leaving the context normally writes `finished`; by an exception `failed` with its message (`cancelled`
    when the run was interrupted).
    """

    def __init__(self, run_dir: Path, run: str, steps: int = 0, writes: bool = True) -> None:
        self.path, self._writes = run_dir / "state.json", writes
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self.stop_requested = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self.fields: dict[str, Any] = {
            "run": run,
            "state": "running",
            "step": 0,
            "steps": steps,
            "epoch": 0,
            "dev_wer": None,
            "dev_unit": None,
            "eta_s": None,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "message": "",
        }

    def update(self, **fields: Any) -> None:
        """Change fields; written at once when state or message change, else with the next heartbeat."""
        with self._lock:
            self.fields.update(fields)
        if "state" in fields or "message" in fields:
            self.write()

    def write(self) -> None:
        """Write state.json now; of several workers only the chief's does."""
        if not self._writes:
            return
        with self._lock:
            write_json_atomic(self.path, {**self.fields, "heartbeat": round(time.time(), 1)})

    def __enter__(self) -> RunState:
        self.write()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        if kind is None:
            self.update(state="finished", eta_s=0.0)
        elif kind in (KeyboardInterrupt, SystemExit):
            self.update(
                state="cancelled", message="interrupted; run it again to go on from the last checkpoint"
            )
        else:
            self.update(state="failed", message=f"{kind.__name__}: {error}")

    def _beat(self) -> None:
        while not self._stop.wait(HEARTBEAT_S):
            with suppress(StoreError):  # no space: the run says so when it saves, or there is room again
                self.write()


def read_state(run_dir: Path) -> dict[str, Any] | None:
    """The run's state, or None when it has none; a dead `running` one is reported as `failed`."""
    path = run_dir / "state.json"
    if not path.exists():
        return None
    try:
        state: dict[str, Any] = read_json(path)
    except StoreError as error:
        raise StoreError(
            f"{path} is not readable JSON; the run is not lost: train it again and it goes on from its last "
            "checkpoint"
        ) from error
    if state.get("state") == "running" and not _alive(state):
        state["state"] = "failed"
        state["message"] = (
            "its process has gone without finishing; run it again to go on from the last checkpoint"
        )
    return state


def _alive(state: dict[str, Any]) -> bool:
    apart_s = abs(time.time() - float(state.get("heartbeat", 0)))  # one from the future: a clock was set
    if apart_s < 3 * HEARTBEAT_S:
        return True
    if state.get("host") != socket.gethostname():
        return apart_s < STALE_S
    return is_running(state.get("pid"))
