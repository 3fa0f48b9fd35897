"""The dispatcher contract on a real Slurm of two nodes on this machine (slow; skipped without Slurm)."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from store.opening import open_store
from store.store import Store
from training.dispatch import Job, JobState, SlurmDispatcher
from training.dispatch.job import RunFolder
from training.errors import DispatchError

pytestmark = pytest.mark.slow

LIVES = """
import pathlib, sys, time
from training.run_state import RunState
folder = pathlib.Path(sys.argv[1])
with RunState(folder, folder.name, steps=3) as state:
    print("begun", flush=True)
    while not (folder / "go").exists():
        time.sleep(0.1)
    state.update(step=3)
print("done", flush=True)
"""
DIES = "import sys; sys.exit('the disk is gone')"


@pytest.fixture
def dispatcher(cluster: Any, tone_store: Store, tmp_path: Path) -> SlurmDispatcher:
    """On a store of its own that shares the session's corpora."""
    (tmp_path / "corpora").symlink_to(tone_store.corpora_dir)
    return SlurmDispatcher(open_store(tmp_path), options=("--gres=gpu:titanxp:2", "--mem=100"))


@pytest.fixture
def job_is(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Make every job run this program with the run's folder as its argument."""

    def replace(program: str) -> None:
        command = lambda folder: [sys.executable, "-c", program, str(folder.path)]  # noqa: E731
        monkeypatch.setattr(RunFolder, "command", property(command))

    return replace


def wait_for(dispatcher: SlurmDispatcher, run: str, wanted: Callable[[JobState], bool]) -> JobState:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        state = dispatcher.poll(run)
        if wanted(state):
            return state
        time.sleep(0.2)
    queue = subprocess.run(["squeue", "--states=all"], capture_output=True, text=True, check=False).stdout
    raise TimeoutError(f"still {dispatcher.poll(run)}; log: {dispatcher.logs(run, 0)}; {queue}")


def test_a_job_goes_through_the_queue_and_is_found_again(dispatcher: Any, job_is: Any, tones: Any) -> None:
    job_is(LIVES)
    job = Job(tones.config())
    run = dispatcher.submit(job)
    wait_for(dispatcher, run, lambda state: state.state == "running")
    assert dispatcher.submit(job) == run
    (dispatcher._store.runs_dir / run / "go").touch()
    assert wait_for(dispatcher, run, lambda state: state.ended).state == "finished"
    text, offset = dispatcher.logs(run, 0)
    assert text.split() == ["begun", "done"]
    assert dispatcher.logs(run, offset) == ("", offset)


def test_several_jobs_are_one_array_and_each_is_followed_and_cancelled_alone(
    dispatcher: Any, job_is: Any, tones: Any
) -> None:
    job_is(LIVES)
    runs = dispatcher.submit_all([Job(tones.config(seed=seed)) for seed in (31, 32, 33)])
    tickets = [RunFolder(dispatcher._store, run).ticket()["slurm_job"] for run in runs]
    assert [one.split("_")[1] for one in tickets] == ["0", "1", "2"] and len(
        {one.split("_")[0] for one in tickets}
    ) == 1
    for run in runs:
        wait_for(dispatcher, run, lambda state: state.state == "running")
    dispatcher.cancel(runs[1])
    for run in (runs[0], runs[2]):
        (dispatcher._store.runs_dir / run / "go").touch()
        assert wait_for(dispatcher, run, lambda state: state.ended).state == "finished"
    assert dispatcher.poll(runs[1]).state == "cancelled"
    assert "done" in dispatcher.logs(runs[2])[0]


def test_a_job_is_cancelled(dispatcher: Any, job_is: Any, tones: Any) -> None:
    job_is(LIVES)
    run = dispatcher.submit(Job(tones.config()))
    wait_for(dispatcher, run, lambda state: state.state == "running")
    dispatcher.cancel(run)
    assert dispatcher.poll(run).state == "cancelled"
    dispatcher.cancel(run)


def test_a_job_that_dies_says_why(dispatcher: Any, job_is: Any, tones: Any) -> None:
    job_is(DIES)
    run = dispatcher.submit(Job(tones.config()))
    state = wait_for(dispatcher, run, lambda state: state.ended)
    assert state.state == "failed"
    assert "the disk is gone" in state.message


def test_an_impossible_request_is_refused_at_once(dispatcher: Any, tones: Any) -> None:
    greedy = SlurmDispatcher(dispatcher._store, options=("--gres=gpu:titanxp:64",))
    with pytest.raises(DispatchError, match="sbatch"):
        greedy.submit(Job(tones.config()))


def test_a_job_whose_node_fails_goes_on_on_another(
    cluster: Any, dispatcher: Any, job_is: Any, tones: Any
) -> None:
    job_is(LIVES)
    run = dispatcher.submit(Job(tones.config()))
    wait_for(
        dispatcher, run, lambda state: state.state == "running" and "begun" in dispatcher.logs(run, 0)[0]
    )
    number = json.loads((dispatcher._store.runs_dir / run / "job.json").read_text())["slurm_job"]
    asked = ["squeue", "-h", "-o", "%N", "-j", number]
    node = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    cluster.stop_node(node)
    try:
        wait_for(dispatcher, run, lambda state: state.state == "queued")
        # Slurm lets a requeued job wait two minutes; the test does not.
        subprocess.run(["scontrol", "update", f"JobId={number}", "StartTime=now+2"], check=True)
        wait_for(dispatcher, run, lambda state: dispatcher.logs(run, 0)[0].count("begun") == 2)
        (dispatcher._store.runs_dir / run / "go").touch()
        assert wait_for(dispatcher, run, lambda state: state.ended).state == "finished"
    finally:
        cluster.start_node(node)
        cluster.wait_for_nodes("idle", 2)


def test_a_real_run_trains_on_the_cluster(dispatcher: Any, tones: Any) -> None:
    run = dispatcher.submit(Job(tones.config()))
    state = wait_for(dispatcher, run, lambda state: state.ended)
    assert state.state == "finished", dispatcher.logs(run, 0)[0]
    assert state.dev_wer is not None
    assert "dev greedy WER" in dispatcher.logs(run, 0)[0]


TOGETHER = """
import json, pathlib, sys
from training.network.workers.cluster import this_cluster
from training.run_state import RunState
cluster = this_cluster()
folder = pathlib.Path(sys.argv[1])
(folder / f"rank-{cluster.rank}.json").write_text(json.dumps(list(cluster.workers)))
with RunState(folder, folder.name, writes=cluster.is_chief):
    pass
"""


def test_two_nodes_know_each_other(dispatcher: Any, job_is: Any, tones: Any) -> None:
    job_is(TOGETHER)
    both = SlurmDispatcher(
        dispatcher._store, options=("--nodes=2", "--ntasks=2", "--ntasks-per-node=1", "--mem=100")
    )
    run = both.submit(Job(tones.config()))
    assert wait_for(both, run, lambda state: state.ended).state == "finished", both.logs(run, 0)[0]
    folder = both._store.runs_dir / run
    deadline = time.monotonic() + 30
    while not (folder / "rank-1.json").exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    told = [json.loads((folder / f"rank-{rank}.json").read_text()) for rank in (0, 1)]
    assert told[0] == told[1] and len(set(told[0])) == 2
    assert len({address.partition(":")[0] for address in told[0]}) == 2
