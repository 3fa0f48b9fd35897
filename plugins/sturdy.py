"""What was killed comes back at once: a part that starts anew knows that its predecessor is dead, and so is all it did.

Airflow waits for a heartbeat to grow old before it believes that, and looks every five minutes only. Here the supervisor
(launcher/processes.py) runs one part of each kind on this machine and has ended the predecessor with everything it started.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

from airflow.executors import local_executor
from airflow.listeners import hookimpl

log = logging.getLogger(__name__)
JOBS = {"scheduler": "SchedulerJob", "triggerer": "TriggererJob", "dag-processor": "DagProcessorJob"}


class LocalExecutor(local_executor.LocalExecutor):  # type: ignore[misc]
    """Airflow's own, under its own name, but one that ends the scheduler when a worker was killed.

    All workers read from one queue under one lock. A worker killed while it held that leaves the others waiting for ever,
    and nobody hears what became of its task. The supervisor starts the scheduler again, and that starts the tasks again.
    """

    def _check_workers(self) -> None:
        killed = [worker.exitcode for worker in self.workers.values() if worker.exitcode not in (None, 0)]
        if killed:
            raise RuntimeError(f"a worker was killed (exit status {killed[0]}): the scheduler starts anew")
        super()._check_workers()


@hookimpl  # type: ignore[untyped-decorator]
def on_starting(component: Any) -> None:
    """Called where a part of Airflow begins, and where a task does."""
    job_type = JOBS.get(sys.argv[1]) if len(sys.argv) > 1 else None
    if job_type is None or not hasattr(component, "latest_heartbeat"):
        return
    try:
        buried = bury(job_type, component.hostname)
    except Exception:
        log.exception(
            "the %s before this one could not be noted as dead; that takes Airflow longer", job_type
        )
    else:
        if buried:
            log.warning("%s before this one ended without a word: what it did is taken over now", job_type)


def bury(job_type: str, hostname: str) -> int:
    """Note the jobs of a kind that ran on a machine as failed; how many there were."""
    from airflow.jobs.job import Job, JobState
    from airflow.sdk import timezone
    from airflow.utils.session import create_session
    from sqlalchemy import update

    before = update(Job).where(
        Job.job_type == job_type,
        Job.hostname == hostname,
        Job.state == JobState.RUNNING,
        Job.end_date.is_(None),
    )
    with create_session() as session:
        done = session.execute(before.values(state=JobState.FAILED, end_date=timezone.utcnow()))
        return int(done.rowcount)
