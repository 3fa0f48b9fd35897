"""What a job, its state and a dispatcher are; the run's folder as the common ground of all backends."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from store.store import Store
from store.writing import read_json, write_bytes_atomic, write_json_atomic
from training.dispatch.snapshot import code_of_job
from training.errors import DispatchError
from training.network.config import TrainingConfig, config_text
from training.run_state import read_state
from training.runs import run_id_for

ENDED = frozenset({"finished", "failed", "cancelled"})


@dataclass(frozen=True)
class Job:
    """A training run to be executed; its id is the run's id."""

    config: TrainingConfig


@dataclass(frozen=True)
class JobState:
    """Where a job stands; `state` is one of run_state.STATES, `details` the run's whole state.json."""

    run: str
    state: str
    step: int = 0
    steps: int = 0
    dev_wer: float | None = None
    eta_s: float | None = None
    message: str = ""
    details: dict[str, Any] | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.state in ENDED


class Dispatcher(Protocol):
    """The contract of every backend."""

    def submit(self, job: Job) -> str:
        """Start the job or find it running; returns its id. Raises DispatchError when that fails."""

    def submit_all(self, jobs: Sequence[Job]) -> list[str]:
        """Start several jobs, together where the backend can; their ids, in order."""

    def poll(self, job_id: str) -> JobState:
        """Where it stands now. Raises DispatchError when there is no such job."""

    def cancel(self, job_id: str) -> None:
        """End it; nothing happens when it has ended."""

    def logs(self, job_id: str, offset: int = 0) -> tuple[str, int]:
        """What was logged from byte `offset` on, and the offset to go on from."""


class RunFolder:
    """A job's folder in the store, shared by the backends."""

    def __init__(self, store: Store, run: str) -> None:
        self.store, self.run, self.path = store, run, store.runs_dir / run

    @classmethod
    def prepare(cls, store: Store, job: Job) -> RunFolder:
        """The folder of the job's run, with its configuration in it."""
        folder = cls(store, run_id_for(job.config, store))
        folder.path.mkdir(parents=True, exist_ok=True)
        write_bytes_atomic(folder.path / "config.toml", config_text(job.config, comments=True).encode())
        return folder

    def must_exist(self) -> None:
        """Raises DispatchError when there is no such run."""
        if not self.path.is_dir():
            raise DispatchError(f"there is no run {self.run!r} in {self.store.runs_dir}")

    @property
    def log_path(self) -> Path:
        """Everything the job prints."""
        return self.path / "log.txt"

    @property
    def command(self) -> list[str]:
        """The command line of the job."""
        config = str(self.path / "config.toml")
        return [
            sys.executable,
            "-m",
            "training",
            "run",
            "--config",
            config,
            "--store",
            str(self.store.root),
            "--json",
        ]

    @property
    def environment(self) -> dict[str, str]:
        """This process' environment, with our packages as they are now on the path, before those of any folder."""
        paths = [str(self.code), *filter(None, [os.environ.get("PYTHONPATH")])]
        return {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)), "PYTHONSAFEPATH": "1"}

    @cached_property
    def code(self) -> Path:
        """Where the job finds its code; see `snapshot`."""
        return code_of_job(self.store)

    def write_ticket(self, ticket: dict[str, Any]) -> None:
        """Remember how the backend knows the job, and by which code it runs."""
        write_json_atomic(self.path / "job.json", {**ticket, "code": self.code.name})

    def note_on_ticket(self, **fields: Any) -> None:
        """Remember more of the job, until it is handed over again."""
        write_json_atomic(self.path / "job.json", {**self.ticket(), **fields})

    def ticket(self) -> dict[str, Any]:
        """What `write_ticket` remembered; {} when the run was never dispatched."""
        path = self.path / "job.json"
        loaded: dict[str, Any] = read_json(path) if path.exists() else {}
        return loaded

    def write_state(self, state: str, message: str = "") -> None:
        """Change state.json from outside, for a job that cannot do it itself."""
        fields = read_state(self.path) or {
            "run": self.run,
            "step": 0,
            "steps": 0,
            "epoch": 0,
            "dev_wer": None,
        }
        fields.update({"state": state, "message": message, "eta_s": None})
        write_json_atomic(self.path / "state.json", fields)

    def state(self) -> JobState:
        """state.json as a JobState; `queued` before the job has written one."""
        fields = read_state(self.path) or {"state": "queued"}
        return JobState(
            run=self.run,
            state=str(fields["state"]),
            step=int(fields.get("step") or 0),
            steps=int(fields.get("steps") or 0),
            dev_wer=fields.get("dev_wer"),
            eta_s=fields.get("eta_s"),
            message=str(fields.get("message") or ""),
            details=fields,
        )

    def logs(self, offset: int) -> tuple[str, int]:
        """Log text from a byte offset, whole lines only while more may come."""
        if not self.log_path.exists():
            return "", offset
        with self.log_path.open("rb") as stream:
            stream.seek(offset)
            content = stream.read()
        return content.decode("utf-8", "replace"), offset + len(content)

    def last_words(self) -> str:
        """The last line of the log that says something."""
        text, _ = self.logs(0)
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return lines[-1] if lines else "it printed nothing"
