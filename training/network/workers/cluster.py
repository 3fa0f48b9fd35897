"""Which processes train one run together, and which of them this one is.

Told by `TF_CONFIG` (its `cluster.worker` and `task.index`, TensorFlow's own notation), else by Slurm where
`srun` started several tasks of a step, else this process is alone. The first is the chief: it alone writes
checkpoints, curves and state. Starts no process (`launch` does) and computes nothing.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from training.errors import ConfigError
from training.network.feed.sources import Share

_TIMEOUT_S = 50.0  # a worker that does not answer for so long has gone
_FIRST_PORT = 20000
_PORTS = 20000


@dataclass(frozen=True)
class Cluster:
    """Addresses `host:port` of all workers, and the place of this one."""

    workers: tuple[str, ...] = ()
    rank: int = 0

    @property
    def world(self) -> int:
        """Processes in all."""
        return max(1, len(self.workers))

    @property
    def is_chief(self) -> bool:
        """Whether this process writes."""
        return self.rank == 0

    @property
    def place_on_host(self) -> int:
        """How many workers before this one are on its machine."""
        hosts = [one.rpartition(":")[0] for one in self.workers]
        return hosts[: self.rank].count(hosts[self.rank]) if hosts else 0

    @property
    def share(self) -> Share:
        """This process' part of every batch."""
        return Share(self.rank, self.world)

    @cached_property
    def strategy(self) -> Any:
        """TensorFlow's strategy, None for one process alone; must be made before anything is computed."""
        if self.world == 1:
            return None
        os.environ["TF_CONFIG"] = json.dumps(self.as_tf_config())
        import tensorflow as tf

        options = tf.distribute.experimental.CommunicationOptions(timeout_seconds=_TIMEOUT_S)
        return tf.distribute.MultiWorkerMirroredStrategy(communication_options=options)

    def scope(self) -> AbstractContextManager[Any]:
        """Where variables are made that all workers keep equal."""
        scope: AbstractContextManager[Any] = self.strategy.scope() if self.strategy else nullcontext()
        return scope

    def as_tf_config(self) -> dict[str, Any]:
        """In TensorFlow's notation."""
        return {"cluster": {"worker": list(self.workers)}, "task": {"type": "worker", "index": self.rank}}


ALONE = Cluster()


def this_cluster(environment: Mapping[str, str] | None = None) -> Cluster:
    """What the environment says.

    Raises:
        ConfigError: TF_CONFIG is not what it should be.
    """
    known = os.environ if environment is None else environment
    if known.get("TF_CONFIG"):
        return _of_tf_config(known["TF_CONFIG"])
    tasks = int(known.get("SLURM_STEP_NUM_TASKS") or 1)
    if tasks > 1 and "SLURM_PROCID" in known:
        return _of_slurm(known, tasks)
    return Cluster()


def _of_tf_config(text: str) -> Cluster:
    try:
        table = json.loads(text)
        workers = tuple(str(one) for one in table["cluster"]["worker"])
        rank = int(table["task"]["index"])
        fits = (
            table["task"]["type"] == "worker"
            and 0 <= rank < len(workers)
            and set(table["cluster"]) == {"worker"}
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"TF_CONFIG is not what TensorFlow expects ({error!r}): {text[:200]}") from error
    if not fits:
        raise ConfigError(f"TF_CONFIG must name workers only, and this one among them: {text[:200]}")
    return Cluster(workers, rank) if len(workers) > 1 else Cluster()


def _of_slurm(known: Mapping[str, str], tasks: int) -> Cluster:
    """From an allocation: a port of the job's own, counted up on each host."""
    hosts = host_names(known.get("SLURM_STEP_NODELIST", ""))
    counts = tasks_per_host(known.get("SLURM_STEP_TASKS_PER_NODE", ""), len(hosts))
    base = _FIRST_PORT + int(known.get("SLURM_JOB_ID") or 0) * 16 % _PORTS
    workers = [f"{host}:{base + k}" for host, count in zip(hosts, counts, strict=True) for k in range(count)]
    if len(workers) != tasks:
        raise ConfigError(
            f"Slurm names {len(workers)} tasks on {', '.join(hosts)} where the step has {tasks}; start the run with "
            "srun"
        )
    return Cluster(tuple(workers), int(known["SLURM_PROCID"]))


def tasks_per_host(text: str, hosts: int) -> list[int]:
    """`2(x3),1` → [2, 2, 2, 1]; one each where nothing is said."""
    if not text:
        return [1] * hosts
    counts: list[int] = []
    for count, times in re.findall(r"(\d+)(?:\(x(\d+)\))?", text):
        counts += [int(count)] * int(times or 1)
    return counts


def host_names(node_list: str) -> list[str]:
    """`a[01-02],b` → [a01, a02, b], by Slurm's own command.

    Raises:
        ConfigError: Slurm does not answer.
    """
    if "[" not in node_list:
        return [one for one in node_list.split(",") if one]
    try:
        done = subprocess.run(
            ["scontrol", "show", "hostnames", node_list],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ConfigError(f"scontrol cannot tell the hosts of {node_list}: {error}") from error
    return done.stdout.split()
