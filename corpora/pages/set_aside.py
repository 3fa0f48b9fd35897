"""What trainings set aside of a corpus: utterances whose loss or gradient was not finite, for the corpus' page.

Reads `inputs.json` and `set_aside*.json` of the runs (each worker of a run writes its own); trains and decides nothing.
A file of a run that cannot be read spoils nobody else's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from store.errors import StoreError
from store.store import Store
from store.writing import read_json

SHOWN = 200
_FILES = "set_aside*.json"


@dataclass(frozen=True)
class SetAside:
    """An utterance of a corpus that trainings could not learn, and the ids of those runs."""

    utterance_id: str
    reason: str
    runs: tuple[str, ...]


def set_aside_of(store: Store, name: str, version: str) -> list[SetAside]:
    """What runs that learnt from a version of a corpus set aside, those that most runs did first."""
    found: dict[tuple[str, str], set[str]] = {}
    for run_dir in _runs_of(store, name, version):
        for utterance, reason in _rows(run_dir, name):
            found.setdefault((utterance, reason), set()).add(run_dir.name)
    rows = [SetAside(*key, tuple(sorted(runs))) for key, runs in found.items()]
    return sorted(rows, key=lambda one: (-len(one.runs), one.utterance_id))


def newest_s(store: Store, name: str, version: str) -> float:
    """When a training last set something of a version aside, seconds since 1970; 0 where none did."""
    files = [path for run_dir in _runs_of(store, name, version) for path in run_dir.glob(_FILES)]
    return max((path.stat().st_mtime for path in files), default=0.0)


def _runs_of(store: Store, name: str, version: str) -> Iterator[Path]:
    """The folders of runs that set something aside and learnt from the version."""
    for run_dir in sorted({path.parent for path in store.runs_dir.glob(f"*/{_FILES}")}):
        try:
            learnt_from = read_json(run_dir / "inputs.json")["corpora"]
        except (StoreError, KeyError, TypeError):
            continue
        if isinstance(learnt_from, dict) and learnt_from.get(name) == version:
            yield run_dir


def _rows(run_dir: Path, name: str) -> Iterator[tuple[str, str]]:
    """Utterance and reason of the rows of one run that are of the corpus."""
    for path in sorted(run_dir.glob(_FILES)):
        try:
            rows: list[dict[str, Any]] = read_json(path)
            told = [(str(row["utterance_id"]), str(row["reason"])) for row in rows]
        except (StoreError, KeyError, TypeError):
            continue
        for utterance, reason in told:
            if utterance.startswith(f"{name}/"):
                yield utterance.removeprefix(f"{name}/"), reason
