"""What a run was made with: code, Python, the libraries that decide its numbers, machine. Recorded, not compared."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[1]
_LIBRARIES = ("tensorflow", "tensorflow-cpu", "jax", "keras", "numpy", "pyarrow", "soxr")


def environment(workers: int) -> dict[str, Any]:
    """For environment.json; the same code on the same machine gives the same."""
    return {
        "code": code_version(),
        "python": platform.python_version(),
        "libraries": {name: found for name in _LIBRARIES if (found := _version(name))},
        "machine": platform.node(),
        "processor": platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "workers": workers,
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def code_version(root: Path = _ROOT) -> str:
    """The commit of the code, with `+` when files were changed since; "unknown" outside a checkout."""
    command = ["git", "-C", str(root), "describe", "--always", "--dirty=+", "--abbrev=12"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "unknown"
    return done.stdout.strip() or "unknown"
