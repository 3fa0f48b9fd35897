"""`refresh --dask slurm` on a real Slurm of two nodes on this machine (slow; skipped without Slurm)."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from demo.layouts import librispeech, tones

pytestmark = pytest.mark.slow

SMALL_GROUPS = """
import importlib, sys
importlib.import_module("corpora.refresh.plan").GROUP_BYTES = 40_000
from corpora.__main__ import main
sys.exit(main())
"""


def published(store: Path) -> dict[str, str]:
    """SHA-256 of every file of the published version, by its place."""
    version = (store / "corpora/librispeech/current").resolve()
    return {
        str(path.relative_to(version.parent)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(version.rglob("*"))
        if path.is_file()
    }


def running_jobs() -> set[str]:
    answer = subprocess.run(["squeue", "-h", "-o", "%T"], capture_output=True, text=True, check=True)
    return {"RUNNING", "PENDING"} & set(answer.stdout.split())


def command(source: Path, store: Path, *more: str) -> list[str]:
    places = ["--source", str(source), "--store", str(store)]
    return [sys.executable, "-c", SMALL_GROUPS, "refresh", "librispeech", *places, "--json", *more]


def test_slurm_jobs_give_the_same_bytes_and_are_ended(cluster: Any, root: Path, tmp_path: Path) -> None:
    source = librispeech.write(tmp_path / "source", tones.utterances(speakers_per_split=2, each=2)).path
    shape = {"CORES": "1", "PROCESSES": "1", "MEMORY": "1GB", "QUEUE": "train", "INTERFACE": "lo"}
    shape |= {"LOG_DIRECTORY": str(tmp_path / "logs"), "LOCAL_DIRECTORY": str(tmp_path)}
    environment = {**os.environ, "DASK_TEMPORARY_DIRECTORY": str(tmp_path)}
    environment |= {f"DASK_JOBQUEUE__SLURM__{name}": value for name, value in shape.items()}
    alone = subprocess.run(
        command(source, tmp_path / "alone"), cwd=root, capture_output=True, text=True, check=False
    )
    assert alone.returncode == 0, alone.stderr
    done = subprocess.run(
        command(source, tmp_path / "slurm", "--dask", "slurm", "--workers", "2"),
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    logs = "\n".join(path.read_text(errors="replace")[-2000:] for path in (tmp_path / "logs").glob("*"))
    assert done.returncode == 0, f"{done.stderr}\n{logs}"
    assert json.loads(done.stdout)["published"]
    assert re.search(r"\d+ groups for [12] workers of tcp://127\.0\.0\.1:", done.stderr), done.stderr
    assert published(tmp_path / "slurm") == published(tmp_path / "alone")
    assert len(list((tmp_path / "slurm/cache/groups/librispeech").glob("*/counts.json"))) > 2
    deadline = time.monotonic() + 60
    while states := running_jobs():
        assert time.monotonic() < deadline, states
        time.sleep(0.2)
