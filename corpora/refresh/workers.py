"""The groups of a plan, done by this process, by a pool of processes, or by a Dask cluster.

Who does a group changes nothing in its result. Progress is shown as groups end. A pool starts with the largest
groups, so that all of it ends at about the same time, and this process meanwhile loads what it needs afterwards.
"""

from __future__ import annotations

import importlib
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

from corpora.audio.last import LAST
from corpora.audio.memory import give_back_memory
from corpora.errors import CorporaError
from corpora.refresh.group_cache import find_group
from corpora.refresh.groups import run_group
from corpora.refresh.orphans import end_with_parent
from corpora.refresh.plan import Plan
from store.console import Progress


def work(plan_path: Path, plan: Plan, workers: int, dask: str | None = None) -> None:
    """Do all groups of a plan.

    Args:
        workers: processes of this machine; with `dask="slurm"` how many jobs.
        dask: address of an existing Dask scheduler, or "slurm"; None = this machine.

    Raises what `run_group` raises, and CorporaError where a worker process died.
    """
    with GroupProgress(plan["name"], plan["groups"]) as progress:
        results = _pooled(plan_path, plan, workers)
        if dask is not None:
            from corpora.refresh.dask_workers import on_dask

            results = on_dask(plan_path, len(plan["groups"]), dask, workers)
        for result in results:
            progress.add(result, plan["groups"][result["index"]]["cost"])


class GroupProgress(Progress):
    """Progress over groups: utterances, hours, rejections, rate and the time left."""

    def __init__(self, label: str, groups: list[dict[str, Any]]) -> None:
        super().__init__(label, sum(group["cost"] for group in groups), "utterances")
        self._totals = {"accepted": 0, "rejected": 0, "duration_s": 0.0}
        self._cost = 0.0

    def add(self, result: dict[str, Any], cost: float) -> None:
        """Count what `run_group` answered for a group of this cost."""
        self._cost += cost
        for key in self._totals:
            self._totals[key] += result[key]
        hours = self._totals["duration_s"] / 3600
        self.update(self._cost, int(self._totals["accepted"]), hours, int(self._totals["rejected"]))


def _pooled(plan_path: Path, plan: Plan, workers: int) -> Iterator[dict[str, Any]]:
    count = len(plan["groups"])
    fresh = [index for index in range(count) if find_group(plan, index) is None]
    if workers == 1 or len(fresh) <= 1:
        yield from (run_group(plan_path, index) for index in range(count))
        LAST.forget()
        give_back_memory()
        return
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["corpora.refresh.groups"])
    forkserver.ensure_running()
    yield from (run_group(plan_path, index) for index in sorted({*range(count)} - {*fresh}))
    _load_ending()
    largest_first = sorted(fresh, key=lambda index: (-plan["groups"][index]["cost"], index))
    with ProcessPoolExecutor(
        min(workers, len(fresh)), mp_context=context, initializer=end_with_parent
    ) as pool:
        futures = [pool.submit(run_group, plan_path, index) for index in largest_first]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool as error:
            raise CorporaError(
                "a worker process was killed, most likely for memory; run the same command again "
                "(finished groups are kept), with fewer --workers"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _load_ending() -> None:
    """Import what seals, while the server of the workers imports what they need."""
    importlib.import_module("corpora.refresh.seal")
