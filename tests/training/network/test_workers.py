"""Several processes train one run: who is who, the same network as one process, a worker that is killed."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpora.text.normaliser import default_alphabet
from store.store import Store
from training.__main__ import main
from training.decoding.acoustic import Network
from training.errors import ConfigError
from training.network.backends import step_of
from training.network.checkpoint import newest_checkpoint
from training.network.config import (
    AugmentConfig,
    LoopConfig,
    ModelConfig,
    OptimiserConfig,
    TrainingConfig,
    config_text,
)
from training.network.dataset import Dataset
from training.network.workers.cluster import Cluster, host_names, tasks_per_host, this_cluster
from training.network.workers.launch import free_ports, run_workers
from training.runs import run_id_for, train_in_store

CONFIG = TrainingConfig(
    model=ModelConfig(n_hidden=8, dropout=0.0),
    loop=LoopConfig(epochs=10, batch_size=8, threads=1, checkpoint_every_s=0.0),
    optimiser=OptimiserConfig(learning_rate=0.01, clip_norm=5.0, average=0.9),
    augment=AugmentConfig(),
)


def test_the_environment_says_who_this_process_is() -> None:
    assert this_cluster({}) == Cluster() and this_cluster({}).is_chief
    told = json.dumps({"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 1}})
    assert this_cluster({"TF_CONFIG": told}) == Cluster(("a:1", "b:2"), 1)
    assert this_cluster({"TF_CONFIG": told}).share.rank == 1
    slurm = {
        "SLURM_STEP_NUM_TASKS": "3", "SLURM_PROCID": "2", "SLURM_STEP_NODELIST": "n1,n2", "SLURM_JOB_ID": "7",
        "SLURM_STEP_TASKS_PER_NODE": "2,1",
    }  # fmt: skip
    assert this_cluster(slurm) == Cluster(("n1:20112", "n1:20113", "n2:20112"), 2)
    assert tasks_per_host("2(x2),1", 3) == [2, 2, 1] and tasks_per_host("", 2) == [1, 1]
    assert host_names("a,b") == ["a", "b"]
    for text in (
        "{",
        "{}",
        told.replace('"index": 1', '"index": 5'),
        told.replace('"type": "worker"', '"type": "ps"'),
    ):
        with pytest.raises(ConfigError, match="TF_CONFIG"):
            this_cluster({"TF_CONFIG": text})
    with pytest.raises(ConfigError, match="srun"):
        this_cluster({**slurm, "SLURM_STEP_NUM_TASKS": "5"})
    assert len(set(free_ports(3))) == 3


def test_several_workers_of_another_backend_or_none_at_all_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TF_CONFIG", json.dumps(Cluster(("a:1", "b:2"), 0).as_tf_config()))
    on_jax = dataclasses.replace(CONFIG, loop=dataclasses.replace(CONFIG.loop, backend="jax"))
    with pytest.raises(ConfigError, match="several workers train on TensorFlow only"):
        train_in_store(on_jax, Store(tmp_path))
    assert main(["run", "--config", "c.toml", "--workers", "0", "--store", str(tmp_path)]) == 2
    assert "--workers 0 must be at least 1" in capsys.readouterr().err


def weights(store: Store, config: TrainingConfig) -> dict[str, np.ndarray]:
    found = newest_checkpoint(store.runs_dir / run_id_for(config, store) / "checkpoints")
    assert found is not None
    return {
        name: found.arrays[name]
        for name in found.arrays
        if (name.startswith("model/") and "random" not in name) or name.endswith("_average")
    }


@pytest.fixture
def stores(tones: Any, tmp_path: Path) -> tuple[Store, Store, Path]:
    made = [Store(tmp_path / name) for name in ("one", "two")]
    for store in made:
        tones.publish(store, "tones", {"train": tones.clips(39, 1), "dev": tones.clips(3, 2)})
    path = tmp_path / "c.toml"
    path.write_text(config_text(CONFIG))
    return made[0], made[1], path


def loss_of(store: Store, tones: Any) -> float:
    """Mean loss of a trained network over clips that it has not heard."""
    found = newest_checkpoint(store.runs_dir / run_id_for(CONFIG, store) / "checkpoints")
    assert found is not None and found.step == 50
    network = Network.of_checkpoint(found)
    heard = Dataset.from_clips(tones.clips(16, 9), default_alphabet(), CONFIG.features, (1.0,))
    losses, _, _ = step_of(network, CONFIG.optimiser, 1).gradients(
        heard.batch(np.arange(16), network.whitening)
    )
    return float(np.mean(losses, dtype=np.float64))


@pytest.mark.slow
@pytest.mark.parametrize("world", [2, 4])
def test_several_workers_learn_what_one_process_learns(
    stores: tuple[Store, Store, Path], tones: Any, world: int
) -> None:
    alone, together, path = stores
    result = train_in_store(CONFIG, alone)
    assert result.steps == 50
    assert run_workers(["run", "--config", str(path), "--store", str(together.root)], world) == 0
    one, other = weights(alone, CONFIG), weights(together, CONFIG)
    for name, value in one.items():
        np.testing.assert_allclose(other[name], value, atol=2e-3, err_msg=name)
    assert loss_of(together, tones) == pytest.approx(loss_of(alone, tones), rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("ends", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hung"])
def test_a_lost_worker_is_noticed_and_the_run_goes_on_with_fewer(
    stores: tuple[Store, Store, Path], ends: signal.Signals
) -> None:
    _, store, _ = stores
    config = dataclasses.replace(CONFIG, loop=dataclasses.replace(CONFIG.loop, epochs=60))
    path = store.root / "c.toml"
    path.write_text(config_text(config))
    workers = tuple(f"127.0.0.1:{port}" for port in free_ports(2))
    command = [sys.executable, "-m", "training", "run", "--config", str(path), "--store", str(store.root)]
    processes = [
        subprocess.Popen(
            command, env={**os.environ, "TF_CONFIG": json.dumps(Cluster(workers, rank).as_tf_config())},
            stderr=subprocess.PIPE, text=True,
        )
        for rank in range(2)
    ]  # fmt: skip
    folder = store.runs_dir / run_id_for(config, store) / "checkpoints"
    deadline = time.monotonic() + 240
    while not list(folder.glob("step-*")) and time.monotonic() < deadline:
        time.sleep(0.2)
    processes[1].send_signal(ends)
    lost_at = time.monotonic()
    try:
        _, said = processes[0].communicate(timeout=120)
    finally:
        processes[1].kill()
    assert time.monotonic() - lost_at < 60
    assert processes[0].returncode != 0
    assert "worker of this run has gone" in said or "UNAVAILABLE" in said, said[-500:]
    newest = newest_checkpoint(folder)
    assert newest is not None and 0 < newest.step < 300
    result = train_in_store(config, store)  # alone, from the checkpoint of two
    assert result.steps == 300
