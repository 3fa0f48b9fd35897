"""Handing a training run to whatever executes it: this machine or a Slurm cluster.

    dispatcher = BACKENDS["local"]()          # the default store; BACKENDS[name](store) for another
    job_id = dispatcher.submit(Job(config))   # the run's id; a run in progress is found again
    dispatcher.poll(job_id).state             # queued | running | finished | failed | cancelled
    text, offset = dispatcher.logs(job_id, 0)
    dispatcher.cancel(job_id)

A job is `python -m training run` on the configuration copied into the run's folder; its progress is
state.json there, its output log.txt. A new backend is one module and one line in BACKENDS.
"""

from __future__ import annotations

from collections.abc import Callable

from training.dispatch.job import Dispatcher, Job, JobState
from training.dispatch.local import LocalDispatcher
from training.dispatch.slurm import SlurmDispatcher

BACKENDS: dict[str, Callable[..., Dispatcher]] = {"local": LocalDispatcher, "slurm": SlurmDispatcher}

__all__ = ["BACKENDS", "Dispatcher", "Job", "JobState", "LocalDispatcher", "SlurmDispatcher"]
