"""A checkpoint of a wide network: memory on top while it is written, what training waits for, what loading takes.

    python -m benchmarks.training.checkpoint FOLDER WIDTH

Resident memory is looked at every 10 ms. Beside the background saver the weights are moved (a step's `apply`) as soon as
the saver allows it; then the checkpoint is loaded into a network made for it, and one made the ordinary way.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from training.network.config import ModelConfig, OptimiserConfig, TrainingConfig, identity
from training.network.features import Whitening


def resident_mb() -> float:
    """Of this process, now, without what the page cache lends it."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    return 0.0


@contextmanager
def peak_memory() -> Iterator[list[float]]:
    """A list that holds the most memory seen meanwhile, in MB."""
    most, stop = [resident_mb()], threading.Event()

    def look() -> None:
        while not stop.wait(0.01):
            most[0] = max(most[0], resident_mb())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield most
    finally:
        stop.set()
        thread.join()


def main() -> int:
    """Build, save, load."""
    from training.decoding.acoustic import Network
    from training.network.backends.tensorflow_step import StepFunction, start_tensorflow
    from training.network.checkpoint import load_checkpoint
    from training.network.saving import Saver

    folder, width = Path(sys.argv[1]), int(sys.argv[2])
    start_tensorflow()
    config = TrainingConfig(model=ModelConfig(n_hidden=width))
    whitening = Whitening(np.zeros(26, np.float32), np.ones(26, np.float32))
    alphabet = tuple("abcdefghijklmnopqrstuvwxyz' ")
    began = time.process_time()
    network = Network.create(config, whitening, alphabet)
    made_s = time.process_time() - began
    step = StepFunction(network, OptimiserConfig(), 1000)
    step.apply([np.zeros(one.shape, np.float32) for one in network.model.trainable_variables], 0)
    meta = {"step": 1, "steps": 10, "identity": identity(config)}
    before = resident_mb()
    with peak_memory() as most, Saver(folder, 2) as saver:
        began, cpu = time.monotonic(), time.process_time()
        saver.start(network.checkpoint(meta, step.variables), is_best=True)
        started_s = time.monotonic() - began
        saver.before_change()
        may_change_s = time.monotonic() - began
        saver.finish()
        written_s, cpu_s = time.monotonic() - began, time.process_time() - cpu
    path = folder / "step-00000001.npz"
    del network, step
    began = time.process_time()
    Network.of_checkpoint(load_checkpoint(path))
    answer = {
        "width": width, "file_mb": round(path.stat().st_size / 1e6), "on_top_mb": round(most[0] - before),
        "start_s": round(started_s, 3), "weights_may_change_after_s": round(may_change_s, 2),
        "written_s": round(written_s, 2), "written_cpu_s": round(cpu_s, 2),
        "made_anew_cpu_s": round(made_s, 2), "loaded_cpu_s": round(time.process_time() - began, 2),
        "cores": len(os.sched_getaffinity(0)),
    }  # fmt: skip
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
