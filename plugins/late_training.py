"""Tells somebody that a training is late: called in the triggerer when a run of `retrain` misses its deadline."""

from __future__ import annotations

import asyncio
from typing import Any


def deadlines() -> list[Any]:
    """The deadline of `retrain`, where the store's settings name one (`[notices] late_after_h`)."""
    from datetime import timedelta

    from airflow.sdk import AsyncCallback, DeadlineAlert, DeadlineReference

    from native.errors import SpeechmillError
    from store.notices.settings import read_notices
    from store.opening import open_store

    try:
        late_after_h = read_notices(open_store()).late_after_h
    except SpeechmillError:  # whoever sends a notice says what is wrong with the settings
        return []
    if late_after_h is None:
        return []
    callback = AsyncCallback("late_training.tell_late", kwargs={"hours": late_after_h})
    return [DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, timedelta(hours=late_after_h), callback)]


async def tell_late(hours: float, context: dict[str, Any] | None = None, **more: Any) -> None:
    """One notice per run."""
    from waiting import run_address

    from store.notices.sending import Notice, tell

    run = (context or {}).get("dag_run") or {}
    run_id = (
        str(run.get("dag_run_id") or run.get("run_id") or "") if isinstance(run, dict) else str(run.run_id)
    )
    text = f"The training that began as {run_id or 'a run of retrain'} is not done after {hours:g} hours."
    notice = Notice("late", "a training is late", text, run_id or text, run_address("retrain", run_id))
    await asyncio.to_thread(tell, notice, True)
