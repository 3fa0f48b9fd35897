"""CPU or GPU: what was asked for is used or refused in a sentence; GPUs of one machine are leased to one job each.

`loop.device` is auto, cpu or gpu. A GPU that was asked for and cannot be used ends the run before its first
step; one that is there and is not used is a warning in red. On a plain machine (no Slurm, CUDA_VISIBLE_DEVICES
not set) a job leases a GPU by locking a file, so that two jobs never share one by accident; the lock goes with
the process. Knows no network.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from training.errors import ConfigError, TrainingError

log = logging.getLogger(__name__)
_DRIVER = Path("/proc/driver/nvidia/gpus")
_LEASES = "SPEECHMILL_GPU_LEASES"
_ONE_EACH = "a process uses one; start one process per GPU (run --workers N, or srun with as many tasks)"


def gpus_of_machine(driver: Path = _DRIVER) -> list[str]:
    """Numbers of the GPUs that the driver shows; CUDA counts them so."""
    return [str(number) for number in range(len(list(driver.iterdir())))] if driver.is_dir() else []


@contextmanager
def leased_gpu(device: str, driver: Path = _DRIVER, folder: Path | None = None) -> Iterator[str | None]:
    """Lease one GPU of this machine and make it the only one this process sees; None where there is none to lease.

    Raises:
        TrainingError: all are leased; names the processes that hold them.
    """
    there = gpus_of_machine(driver)
    chosen_by_others = "CUDA_VISIBLE_DEVICES" in os.environ or "SLURM_JOB_ID" in os.environ
    if device == "cpu" or not there or chosen_by_others:
        yield None
        return
    folder = folder or Path(os.environ.get(_LEASES) or Path(tempfile.gettempdir()) / "speechmill-gpus")
    folder.mkdir(mode=0o777, parents=True, exist_ok=True)
    holders = []
    for gpu in there:
        path = folder / f"gpu-{gpu}.lock"
        with path.open("a+") as lease:
            try:
                fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lease.seek(0)
                holders.append(f"GPU {gpu}: process {lease.read().strip() or 'unknown'}")
                continue
            lease.truncate(0)
            lease.write(f"{os.getpid()}\n")
            lease.flush()
            os.environ["CUDA_VISIBLE_DEVICES"] = gpu
            log.info("GPU %s is leased", gpu)
            try:
                yield gpu
            finally:
                os.environ.pop("CUDA_VISIBLE_DEVICES", None)
            return
    raise TrainingError(
        f'every GPU of this machine is leased ({"; ".join(holders)}); wait, or set loop.device = "cpu"'
    )


def keep_one_gpu(place: int) -> str | None:
    """Of several GPUs that were chosen for this machine leave this process one, the `place`th: workers share none.

    Slurm shows each task of a step all GPUs of its node, and a strategy would use all it sees in each of them.
    """
    visible = [one.strip() for one in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if one.strip()]
    if len(visible) < 2:
        return visible[0] if visible else None
    if place >= len(visible):
        log.warning("%s", _red(f"worker {place + 1} of this machine shares one of its {len(visible)} GPUs"))
    own = visible[place % len(visible)]
    os.environ["CUDA_VISIBLE_DEVICES"] = own
    return own


def choose_device(tf: Any, device: str, driver: Path = _DRIVER) -> str:
    """Make TensorFlow use what was asked for; returns "gpu" or "cpu".

    Raises:
        ConfigError: a GPU was asked for and TensorFlow sees none; says why.
    """
    if device == "cpu":
        tf.config.set_visible_devices([], "GPU")
        return "cpu"
    seen = tf.config.list_physical_devices("GPU")
    if seen:
        for one in seen:
            tf.config.experimental.set_memory_growth(one, True)
        if len(seen) > 1:
            log.warning("%s", _red(f"{len(seen) - 1} of {len(seen)} GPUs are not used: {_ONE_EACH}"))
        return "gpu"
    there = len(gpus_of_machine(driver))
    built = tf.test.is_built_with_cuda()
    why = (
        "this TensorFlow is the build without CUDA: run make setup GPU=1" if not built
        else "its CUDA libraries could not be loaded" if there else "the machine shows no NVIDIA driver"
    )  # fmt: skip
    if device == "gpu":
        raise ConfigError(f'loop.device = "gpu", but TensorFlow {tf.__version__} sees none: {why}')
    if there:
        log.warning("%s", _red(f"{there} GPUs are there and are not used: {why}"))
    return "cpu"


def choose_jax_device(device: str, driver: Path = _DRIVER) -> str:
    """Make JAX use what was asked for; returns "gpu" or "cpu".

    Raises:
        ConfigError: a GPU was asked for and JAX sees none; says why.
    """
    import jax

    if device == "cpu":
        jax.config.update("jax_platforms", "cpu")
        return "cpu"
    if jax.default_backend() == "gpu":
        if jax.local_device_count() > 1:
            count = jax.local_device_count()
            log.warning("%s", _red(f"{count - 1} of {count} GPUs are not used: JAX trains on one here"))
        return "gpu"
    there = len(gpus_of_machine(driver))
    why = "this JAX is the build without CUDA" if there else "the machine shows no NVIDIA driver"
    if device == "gpu":
        raise ConfigError(f'loop.device = "gpu", but JAX {jax.__version__} sees none: {why}')
    if there:
        log.warning("%s", _red(f"{there} GPUs are there and are not used: {why}"))
    return "cpu"


def _red(text: str) -> str:
    return f"\033[31m{text}\033[0m" if sys.stderr.isatty() else text
