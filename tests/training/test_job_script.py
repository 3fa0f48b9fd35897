"""What is handed to Slurm: one process, or one per task by srun; and what a run records of its surroundings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from store.store import Store
from training.dispatch.job import RunFolder
from training.dispatch.slurm import array_script, job_script
from training.dispatch.snapshot import code_of_job
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


def test_several_runs_are_tasks_of_one_array_each_with_its_own_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [RunFolder(Store(tmp_path), run) for run in ("0123", "4567")]
    for folder in folders:
        folder.path.mkdir(parents=True)
    said = property(lambda self: ["sh", "-c", f"echo this is {self.run}"])
    monkeypatch.setattr(RunFolder, "command", said)
    script = tmp_path / "array.sh"
    script.write_text(array_script(folders, ("--mem=100",)))
    assert "#SBATCH --array=0-1\n" in script.read_text() and "#SBATCH --mem=100\n" in script.read_text()
    for task, folder in enumerate(folders):
        known = {**os.environ, "SLURM_ARRAY_TASK_ID": str(task)}
        subprocess.run(["bash", str(script)], env=known, check=True)
        assert folder.log_path.read_text() == f"this is {folder.run}\n"


def test_a_job_keeps_the_code_it_was_handed_over_with(tmp_path: Path) -> None:
    root, store = tmp_path / "checkout", Store(tmp_path / "store")
    for package in ("native", "store", "corpora", "lm", "scoring", "training"):
        (root / package).mkdir(parents=True)
        (root / package / "__init__.py").write_text("said = 'before'\n")
    (root / "native" / "search.cpp").write_text("int main() {}\n")
    (root / "build").mkdir()
    (root / "requirements.lock").write_text("")
    first = code_of_job(store, root)
    assert code_of_job(store, root) == first and not (first / "native" / "search.cpp").exists()
    assert (first / "build").resolve() == root / "build"
    (root / "training" / "__init__.py").write_text("said = 'after'\n")
    second = code_of_job(store, root)
    assert second != first and (first / "training" / "__init__.py").read_text() == "said = 'before'\n"
    done = subprocess.run(
        [sys.executable, "-c", "import training; print(training.said)"], cwd=root, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(first), "PYTHONSAFEPATH": "1"}, check=True,
    )  # fmt: skip
    assert done.stdout == "before\n"


def test_what_is_installed_is_not_copied(tmp_path: Path) -> None:
    assert code_of_job(Store(tmp_path / "store"), tmp_path) == tmp_path
