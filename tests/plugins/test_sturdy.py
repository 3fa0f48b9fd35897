"""What was killed is known to be dead at once: a predecessor's job, a worker of the executor."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest


@pytest.fixture(scope="module")
def sturdy(airflow_home: Path, root: Path) -> Any:
    sys.path.append(str(root / "plugins"))
    import sturdy

    return sturdy


@pytest.fixture
def jobs(airflow_home: Path) -> Any:
    """Makes jobs that run, by kind and machine, and answers their states in that order."""
    from airflow.jobs.job import Job
    from airflow.sdk import timezone
    from airflow.utils.session import create_session
    from sqlalchemy import delete, select

    def make(*kinds: tuple[str, str]) -> list[str]:
        with create_session() as session:
            session.execute(delete(Job))
            for job_type, hostname in kinds:
                now = timezone.utcnow() - timedelta(seconds=2)
                session.add(Job(job_type=job_type, state="running", hostname=hostname, latest_heartbeat=now))
        return states()

    def states() -> list[str]:
        with create_session() as session:
            return [str(state) for state in session.scalars(select(Job.state).order_by(Job.id))]

    yield SimpleNamespace(make=make, states=states)
    make()


def test_a_part_that_starts_notes_its_predecessor_as_dead_and_no_other(
    sturdy: Any, jobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.jobs.job import Job

    here = Job().hostname
    jobs.make(("SchedulerJob", here), ("SchedulerJob", "elsewhere"), ("TriggererJob", here))
    monkeypatch.setattr(sys, "argv", ["airflow", "scheduler", "--skip-serve-logs"])
    sturdy.on_starting(SimpleNamespace(latest_heartbeat=None, hostname=here))
    assert jobs.states() == ["failed", "running", "running"]
    monkeypatch.setattr(sys, "argv", ["airflow", "triggerer"])
    sturdy.on_starting(SimpleNamespace(latest_heartbeat=None, hostname=here))
    assert jobs.states() == ["failed", "running", "failed"]


def test_a_task_that_starts_in_the_scheduler_buries_nobody(
    sturdy: Any, jobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.jobs.job import Job

    jobs.make(("SchedulerJob", Job().hostname))
    monkeypatch.setattr(sys, "argv", ["airflow", "scheduler"])
    sturdy.on_starting(object())
    monkeypatch.setattr(sys, "argv", ["airflow", "api-server"])
    sturdy.on_starting(SimpleNamespace(latest_heartbeat=None, hostname=Job().hostname))
    assert jobs.states() == ["running"]


def test_a_killed_worker_ends_the_scheduler_and_one_that_ended_does_not(sturdy: Any) -> None:
    executor = sturdy.LocalExecutor(parallelism=1)
    executor.is_mp_using_fork = False  # no worker yet
    executor.start()
    executor.workers = {1: SimpleNamespace(exitcode=None, is_alive=lambda: True)}
    executor.sync()
    executor.workers = {1: SimpleNamespace(exitcode=0, is_alive=lambda: False, close=lambda: None)}
    executor.sync()
    assert executor.workers == {}
    executor.workers = {1: SimpleNamespace(exitcode=-9)}
    with pytest.raises(RuntimeError, match="a worker was killed"):
        executor.sync()
    executor.workers = {}
    executor.end()


def test_airflow_loads_it_by_the_name_in_the_configuration(sturdy: Any) -> None:
    from airflow.executors.executor_loader import ExecutorLoader

    executor = ExecutorLoader.get_default_executor()
    assert type(executor).__module__ == "sturdy"
