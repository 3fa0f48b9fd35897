"""Two processes of one thread each beside one of one thread: the same batches, the same sums, how much sooner?

    python -m benchmarks.training.workers [CELLS]

Beside them two that know nothing of each other, each with a batch to itself: what the machine itself allows.

Each turn times some steps of a batch of 64 utterances of five seconds, by the clock, after those that trace. Of two
processes each computes half of the batch and all gradients are summed by TensorFlow's own collectives. Needs two free
cores to mean anything.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from statistics import median

import numpy as np

from training.network.workers.cluster import Cluster, this_cluster
from training.network.workers.launch import free_ports

_UTTERANCES, _FRAMES, _LABELS, _STEPS = 64, 250, 60, 10
_TURNS = 3


def step_s(cells: int) -> float:
    """Seconds per step of this process' cluster, one thread in each of its processes."""
    from training.decoding.acoustic import Network
    from training.network.backends import start_backend, step_of
    from training.network.blame import rows_of
    from training.network.config import LoopConfig, ModelConfig, OptimiserConfig, TrainingConfig
    from training.network.dataset import Batch
    from training.network.features import Whitening
    from training.network.workers.step import WorkersStep

    loop = LoopConfig(batch_size=_UTTERANCES, threads=1)
    config = TrainingConfig(model=ModelConfig(n_hidden=cells), loop=loop)
    start_backend("tensorflow", 1, needed=True)
    cluster, width = this_cluster(), config.features.coefficients
    draws = np.random.default_rng(1)
    features = draws.standard_normal((_UTTERANCES, _FRAMES, width)).astype(np.float32)
    labels = draws.integers(0, 28, (_UTTERANCES, _LABELS)).astype(np.int32)
    lengths = np.full(_UTTERANCES, _FRAMES, np.int32)
    whole = Batch(features, lengths, labels, np.arange(_UTTERANCES))
    own = rows_of(whole, np.arange(cluster.rank, _UTTERANCES, cluster.world))
    whitening = Whitening(np.zeros(width, np.float32), np.ones(width, np.float32))
    with cluster.scope():
        network = Network.create(config, whitening, tuple("abcdefghijklmnopqrstuvwxyz' "))
        options = OptimiserConfig(learning_rate=1e-4)
        alone = cluster.world == 1
        step = step_of(network, options, 1000) if alone else WorkersStep(network, options, 1000, cluster)
    for turn in range(_STEPS + 2):
        if turn == 2:
            begun = time.monotonic()
        step.apply(step.learn(own).gradients, turn)
    return (time.monotonic() - begun) / _STEPS


def timed(cells: int, world: int, connected: bool = True) -> float:
    """Seconds per step of so many processes; those not connected do a step each in that time."""
    workers = tuple(f"127.0.0.1:{port}" for port in free_ports(world)) if connected and world > 1 else ()
    command = [sys.executable, "-m", "benchmarks.training.workers", str(cells), "worker"]
    processes = []
    for rank in range(world):
        told = {"TF_CONFIG": json.dumps(Cluster(workers, rank).as_tf_config())} if workers else {}
        environment = {**os.environ, **told}
        processes.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True))
    said = [one.communicate()[0] for one in processes]
    if any(one.returncode for one in processes):
        raise SystemExit("a process of the measured run failed; what it said stands above")
    return max(float(text.splitlines()[-1]) for text in said)


def main() -> int:
    """Turns of one and of two, their medians, the ratio."""
    cells = int(sys.argv[1]) if len(sys.argv) > 1 else 128
    if "worker" in sys.argv:
        sys.stdout.write(f"{step_s(cells)}\n")
        return 0
    turns = [(timed(cells, 1), timed(cells, 2), timed(cells, 2, connected=False)) for _ in range(_TURNS)]
    ratios = [one / two for one, two, _ in turns]
    answer = {
        "cells": cells, "one_s": round(median(one for one, _, _ in turns), 3),
        "two_s": round(median(two for _, two, _ in turns), 3), "scaling": round(median(ratios), 3),
        "scaling_least": round(min(ratios), 3), "scaling_most": round(max(ratios), 3),
        "unconnected_scaling": round(median(2 * one / apart for one, _, apart in turns), 3),
    }  # fmt: skip
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
