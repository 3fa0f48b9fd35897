"""A training job as an Airflow task that holds no worker slot while it waits.

The operator submits the job through `training.dispatch` (or finds it running already: the run's id comes
from its inputs, so a retry attaches instead of submitting twice) and defers. The trigger polls the job,
copies its new log lines into the task's log and, when a person ends the task, cancels the job. How jobs run
is the dispatcher's business.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException
from airflow.triggers.base import BaseTrigger, TriggerEvent

if TYPE_CHECKING:
    from training.dispatch import Dispatcher

POLL_S = 2.0


class TrainingJobTrigger(BaseTrigger):  # type: ignore[misc]
    """Waits for the end of a dispatched job."""

    def __init__(self, backend: str, job_id: str, log_offset: int = 0) -> None:
        super().__init__()
        self.backend, self.job_id, self.log_offset = backend, job_id, log_offset

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What is needed to make the trigger anew in another process."""
        arguments = {"backend": self.backend, "job_id": self.job_id, "log_offset": self.log_offset}
        return "training_job.TrainingJobTrigger", arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Copy log lines until the job has ended; one event with its last state."""
        dispatcher = await asyncio.to_thread(self._dispatcher)
        while True:
            state = await asyncio.to_thread(dispatcher.poll, self.job_id)
            text, self.log_offset = await asyncio.to_thread(dispatcher.logs, self.job_id, self.log_offset)
            for line in text.splitlines():
                self.log.info("%s", line)
            if state.ended:
                yield TriggerEvent({"run": self.job_id, "state": state.state, "message": state.message})
                return
            await asyncio.sleep(POLL_S)

    async def on_kill(self) -> None:
        """A person ended the task or its run: end the job too."""
        dispatcher = await asyncio.to_thread(self._dispatcher)
        await asyncio.to_thread(dispatcher.cancel, self.job_id)
        self.log.warning("the task was ended by hand: job %s cancelled", self.job_id)

    def _dispatcher(self) -> Dispatcher:
        from training.dispatch import BACKENDS

        return BACKENDS[self.backend]()


class TrainingJobOperator(BaseOperator):  # type: ignore[misc]
    """Trains what the store's settings ask for; returns `{"run": id}`.

    Args:
        backend: a key of `training.dispatch.BACKENDS`.
    """

    template_fields = ("backend",)

    def __init__(self, *, backend: str = "local", **arguments: Any) -> None:
        super().__init__(**arguments)
        self.backend = backend

    def execute(self, context: Any) -> dict[str, Any]:
        """Submit or attach, then defer; a run that is finished already returns at once."""
        from training.dispatch import BACKENDS, Job
        from training.settings import read_retrain

        dispatcher = BACKENDS[self.backend]()
        run = dispatcher.submit(Job(read_retrain().config))
        if dispatcher.poll(run).state == "finished":
            self.log.info("run %s is trained already", run)
            return {"run": run}
        self.log.info("waiting for run %s; its log lines follow", run)
        self.defer(trigger=TrainingJobTrigger(self.backend, run), method_name="resume")

    def resume(self, context: Any, event: dict[str, Any]) -> dict[str, Any]:
        """The job has ended: hand its run on, or fail with its own sentence; a retry goes on with it."""
        if event["state"] != "finished":
            reason = event["message"] or "its log has the reason"
            raise AirflowException(f"run {event['run']} {event['state']}: {reason}")
        return {"run": event["run"]}
