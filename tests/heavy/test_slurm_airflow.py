"""The task `train` of the DAG `retrain` on a real Slurm of two nodes: submitted, followed, cancelled, moved, refused.

In an interpreter of its own (`pytest -m alone`): Airflow keeps what it read of its plugins when it was first imported.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from store.opening import open_store
from store.store import Store
from tests.training.conftest import publish_corpus, small_config, tone_clips
from tests.training.slurm_cluster import SlurmCluster
from training.dispatch import SlurmDispatcher
from training.dispatch.job import RunFolder
from training.dispatch.slurm import _run
from training.errors import DispatchError
from training.network.config import config_text

pytestmark = [pytest.mark.slow, pytest.mark.alone]
_PATIENCE_S = 240.0
OPTIONS = ["--gres=gpu:titanxp:2", "--mem=100"]
LIVES = """
import pathlib, sys, time
from training.run_state import RunState
folder = pathlib.Path(sys.argv[1])
with RunState(folder, folder.name, steps=3) as state:
    print("a line of the job", flush=True)
    while not (folder / "go").exists():
        time.sleep(0.1)
"""


@pytest.fixture
def operator(
    bag: Any, root: Path, tone_corpus: Store, cluster: SlurmCluster, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """The DAG's own task, whose jobs run LIVES."""
    monkeypatch.syspath_prepend(str(root / "plugins"))
    monkeypatch.setattr("training_job.POLL_S", 0.2)
    command = lambda folder: [sys.executable, "-c", LIVES, str(folder.path)]  # noqa: E731
    monkeypatch.setattr(RunFolder, "command", property(command))
    train = bag.dags["retrain"].get_task("train")
    monkeypatch.setattr(train, "backend", "slurm")  # what the form's field becomes
    return train


