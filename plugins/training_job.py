"""A training job as an Airflow task that holds no worker slot while it waits.

The operator submits the job through `training.dispatch` (or finds it running already: the run's id comes
from its inputs, so a retry attaches instead of submitting twice) and defers. The trigger polls the job,
copies its new log lines into the task's log and, when a person ends the task, cancels the job. How jobs run
is the dispatcher's business.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException
from airflow.triggers.base import BaseTrigger, TriggerEvent

POLL_S = 2.0
ENDED = frozenset({"finished", "failed", "cancelled"})


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
        from training.dispatch import BACKENDS

        dispatcher = BACKENDS[self.backend]()
        while True:
            state = await asyncio.to_thread(dispatcher.poll, self.job_id)
            text, self.log_offset = await asyncio.to_thread(dispatcher.logs, self.job_id, self.log_offset)
            for line in text.splitlines():
                self.log.info("%s", line)
            if state.state in ENDED:
                yield TriggerEvent({"run": self.job_id, "state": state.state, "message": state.message})
                return
            await asyncio.sleep(POLL_S)

    async def on_kill(self) -> None:
        """A person marked the task or its run: end the job too."""
        from training.dispatch import BACKENDS

        await asyncio.to_thread(BACKENDS[self.backend]().cancel, self.job_id)
        self.log.warning("the task was ended by hand: job %s cancelled", self.job_id)


class TrainingJobOperator(BaseOperator):  # type: ignore[misc]
    """Trains what the store's settings ask for; returns `{"run": id}`.

    Args:
        backend: a key of `training.dispatch.BACKENDS`.
    """

    template_fields = ("backend",)

    def __init__(self, *, backend: str = "local", **arguments: Any) -> None:
        super().__init__(**arguments)
        self.backend = backend

    def execute(self, context: Any) -> Any:
        """Submit or attach, then defer; a run that is finished already returns at once."""
        raise NotImplementedError

    def resume(self, context: Any, event: dict[str, Any]) -> dict[str, Any]:
        """The job has ended: hand its run on, or fail with the job's own sentence."""
        if event["state"] != "finished":
            raise AirflowFailException(
                f"run {event['run']} is {event['state']}: {event['message'] or 'see the log above'}"
            )
        return {"run": event["run"]}
