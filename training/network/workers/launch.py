"""Several workers on this machine: the same command as many times, each told who it is by TF_CONFIG.

When one ends badly the others are ended too. Chooses free ports; waits for all. What each logs goes to
standard error, that of all but the chief only where it fails.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack

from training.network.workers.cluster import Cluster

_POLL_S = 0.2
_GRACE_S = 60.0  # between the end of one and ending those that do not notice


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on now."""
    with ExitStack() as sockets:
        held = [sockets.enter_context(socket.socket()) for _ in range(count)]
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in held]


def run_workers(arguments: Sequence[str], count: int) -> int:
    """Run `python -m training` with these arguments `count` times; returns the worst exit status."""
    workers = tuple(f"127.0.0.1:{port}" for port in free_ports(count))
    processes = [_start(arguments, Cluster(workers, rank)) for rank in range(count)]
    failed_at: float | None = None
    try:
        while any(one.poll() is None for one in processes):
            if failed_at is None and any(one.poll() not in (None, 0) for one in processes):
                failed_at = time.monotonic()
            if failed_at is not None and time.monotonic() - failed_at > _GRACE_S:
                break
            time.sleep(_POLL_S)
    except KeyboardInterrupt:
        for one in processes:
            one.send_signal(signal.SIGTERM)
    finally:
        for one in processes:
            if one.poll() is None:
                one.kill()
            one.wait()
    return max((one.returncode if one.returncode >= 0 else 1 for one in processes), default=0)


def _start(arguments: Sequence[str], cluster: Cluster) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "TF_CONFIG": json.dumps(cluster.as_tf_config())}
    output = None if cluster.is_chief else subprocess.DEVNULL
    return subprocess.Popen(
        [sys.executable, "-m", "training", *arguments],
        env=environment,
        stdout=output,
        stdin=subprocess.DEVNULL,
    )
