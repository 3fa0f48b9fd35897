"""The whole stage for one corpus: plan → groups (workers.py) → seal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from corpora.refresh.plan import RefreshRequest, _published_before, plan_refresh, read_plan
from corpora.versions.manifest import published_answer
from store.errors import UsageError
from store.opening import open_store


def refresh(request: RefreshRequest) -> dict[str, Any]:
    """Plan, run all groups, seal. The answer is what `refresh --json` prints.

    Two refreshes of the same corpus wait for each other; the second of the same input then finds nothing
    to do.

    Raises:
        CorporaError: with a sentence and the exit status of the command.
    """
    if request.workers < 1:
        raise UsageError(f"{request.workers} workers; at least 1")
    store = open_store(request.store)
    plan_path = plan_refresh(request)
    plan = read_plan(plan_path)
    if plan.unchanged:  # pandas is not imported for it
        return published_answer(store, plan, "unchanged")
    if not plan["groups"]:
        return seal(plan_path)
    from corpora.refresh.workers import work

    with store.lock(f"refresh-{plan['name']}"):
        if _published_before(store, plan["input_key"]) is None:
            work(plan_path, plan, request.workers, request.dask)
        return seal(plan_path)


def run_group(plan_path: Path | str, index: int, with_sound: bool = False) -> dict[str, Any]:
    """`corpora.refresh.groups.run_group`, imported when it is needed: who finds nothing to do decodes no sound."""
    from corpora.refresh import groups

    return groups.run_group(plan_path, index, with_sound)


def seal(plan_path: Path | str) -> dict[str, Any]:
    """`corpora.refresh.seal.seal`, imported when it is needed: a refresh that finds nothing to do needs no pandas."""
    from corpora.refresh import seal as ending

    return ending.seal(plan_path)