@pytest.fixture
def tone_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store whose settings ask for a training on Slurm."""
    store = open_store(tmp_path / "store")
    publish_corpus(store, "tones", {"train": tone_clips(4), "dev": tone_clips(2)})
    (store.root / "training.toml").write_text(config_text(small_config()))
    ask_for(store, OPTIONS)
    monkeypatch.setenv("SPEECHMILL_STORE", str(store.root))
    return store


def ask_for(store: Store, options: list[str]) -> None:
    store.settings_path.write_text(
        f'[retrain]\nconfig = "training.toml"\n[slurm]\noptions = {json.dumps(options)}\n'
    )


def submitted(operator: Any) -> Any:
    """The trigger that the task waits with."""
    from airflow.sdk.exceptions import TaskDeferred

    with pytest.raises(TaskDeferred) as deferred:
        operator.execute({})
    return deferred.value.trigger


class Waiting:
    """A trigger at work, as the triggerer has it: in a loop of its own."""

    def __init__(self, trigger: Any) -> None:
        self.events: list[dict[str, Any]] = []
        self.lines: list[str] = []  # of the task's log
        self.trigger = trigger
        trigger._log = SimpleNamespace(info=self._note, warning=self._note)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._follow()), daemon=True)
        self._thread.start()

    def _note(self, form: str, *values: Any) -> None:
        self.lines.append(form % values)

    async def _follow(self) -> None:
        async for event in self.trigger.run():
            self.events.append(event.payload)

    def alive(self) -> bool:
        return self._thread.is_alive()

    def ended(self) -> dict[str, Any]:
        self._thread.join(90)
        assert self.events, "the job has not ended"
        return self.events[0]


def until(true: Callable[[], bool], waiting: Waiting) -> None:
    """Wait until something is true of a job; what is known of the job when it does not come about."""
    deadline = time.monotonic() + _PATIENCE_S
    while not true():
        if time.monotonic() > deadline:
            told = ["scontrol", "show", "job"], ["scontrol", "show", "node"]
            known = [subprocess.run(one, capture_output=True, text=True, check=False).stdout for one in told]
            pytest.fail("\n".join(["not come about", *waiting.lines, str(waiting.events), *known]))
        time.sleep(0.2)


def test_a_training_is_submitted_once_followed_and_handed_on(operator: Any, tone_corpus: Store) -> None:
    trigger = submitted(operator)
    again = submitted(operator)  # a retry finds the job that is under way
    assert again.job_id == trigger.job_id
    waiting = Waiting(trigger)
    until(lambda: "a line of the job" in waiting.lines, waiting)
    (tone_corpus.runs_dir / trigger.job_id / "go").touch()
    event = waiting.ended()
    assert event["state"] == "finished" and operator.resume({}, event) == {"run": trigger.job_id}
    assert operator.execute({}) == {"run": trigger.job_id}  # trained already


def test_ending_the_task_ends_the_job(operator: Any, tone_corpus: Store) -> None:
    from airflow.sdk.exceptions import AirflowException

    trigger = submitted(operator)
    waiting = Waiting(trigger)
    dispatcher = SlurmDispatcher(tone_corpus)
    until(lambda: dispatcher.poll(trigger.job_id).state == "running", waiting)
    asyncio.run(trigger.on_kill())
    event = waiting.ended()
    with pytest.raises(AirflowException, match=f"run {trigger.job_id} cancelled: "):
        operator.resume({}, event)
    number = str(RunFolder(tone_corpus, trigger.job_id).ticket()["slurm_job"])
    asked = ["squeue", "-h", "-j", number, "-o", "%T", "--states=all"]
    until(
        lambda: subprocess.run(asked, capture_output=True, text=True, check=True).stdout.startswith(
            "CANCELLED"
        ),
        waiting,
    )


@pytest.mark.parametrize("how", ["node", "preempted"])
def test_a_job_whose_node_fails_or_that_is_preempted_goes_on(
    operator: Any, tone_corpus: Store, cluster: SlurmCluster, how: str
) -> None:
    trigger = submitted(operator)
    waiting = Waiting(trigger)
    until(lambda: "a line of the job" in waiting.lines, waiting)
    number = str(RunFolder(tone_corpus, trigger.job_id).ticket()["slurm_job"])
    asked = ["squeue", "-h", "-j", number, "-o", "%N"]
    node = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    if how == "node":
        cluster.stop_node(node)
    else:  # what a preemption does to a job that may be requeued
        subprocess.run(["scontrol", "requeue", number], check=True)
    dispatcher = SlurmDispatcher(tone_corpus)
    try:
        until(lambda: dispatcher.poll(trigger.job_id).state == "queued", waiting)
        assert not waiting.events  # the task waits on
        # a node refuses what is started anew within the second in which it was ended
        subprocess.run(["scontrol", "update", f"JobId={number}", "StartTime=now+2"], check=True)
        until(lambda: waiting.lines.count("a line of the job") == 2, waiting)
        (tone_corpus.runs_dir / trigger.job_id / "go").touch()
        assert waiting.ended()["state"] == "finished"
    finally:
        if how == "node":
            cluster.start_node(node)
        cluster.wait_for_nodes("idle", 2)


def test_a_controller_that_starts_anew_ends_nothing(
    operator: Any, tone_corpus: Store, cluster: SlurmCluster
) -> None:
    trigger = submitted(operator)
    waiting = Waiting(trigger)
    until(lambda: "a line of the job" in waiting.lines, waiting)
    cluster.stop_controller()
    try:
        with pytest.raises(DispatchError):
            _run(["squeue", "--noheader"])
        time.sleep(2)
        assert not waiting.events and waiting.alive()
    finally:
        cluster.start_controller()
    (tone_corpus.runs_dir / trigger.job_id / "go").touch()
    assert waiting.ended()["state"] == "finished"


def test_what_the_cluster_cannot_give_fails_the_task_with_slurms_words(
    operator: Any, tone_corpus: Store
) -> None:
    ask_for(tone_corpus, ["--gres=gpu:titanxp:64"])
    with pytest.raises(DispatchError, match=r"sbatch.*failed"):
        operator.execute({})
