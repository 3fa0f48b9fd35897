"""CPU or GPU: refusals, warnings, leases. No GPU is needed: the driver's folder is made here."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from training.devices import choose_device, gpus_of_machine, keep_one_gpu, leased_gpu
from training.errors import ConfigError, TrainingError
from training.network.workers.cluster import Cluster


def tensorflow(gpus: int = 0, cuda: bool = False) -> Any:
    """What `choose_device` asks of TensorFlow."""
    hidden: list[str] = []
    config = SimpleNamespace(
        set_visible_devices=lambda devices, kind: hidden.append(kind),
        list_physical_devices=lambda kind: list(range(gpus)),
        experimental=SimpleNamespace(set_memory_growth=lambda one, on: None),
    )
    test = SimpleNamespace(is_built_with_cuda=lambda: cuda)
    return SimpleNamespace(config=config, test=test, __version__="2.21.0", hidden=hidden)


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    for name in ("0000:01:00.0", "0000:02:00.0"):
        (tmp_path / "driver" / name).mkdir(parents=True)
    return tmp_path / "driver"


def test_what_is_asked_for_is_used_or_refused(
    driver: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert choose_device(tensorflow(gpus=1, cuda=True), "auto", driver) == "gpu"
    hiding = tensorflow(gpus=1, cuda=True)
    assert choose_device(hiding, "cpu", driver) == "cpu" and hiding.hidden == ["GPU"]
    with pytest.raises(ConfigError, match="make setup GPU=1") as caught:
        choose_device(tensorflow(), "gpu", driver)
    assert caught.value.exit_status == 2
    with pytest.raises(ConfigError, match="no NVIDIA driver"):
        choose_device(tensorflow(cuda=True), "gpu", tmp_path / "none")
    with caplog.at_level(logging.WARNING):
        assert choose_device(tensorflow(), "auto", driver) == "cpu"
    assert "2 GPUs are there and are not used" in caplog.text
    caplog.clear()
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with caplog.at_level(logging.WARNING):
        choose_device(tensorflow(), "auto", driver)
    assert caplog.records[-1].getMessage().startswith("\033[31m2 GPUs are there"), "in red on a terminal"
    caplog.clear()
    assert choose_device(tensorflow(), "auto", tmp_path / "none") == "cpu" and not caplog.text


def test_two_jobs_never_share_a_gpu(driver: Path, tmp_path: Path) -> None:
    assert gpus_of_machine(driver) == ["0", "1"]
    with leased_gpu("auto", driver, tmp_path / "leases") as first:
        assert first == "0" and os.environ["CUDA_VISIBLE_DEVICES"] == "0"
        del os.environ["CUDA_VISIBLE_DEVICES"]  # another job knows nothing of it
        code = (
            "import sys, pathlib; from training.devices import leased_gpu\n"
            "with leased_gpu('gpu', pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])) as g: print(g)"
        )
        command = [sys.executable, "-c", code, str(driver), str(tmp_path / "leases")]
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "1\n"
        with leased_gpu("auto", driver, tmp_path / "leases") as second:
            assert second == "1"
            del os.environ["CUDA_VISIBLE_DEVICES"]
            with (
                pytest.raises(TrainingError, match=f"process {os.getpid()}"),
                leased_gpu("auto", driver, tmp_path / "leases"),
            ):
                pytest.fail("a third lease of two GPUs")
    with leased_gpu("auto", driver, tmp_path / "leases") as again:
        assert again == "0"


def test_nothing_is_leased_where_others_choose(
    driver: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with leased_gpu("cpu", driver, tmp_path) as none:
        assert none is None
    with leased_gpu("auto", tmp_path / "nowhere", tmp_path) as none:
        assert none is None
    monkeypatch.setenv("SLURM_JOB_ID", "1")
    with leased_gpu("gpu", driver, tmp_path) as none:
        assert none is None


def test_each_worker_of_a_machine_has_a_gpu_of_its_own(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    workers = ("n1:1", "n1:2", "n2:1", "n1:3", "n2:2")
    places = [Cluster(workers, rank).place_on_host for rank in range(5)]
    assert places == [0, 1, 0, 2, 1] and Cluster().place_on_host == 0
    for place, own in ((0, "4"), (1, "6"), (2, "4")):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4, 6")  # as Slurm shows it to every task of a node
        assert keep_one_gpu(place) == own == os.environ["CUDA_VISIBLE_DEVICES"]
    assert "worker 3 of this machine shares one of its 2 GPUs" in caplog.text
    assert keep_one_gpu(3) == "4"  # the one that it leased
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert keep_one_gpu(1) is None and "CUDA_VISIBLE_DEVICES" not in os.environ


def test_one_process_that_sees_several_gpus_says_that_the_others_idle(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert choose_device(tensorflow(gpus=4, cuda=True), "auto") == "gpu"
    assert "3 of 4 GPUs are not used" in caplog.text and "srun" in caplog.text
