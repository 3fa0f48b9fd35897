"""Groups done by a Dask cluster: an existing one, or Slurm jobs started for this refresh.

A task is one group of about 24 MB. Its workers need this program in the same version, and must see the store
and the sources under the same paths (a shared file system, or sources on S3). The cluster's size stays as it
is: nothing is scaled up or down while it works. Distributed is imported only here, and only when it is asked for.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from corpora.errors import CorporaError
from corpora.refresh.groups import run_group
from store.errors import UsageError

SLURM = "slurm"
_CONNECT_S = 30
_log = logging.getLogger(__name__)


def on_dask(plan_path: Path, count: int, address: str, jobs: int) -> Iterator[dict[str, Any]]:
    """Do all groups of a plan on a cluster; results come as groups end.

    Args:
        address: of a scheduler (`tcp://host:8786`, or its `--scheduler-file`), or "slurm".
        jobs: how many Slurm jobs to start; an existing cluster is taken as it is.

    Raises:
        UsageError: no scheduler answers, or Slurm cannot be asked. CorporaError: a worker died too often.
    """
    from distributed import KilledWorker, as_completed

    with ExitStack() as open_things:
        client = _connect(address, jobs, open_things)
        workers = client.scheduler_info(n_workers=-1)["workers"]
        _log.info("%d groups for %d workers of %s", count, len(workers), client.scheduler.address)
        futures = client.map(run_group, [str(plan_path)] * count, range(count), pure=False, retries=2)
        try:
            for future in as_completed(futures, loop=client.loop):
                yield future.result()
        except KilledWorker as error:
            raise CorporaError(
                f"a Dask worker was killed several times on one group ({error}), most likely for memory; run the "
                "same command again (finished groups are kept), with more memory for each worker"
            ) from error
        finally:
            client.cancel(futures)


def _connect(address: str, jobs: int, open_things: ExitStack) -> Any:
    """A client of the scheduler that has at least one worker; closed with `open_things`."""
    from distributed import Client

    where: Any = open_things.enter_context(_slurm(jobs)) if address == SLURM else address
    named = {"scheduler_file": where} if isinstance(where, str) and "://" not in where else {"address": where}
    try:
        client = Client(**named, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"no Dask scheduler answers at {address} ({error}); start one (dask scheduler) or name another"
        ) from error
    open_things.enter_context(client)
    try:
        client.wait_for_workers(1, timeout=None if address == SLURM else _CONNECT_S)
    except TimeoutError as error:
        raise UsageError(
            f"the Dask scheduler at {address} has no worker; start some (dask worker)"
        ) from error
    return client


def _slurm(jobs: int) -> Any:
    """A cluster of so many Slurm jobs, of the shape that Dask's configuration `jobqueue.slurm` says."""
    from dask_jobqueue import SLURMCluster

    try:
        cluster = SLURMCluster()
    except (ValueError, OSError) as error:
        raise UsageError(
            f"Slurm jobs cannot be described ({error}); set jobqueue.slurm (queue, cores, memory, walltime) in "
            "Dask's configuration, see docs/elsewhere.md"
        ) from error
    cluster.scale(jobs=jobs)
    return cluster
