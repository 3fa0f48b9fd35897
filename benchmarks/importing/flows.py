"""The flows: one command each, run as a child process whose whole tree's CPU time is measured.

`ours` is `python -m corpora refresh` with all checks on. The others are the flows of the importers people use,
written anew: what they decode, resample, cut and write, not their code. A peer that needs an environment of its
own runs in build/peers/NAME; a program that is on no package index is looked for in build/peers and on PATH.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.importing.tree import run_tree

ROOT = Path(__file__).resolve().parents[2]
_PEERS = Path(__file__).with_name("peers")


@dataclass(frozen=True)
class Flow:
    """One way to import one layout: `command` gets the source and an empty folder appended.

    Attributes:
        programs: what it starts and what must be installed beside its environment.
    """

    name: str
    layout: str
    command: tuple[str, ...]
    programs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measured:
    """CPU seconds (user + system of the process tree), wall seconds, bytes and files written, peak memory (MB)."""

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


def peer(
    name: str, layout: str, program: str, environment: str | None = None, programs: tuple[str, ...] = ()
) -> Flow:
    """A peer's flow in `peers/<program>.py`, in its own environment where one is named."""
    python = (
        sys.executable
        if environment is None
        else str(ROOT / "build" / "peers" / environment / "bin" / "python")
    )
    return Flow(name, layout, (python, str(_PEERS / f"{program}.py"), layout), programs)


def run(flow: Flow, source: Path, scratch: Path) -> Measured:
    """Run a flow once into an empty folder.

    Raises:
        FlowError: it ended with another status than 0, lacks a program, or left processes behind.
        OSError: its environment is not made.
    """
    environment = _environment(flow, scratch.parent)
    missing = [name for name in flow.programs if shutil.which(name, path=environment["PATH"]) is None]
    if missing:
        raise FlowError(f"{', '.join(missing)} not found: benchmarks/peers.sh {' '.join(missing)} tells how")
    if not Path(flow.command[0]).exists():
        raise FlowError(f"no environment at {flow.command[0]}: make it with benchmarks/peers.sh")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    log = scratch.with_suffix(".log")
    usage = run_tree([*flow.command, str(source), str(scratch)], environment, scratch.parent, log)
    if usage.status != 0 or usage.left_behind:
        said = _end_of(log)
        how = "left processes behind" if usage.left_behind else f"ended with status {usage.status}"
        raise FlowError(f"{flow.name} on {flow.layout} {how}: {said}")
    files = [path for path in scratch.rglob("*") if path.is_file() and not path.is_symlink()]
    return Measured(
        cpu_s=usage.cpu_s,
        wall_s=usage.wall_s,
        written_bytes=sum(path.stat().st_size for path in files),
        files=len(files),
        peak_mb=usage.peak_mb,
    )


def _end_of(log: Path) -> str:
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - 1500))
        return stream.read().decode(errors="replace")


def _environment(flow: Flow, scratch: Path) -> dict[str, str]:
    """Variables of a flow: one thread each, caches of compiled code kept between runs."""
    cache = ROOT / "var" / "cache"
    own = ROOT / "build" / "peers"
    programs = os.pathsep.join(str(own / name) for name in flow.programs)
    environment = {
        **os.environ,
        "PATH": os.pathsep.join(filter(None, [programs, os.environ.get("PATH", os.defpath)])),
        "PYTHONPATH": str(ROOT) if flow.name.startswith("speechmill") else "",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "TMPDIR": str(scratch),
        "PYTHONPYCACHEPREFIX": str(cache / "pycache"),
        "NUMBA_CACHE_DIR": str(cache / "numba"),
        "GX_ANALYTICS_ENABLED": "false",
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment
