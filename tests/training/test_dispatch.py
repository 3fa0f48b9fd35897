"""The contract of dispatchers, with the local one: submit, find again, poll, logs, cancel, deaths noticed.

The job's command is replaced by small programs that behave like a training run; the slow test trains.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from store.opening import open_store
from store.store import Store
from training.dispatch import BACKENDS, Dispatcher, Job, JobState, LocalDispatcher
from training.dispatch.job import RunFolder
from training.dispatch.slurm import SlurmDispatcher, job_script, slurm_options
from training.errors import DispatchError

WORKS = """
import sys, pathlib
from training.run_state import RunState
folder = pathlib.Path(sys.argv[1])
print("begun", flush=True)
with RunState(folder, folder.name, steps=3) as state:
    state.update(step=3, dev_wer=0.25)
    print("done", flush=True)
"""
SLEEPS = """
import signal, sys, pathlib, time
from training.run_state import RunState
folder = pathlib.Path(sys.argv[1])
with RunState(folder, folder.name, steps=3) as state:
    print("begun", flush=True)
    time.sleep(60)
"""
DIES = "import sys; sys.exit('the disk is gone')"
FAILS = SLEEPS.replace("time.sleep(60)", "raise ValueError('no such corpus')")


def wait_for(dispatcher: Dispatcher, run: str, wanted: Callable[[JobState], bool]) -> JobState:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        state = dispatcher.poll(run)
        if wanted(state):
            return state
        time.sleep(0.05)
    raise TimeoutError(f"still {dispatcher.poll(run)}; log: {dispatcher.logs(run, 0)}")


@pytest.fixture
def dispatcher(tone_store: Store, tmp_path: Path) -> LocalDispatcher:
    """A local dispatcher on a store of its own that shares the session's corpora."""
    (tmp_path / "corpora").symlink_to(tone_store.corpora_dir)
    return LocalDispatcher(open_store(tmp_path))


@pytest.fixture
def job_is(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Make every job run this program with the run's folder as its argument."""

    def replace(program: str) -> None:
        monkeypatch.setattr(
            RunFolder, "command", property(lambda folder: [sys.executable, "-c", program, str(folder.path)])
        )

    return replace


def test_a_job_is_submitted_followed_and_found_again(dispatcher: Any, job_is: Any, tones: Any) -> None:
    job_is(WORKS)
    job = Job(tones.config())
    run = dispatcher.submit(job)
    state = wait_for(dispatcher, run, lambda state: state.ended)
    assert (state.state, state.step, state.dev_wer) == ("finished", 3, 0.25)
    text, offset = dispatcher.logs(run, 0)
    assert text.split() == ["begun", "done"]
    assert dispatcher.logs(run, offset) == ("", offset)
    assert dispatcher.logs(run, text.index("done")) == ("done\n", offset)
    assert dispatcher.submit(job) == run
    assert dispatcher.logs(run, offset) == ("", offset), "a finished run was started again"


def test_a_running_job_is_never_started_twice_and_can_be_cancelled(
    dispatcher: Any, job_is: Any, tones: Any
) -> None:
    job_is(SLEEPS)
    job = Job(tones.config())
    run = dispatcher.submit(job)
    wait_for(
        dispatcher, run, lambda state: state.state == "running" and "begun" in dispatcher.logs(run, 0)[0]
    )
    assert dispatcher.submit(job) == run
    dispatcher.cancel(run)
    assert dispatcher.poll(run).state == "cancelled"
    dispatcher.cancel(run)
    assert dispatcher.logs(run, 0)[0].count("begun") == 1
    job_is(WORKS)
    dispatcher.submit(job)
    assert wait_for(dispatcher, run, lambda state: state.ended).state == "finished"


@pytest.mark.parametrize(("program", "words"), [(DIES, "the disk is gone"), (FAILS, "no such corpus")])
def test_a_job_that_dies_is_failed_and_says_why(
    dispatcher: Any, job_is: Any, tones: Any, program: str, words: str
) -> None:
    job_is(program)
    run = dispatcher.submit(Job(tones.config()))
    state = wait_for(dispatcher, run, lambda state: state.ended)
    assert state.state == "failed"
    assert words in state.message


def test_unknown_runs_are_refused(dispatcher: Any) -> None:
    for call in (dispatcher.poll, dispatcher.cancel, dispatcher.logs):
        with pytest.raises(DispatchError, match="no run 'nothing'"):
            call("nothing")


def test_a_slurm_script_logs_into_the_run_and_survives_requeueing(dispatcher: Any, tones: Any) -> None:
    store = open_store(dispatcher._store.root)
    store.settings_path.write_text('[slurm]\noptions = ["--gres=gpu:1", "--time=1:00"]\n')
    folder = RunFolder.prepare(store, Job(tones.config()))
    script = job_script(folder, slurm_options(store)).splitlines()
    assert script[0] == "#!/bin/bash"
    assert f"#SBATCH --output={folder.log_path}" in script
    assert {"#SBATCH --requeue", "#SBATCH --open-mode=append", "#SBATCH --gres=gpu:1"} <= set(script)
    assert script[-1].startswith("exec ") and "-m training run --config" in script[-1]
    store.settings_path.write_text('[slurm]\noptions = ["--gres=gpu:1\\ntouch x"]\n')
    with pytest.raises(DispatchError, match="options"):
        slurm_options(store)


def test_without_slurm_the_sentence_says_so(
    dispatcher: Any, tones: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DispatchError, match="sbatch is not installed"):
        BACKENDS["slurm"](dispatcher._store).submit(Job(tones.config()))


def test_a_controller_that_is_silent_for_some_minutes_ends_no_waiting(
    dispatcher: Any, tones: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = RunFolder.prepare(dispatcher._store, Job(tones.config()))
    folder.write_ticket({"backend": "slurm", "slurm_job": "7"})
    waits, answers, now = SlurmDispatcher(dispatcher._store), [""], [0.0]

    def squeue(command: list[str]) -> str:
        if not answers[0]:
            raise DispatchError("squeue failed: Unable to contact slurm controller")
        return answers[0]

    monkeypatch.setattr("training.dispatch.slurm._run", squeue)
    monkeypatch.setattr("training.dispatch.slurm.time.monotonic", lambda: now[0])
    monkeypatch.setattr("training.dispatch.slurm.shutil.which", lambda name: name)
    folder.write_state("running")  # its last sign of life is old: it may have moved to another node
    for now[0] in (0.0, 60.0, 800.0):
        assert waits.poll(folder.run).state == "queued"
    assert caplog.text.count("Unable to contact") == 1 and "asked again for 15 minutes" in caplog.text
    answers[0] = "RUNNING|None"
    folder.write_state("finished")
    assert waits.poll(folder.run).state == "finished"
    answers[0] = ""
    folder.write_state("failed", "the disk is gone")
    for now[0] in (5000.0, 5800.0):
        assert not waits.poll(folder.run).ended
    now[0] = 6000.0
    with pytest.raises(DispatchError, match="Unable to contact"):
        waits.poll(folder.run)


def test_a_job_that_lets_go_of_its_node_to_be_requeued_has_not_ended(
    dispatcher: Any, tones: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder.prepare(dispatcher._store, Job(tones.config()))
    folder.write_ticket({"backend": "slurm", "slurm_job": "7"})
    waits, answer = SlurmDispatcher(dispatcher._store), ["COMPLETING|None"]
    monkeypatch.setattr("training.dispatch.slurm._run", lambda command: answer[0])
    for told in ("cancelled", "failed"):  # what the process said when it was asked to end, or its silence
        folder.write_state(told, "interrupted")
        assert (waits.poll(folder.run).state, waits.poll(folder.run).message) == ("running", "")
    answer[0] = "PENDING|BeginTime"
    assert waits.poll(folder.run).state == "queued"
    folder.write_state("failed", "the disk is gone")
    answer[0] = "FAILED|NonZeroExitCode"
    assert (waits.poll(folder.run).state, waits.poll(folder.run).message) == ("failed", "the disk is gone")
    answer[0] = "RUNNING|None"
    waits.cancel(folder.run)
    answer[0] = "COMPLETING|None"
    assert waits.poll(folder.run).state == "cancelled", "a person ended it: it does not go on"
    folder.write_ticket({"backend": "slurm", "slurm_job": "8"})  # handed over again
    assert waits.poll(folder.run).state == "running"


@pytest.mark.slow
def test_a_real_run_killed_with_sigkill_goes_on_and_finishes(dispatcher: Any, tones: Any) -> None:
    import os
    import signal

    from training.network.config import LoopConfig

    config = tones.config(loop=LoopConfig(epochs=30, batch_size=8, threads=1, checkpoint_every_s=0.0))
    run = dispatcher.submit(Job(config))
    # The state file is rewritten every few seconds only; the checkpoints show at once that training has begun.
    checkpoints = dispatcher._store.runs_dir / run / "checkpoints"
    state = wait_for(dispatcher, run, lambda state: state.ended or any(checkpoints.glob("step-*.npz")))
    assert state.details is not None
    os.kill(state.details["pid"], signal.SIGKILL)
    failed = wait_for(dispatcher, run, lambda state: state.ended)
    assert failed.state == "failed"
    assert dispatcher.submit(Job(config)) == run
    assert wait_for(dispatcher, run, lambda state: state.ended).state == "finished"
    assert "going on from the checkpoint of step" in dispatcher.logs(run, 0)[0]
