"""Jobs on a Slurm cluster whose nodes see the store and this source tree.

sbatch hands a script over, `squeue --states=all` tells its state for as long as the controller remembers
(sacct is not needed), state.json in the run's folder tells the rest, scancel ends it. A controller that is silent for
some minutes, as one that starts anew is, ends nothing: jobs go on without it, and so does who waits for them. What
to ask the cluster for stands in the store's settings.toml:

    [slurm]
    options = ["--partition=train", "--cpus-per-task=8", "--gres=gpu:1", "--time=24:00:00"]
"""

from __future__ import annotations

import dataclasses
import logging
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from store.opening import open_store
from store.settings import read_table, refuse_unknown
from store.store import Store
from store.writing import write_bytes_atomic
from training.dispatch.job import Job, JobState, RunFolder
from training.errors import DispatchError

log = logging.getLogger(__name__)
_TIMEOUT_S = 60.0
_PATIENCE_S = 900.0  # with a controller that does not answer while a job is followed
_WAITING = frozenset(
    {"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SUSPENDED", "PREEMPTED"}
)
_WORKING = frozenset({"RUNNING", "COMPLETING", "STAGE_OUT", "SIGNALING", "RESIZING", "STOPPED"})
_HOPELESS = ("DependencyNeverSatisfied", "BadConstraints", "PartitionConfig")


class SlurmDispatcher:
    """See `Dispatcher`."""

    def __init__(self, store: Store | None = None, options: tuple[str, ...] | None = None) -> None:
        self._store = store or open_store()
        self._options = slurm_options(self._store) if options is None else options
        self._silent_since: float | None = None

    def submit(self, job: Job) -> str:
        return self.submit_all([job])[0]

    def submit_all(self, jobs: Sequence[Job]) -> list[str]:
        folders = [RunFolder.prepare(self._store, job) for job in jobs]
        with ExitStack() as locks:
            for run in sorted({folder.run for folder in folders}):
                locks.enter_context(self._store.lock(f"dispatch/{run}"))
            new = {folder.run: folder for folder in folders if not _is_under_way(folder)}
            if new:
                self._hand_over(list(new.values()))
        return [folder.run for folder in folders]

    def _hand_over(self, folders: list[RunFolder]) -> None:
        """One job, or an array with a task for each of several."""
        script = folders[0].path / ("job.sh" if len(folders) == 1 else "array.sh")
        text = (
            job_script(folders[0], self._options)
            if len(folders) == 1
            else array_script(folders, self._options)
        )
        write_bytes_atomic(script, text.encode())
        for folder in folders:
            folder.write_state("queued")
        number = _run(["sbatch", "--parsable", str(script)]).strip().split(";")[0]
        for place, folder in enumerate(folders):
            known = number if len(folders) == 1 else f"{number}_{place}"
            folder.write_ticket({"backend": "slurm", "slurm_job": known})

    def poll(self, job_id: str) -> JobState:
        folder = RunFolder(self._store, job_id)
        folder.must_exist()
        ticket = folder.ticket()
        number = ticket.get("slurm_job")
        if not number:
            return folder.state()
        try:
            slurm, reason = _queued_state(str(number))
            self._silent_since = None
        except DispatchError as error:
            return self._meanwhile(folder, error)
        state = folder.state()
        if state.state == "finished":
            return state
        if slurm in _WORKING:
            # one that is requeued lets go of its node first: only Slurm knows whether it has ended
            goes_on = state.ended and not ticket.get("cancelled")
            return dataclasses.replace(state, state="running", message="") if goes_on else state
        if slurm in _WAITING and reason not in _HOPELESS:
            if state.state != "queued":
                folder.write_state("queued", f"waits in Slurm: {reason}")
            return folder.state()
        if slurm in _WAITING:
            _run(["scancel", str(number)])
            folder.write_state("failed", f"Slurm job {number} can never start: {reason}")
        elif slurm.startswith("CANCELLED"):
            folder.write_state("cancelled", f"Slurm job {number} was cancelled")
        elif not state.ended:
            ending = slurm.lower().replace("_", " ") if slurm else "no longer known to Slurm"
            folder.write_state("failed", f"Slurm job {number} {ending}; its last line: {folder.last_words()}")
        return folder.state()

    def _meanwhile(self, folder: RunFolder, error: DispatchError) -> JobState:
        """What the run itself says while Slurm is silent; a run without a sign of life may wait to go on elsewhere.

        Raises:
            DispatchError: Slurm has been silent for too long, or is not installed here.
        """
        if shutil.which("squeue") is None:
            raise error
        now = time.monotonic()
        if self._silent_since is None:
            self._silent_since = now
            log.warning("run %s: %s; asked again for %.0f minutes", folder.run, error, _PATIENCE_S / 60)
        if now - self._silent_since > _PATIENCE_S:
            raise error
        state = folder.state()
        return dataclasses.replace(state, state="queued") if state.state == "failed" else state

    def cancel(self, job_id: str) -> None:
        folder = RunFolder(self._store, job_id)
        folder.must_exist()
        number = folder.ticket().get("slurm_job")
        if self.poll(job_id).ended:
            return
        if number:
            _run(["scancel", str(number)])
            folder.note_on_ticket(cancelled=True)
        folder.write_state("cancelled", "cancelled; submit it again to go on from its last checkpoint")

    def logs(self, job_id: str, offset: int = 0) -> tuple[str, int]:
        folder = RunFolder(self._store, job_id)
        folder.must_exist()
        return folder.logs(offset)


