"""Whether a run lives is judged by its heartbeat and its process, also after a clock was set."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from store.writing import write_json_atomic
from training.run_state import read_state

DEAD = 2**22 + 1
"""No process has this number."""


@pytest.mark.parametrize(
    ("apart_s", "host", "pid", "state"),
    [
        (0, "elsewhere", DEAD, "running"),
        (-3600, socket.gethostname(), os.getpid(), "running"),
        (-3600, socket.gethostname(), DEAD, "failed"),
        (3600, socket.gethostname(), DEAD, "failed"),
        (3600, socket.gethostname(), os.getpid(), "running"),
        (3600, "elsewhere", os.getpid(), "failed"),
        (30, "elsewhere", DEAD, "running"),
    ],
    ids=[
        "near",
        "past here alive",
        "past here dead",
        "future here dead",
        "future here alive",
        "future far",
        "soon far",
    ],
)
def test_a_heartbeat_from_the_future_proves_nothing(
    tmp_path: Path, apart_s: float, host: str, pid: int, state: str
) -> None:
    said: dict[str, Any] = {"run": "a", "state": "running", "host": host, "pid": pid}
    write_json_atomic(tmp_path / "state.json", {**said, "heartbeat": time.time() + apart_s})
    found = read_state(tmp_path)
    assert found is not None and found["state"] == state
