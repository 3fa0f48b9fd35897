"""What is handed to Slurm: one process, or one per task by srun; and what a run records of its surroundings."""

from __future__ import annotations

from pathlib import Path

import pytest

from store.store import Store
from training.dispatch.job import RunFolder
from training.dispatch.slurm import job_script
from training.environment import environment


@pytest.mark.parametrize(
    ("options", "by_srun"),
    [
        ((), False),
        (("--gres=gpu:1", "--nodes=1"), False),
        (("--nodes=2", "--ntasks-per-node=1"), True),
        (("-n 4",), True),
        (("-N2",), True),
    ],
)
def test_an_allocation_of_several_tasks_starts_a_worker_in_each(
    tmp_path: Path, options: tuple[str, ...], by_srun: bool
) -> None:
    last = job_script(RunFolder(Store(tmp_path), "0123"), options).splitlines()[-1]
    assert last.startswith("exec srun --kill-on-bad-exit=1 ") is by_srun
    assert " -m training run" in last


def test_a_run_records_what_it_was_made_with() -> None:
    found = environment(2)
    assert found["workers"] == 2 and found["libraries"]["numpy"] and found["code"]
    assert environment(2) == found
