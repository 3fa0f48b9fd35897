"""The flows: one command each, run as a child process whose whole tree's CPU time is measured.

`ours` is `python -m corpora refresh` with all checks on. The others are the flows of the importers people use,
written anew: what they decode, resample, cut and write, not their code. A peer that needs an environment of its
own runs in build/peers/NAME.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_PEERS = Path(__file__).with_name("peers")


@dataclass(frozen=True)
class Flow:
    """One way to import one layout: `command` gets the source and an empty folder appended."""

    name: str
    layout: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Measured:
    """CPU seconds (user + system of the process tree), wall seconds, bytes and files written, peak memory."""

    cpu_s: float
    wall_s: float
    written_bytes: int
    files: int
    peak_mb: float


class FlowError(Exception):
    """A flow that failed, with the end of what it said."""


def ours(layout: str, workers: int = 1) -> Flow:
    """Our import with all checks."""
    name = "speechmill" if workers == 1 else f"speechmill, {workers} workers"
    command = (sys.executable, str(Path(__file__).with_name("ours.py")), layout, str(workers))
    return Flow(name, layout, command)


def peer(name: str, layout: str, program: str, environment: str | None = None) -> Flow:
    """A peer's flow in `peers/<program>.py`, in its own environment where one is named."""
    python = (
        sys.executable
        if environment is None
        else str(ROOT / "build" / "peers" / environment / "bin" / "python")
    )
    return Flow(name, layout, (python, str(_PEERS / f"{program}.py"), layout))


def run(flow: Flow, source: Path, scratch: Path) -> Measured:
    """Run a flow once into an empty folder.

    Raises:
        FlowError: it ended with another status than 0.
    """
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    log = scratch.with_suffix(".log")
    environment = {**os.environ, "PYTHONPATH": str(ROOT) if flow.name.startswith("speechmill") else ""}
    environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TMPDIR": str(scratch.parent)}
    environment |= {
        "PYTHONPYCACHEPREFIX": str(ROOT / "var" / "cache" / "pycache"),
        "GX_ANALYTICS_ENABLED": "false",
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    began = time.monotonic()
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [*flow.command, str(source), str(scratch)],
            stdout=stream,
            stderr=stream,
            env=environment,
            cwd=scratch.parent,
        )
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        said = log.read_text(encoding="utf-8", errors="replace")[-1500:]
        raise FlowError(f"{flow.name} on {flow.layout} ended with status {process.returncode}: {said}")
    files = [path for path in scratch.rglob("*") if path.is_file() and not path.is_symlink()]
    return Measured(
        cpu_s=usage.ru_utime + usage.ru_stime,
        wall_s=time.monotonic() - began,
        written_bytes=sum(path.stat().st_size for path in files),
        files=len(files),
        peak_mb=usage.ru_maxrss / 1024,
    )
