"""What the tests of pages share: a running Airflow of their own, and what axe-core finds in a window."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def until(what: str, is_so: Callable[[], Any], limit_s: float = 280.0) -> Any:
    """The first true answer."""
    deadline_s = time.monotonic() + limit_s
    while time.monotonic() < deadline_s:
        found = is_so()
        if found:
            return found
        time.sleep(0.5)
    raise AssertionError(f"after {limit_s:.0f} s still not: {what}")


@contextlib.contextmanager
def airflow_of(folder: Path, port: int, sources: Path | None = None) -> Iterator[dict[str, Any]]:
    """Airflow over `folder/store`, started by the launcher and stopped again; yields what `start --json` printed."""
    environment = {
        **os.environ,
        "SPEECHMILL_ROOT": str(ROOT),
        "SPEECHMILL_PORT": str(port),
        "SPEECHMILL_STORE": str(folder / "store"),
        "AIRFLOW_HOME": str(folder / "airflow"),
    } | ({"SPEECHMILL_SOURCES": str(sources)} if sources else {})
    command = [sys.executable, "-m", "launcher"]
    started = subprocess.run(
        [*command, "start", "--json"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    try:
        assert started.returncode == 0, started.stderr
        yield json.loads(started.stdout)
    finally:
        stopped = subprocess.run(
            [*command, "stop"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
    assert stopped.returncode == 0, stopped.stderr


def axe_findings(window: Any) -> list[str]:
    """What axe-core finds on the page as it stands; frames are pages of their own."""
    window.run((resources.files("axe_core_python") / "axe.min.js").read_text("utf-8"))
    found = window.run(
        "return axe.run({iframes: false}).then(found => found.violations.map(one => one.id + ': ' + one.nodes[0].html))"
    )
    return list(found)