def _is_under_way(folder: RunFolder) -> bool:
    """Whether a run is finished, or known to Slurm as waiting or working."""
    known = folder.ticket().get("slurm_job")
    if folder.state().state == "finished":
        return True
    return bool(known) and _queued_state(str(known))[0] in _WAITING | _WORKING


def slurm_options(store: Store) -> tuple[str, ...]:
    """`[slurm] options` of the store's settings, () without any."""
    table = read_table(store.settings_path, "slurm", DispatchError)
    refuse_unknown(table, ("options",), f"{store.settings_path}: [slurm] has an unknown key", DispatchError)
    options = table.get("options", [])
    if not isinstance(options, list):
        raise DispatchError(
            f"{store.settings_path}: [slurm] options = {options!r}: expected a list like ['--gres=gpu:1']"
        )
    wrong = [one for one in options if not isinstance(one, str) or not one.startswith("-") or "\n" in one]
    if wrong:
        raise DispatchError(
            f"{store.settings_path}: [slurm] options {wrong[0]!r}: expected text like --gres=gpu:1"
        )
    return tuple(options)


def job_script(folder: RunFolder, options: tuple[str, ...]) -> str:
    """The batch script; it appends to the run's own log and goes on after a requeue."""
    log = str(folder.log_path)
    header = [f"--job-name=speechmill-{folder.run}", f"--output={log}", f"--error={log}"]
    lines = [*_header([*header, "--open-mode=append"], options), *_surroundings(folder)]
    lines.append(f"exec {shlex.join([*_together(options), *folder.command])}")
    return "\n".join(lines) + "\n"


def array_script(folders: Sequence[RunFolder], options: tuple[str, ...]) -> str:
    """The same for several runs: each is a task of one array and appends to its own log."""
    header = [f"--job-name=speechmill-{len(folders)}-runs", f"--array=0-{len(folders) - 1}"]
    lines = _header([*header, "--output=/dev/null", "--error=/dev/null"], options)
    lines.append('case "$SLURM_ARRAY_TASK_ID" in')
    for place, folder in enumerate(folders):
        command = shlex.join([*_together(options), *folder.command])
        lines.append(f"{place}) exec >>{shlex.quote(str(folder.log_path))} 2>&1")
        lines += [*_surroundings(folder), f"exec {command};;"]
    return "\n".join([*lines, "esac"]) + "\n"


def _header(own: list[str], options: tuple[str, ...]) -> list[str]:
    asked = [*own, "--requeue", "--signal=B:TERM@60", *options]
    return ["#!/bin/bash", *(f"#SBATCH {option}" for option in asked), "set -eu"]


def _surroundings(folder: RunFolder) -> list[str]:
    """Lines that put our packages on the path, as they were when the job was handed over."""
    known = folder.environment
    return [
        f"export PYTHONSAFEPATH=1 PYTHONPATH={shlex.quote(known['PYTHONPATH'])}",
        f"cd {shlex.quote(str(Path(__file__).resolve().parents[2]))}",
    ]


def _together(options: tuple[str, ...]) -> list[str]:
    """`srun` where the allocation has several tasks: each becomes a worker of the run; when one fails all end."""
    tasks = re.compile(r"(?:--ntasks|-n|--ntasks-per-node|--nodes|-N)[=\s]*(\d+)")
    several = any((found := tasks.fullmatch(one.strip())) and int(found[1]) > 1 for one in options)
    return ["srun", "--kill-on-bad-exit=1"] if several else []


def _queued_state(number: str) -> tuple[str, str]:
    """Slurm's state and reason of a job; ("", "") when it has forgotten it."""
    try:
        answer = _run(["squeue", "--noheader", "--states=all", f"--jobs={number}", "--format=%T|%r"])
    except DispatchError as error:
        if "Invalid job id" in str(error):
            return "", ""
        raise
    state, _, reason = answer.strip().partition("|")
    return state, reason


def _run(command: list[str]) -> str:
    if shutil.which(command[0]) is None:
        raise DispatchError(
            f"{command[0]} is not installed here; the slurm backend needs Slurm's client programs"
        )
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise DispatchError(
            f"{command[0]} gave no answer within {_TIMEOUT_S:.0f} s; is slurmctld up?"
        ) from error
    if done.returncode != 0:
        raise DispatchError(f"{shlex.join(command)} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
