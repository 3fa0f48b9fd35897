"""Training speed at full width on the GPU that is there: hours of speech per hour, beside cuDNN's LSTM in PyTorch.

    make bench-gpu [JSON=FILE]
    python -m benchmarks.gpu [--cells 2048] [--utterances 64] [--frames 700] [--steps 20] [--precision bfloat16 float32]

Runs on what is installed: our network and step on TensorFlow, or on JAX where TensorFlow is missing; PyTorch's layers of
the same widths (its LSTM is cuDNN's) with its own CTC loss in the same run, in a process of its own. Lengths are drawn
as in read speech, 2 to 16 s, and batches are of like length. Nothing is read from disk. Without a GPU it says so and
measures the processor. One process per row; the first steps, which compile, are not counted.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from training.network.dataset import Batch

_HOP_S = 0.02
_LABELS = 28
_WARM_UP = 3
_FRAMEWORKS = ("tensorflow", "jax", "torch")


def main(arguments: list[str] | None = None) -> int:
    """One row per framework and precision."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=2048, help="width (default 2048)")
    parser.add_argument("--utterances", type=int, default=64, help="per step (default 64)")
    parser.add_argument(
        "--frames", type=int, default=800, help="of the longest utterance (default 800: 16 s)"
    )
    parser.add_argument("--steps", type=int, default=20, help="measured (default 20)")
    parser.add_argument("--precision", nargs="+", default=["bfloat16", "float32"], help="default both")
    parser.add_argument(
        "--frameworks", nargs="+", choices=_FRAMEWORKS, help="default: ours and the peer, if there"
    )
    parser.add_argument("--json", type=Path, help="also write the rows into this file")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.worker:
        sys.stdout.write(json.dumps(_measure(options)) + "\n")
        return 0
    rows = []
    for framework in options.frameworks or _frameworks():
        for precision in options.precision:
            row = _row(framework, precision, options)
            rows.append(row)
            sys.stdout.write("  ".join(f"{key} {value}" for key, value in row.items()) + "\n")
            sys.stdout.flush()
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


def _frameworks() -> list[str]:
    """Ours, then the peer where it is installed."""
    ours = [one for one in ("tensorflow", "jax") if importlib.util.find_spec(one) is not None][:1]
    if not ours:
        sys.stderr.write("neither TensorFlow nor JAX is installed\n")
    peer = ["torch"] if importlib.util.find_spec("torch") is not None else []
    if not peer:
        sys.stderr.write("PyTorch is not installed: nothing is measured beside ours\n")
    return ours + peer


def _row(framework: str, precision: str, options: argparse.Namespace) -> dict[str, Any]:
    """What a process of its own measured, or why it could not."""
    command = [sys.executable, "-m", "benchmarks.gpu", "--worker", framework, "--precision", precision]
    for name in ("cells", "utterances", "frames", "steps"):
        command += [f"--{name}", str(getattr(options, name))]
    known = {**os.environ, "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, env=known)
    if done.returncode:
        return {"framework": framework, "precision": precision, "failed": done.returncode}
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def batches(options: argparse.Namespace) -> Iterator[Batch]:
    """Batches of like lengths without end, from one seed: four lengths that come again."""
    draws = np.random.default_rng(1)
    made = []
    for share in (0.4, 0.6, 0.8, 1.0):
        longest = max(40, round(share * options.frames))
        lengths = draws.integers(round(0.9 * longest), longest + 1, options.utterances).astype(np.int32)
        labels = np.full((options.utterances, max(1, longest // 4)), -1, np.int32)
        for row, length in enumerate(lengths // 4):
            labels[row, :length] = draws.integers(0, _LABELS, length)
        features = draws.standard_normal((options.utterances, longest, 26)).astype(np.float32)
        made.append(Batch(features, lengths, labels, np.arange(options.utterances)))
    while True:
        yield from made


def _measure(options: argparse.Namespace) -> dict[str, Any]:
    """In the worker: steps on the clock."""
    step, device = (_torch_step if options.worker == "torch" else _own_step)(options)
    source, frames, begun = batches(options), 0, 0.0
    for number in range(4 * _WARM_UP + options.steps):
        if number == 4 * _WARM_UP:
            begun, frames = time.monotonic(), 0
        batch = next(source)
        step(batch, number)
        frames += int(batch.lengths.sum())
    spent_s = time.monotonic() - begun
    return {
        "framework": options.worker, "precision": options.precision[0], "device": device, "cells": options.cells,
        "utterances": options.utterances, "step_ms": round(1000 * spent_s / options.steps, 1),
        "hours_per_hour": round(frames * _HOP_S / spent_s),
    }  # fmt: skip


def _own_step(options: argparse.Namespace) -> tuple[Callable[[Batch, int], None], str]:
    from training.decoding.acoustic import Network
    from training.network.backends import start_backend, step_of
    from training.network.config import LoopConfig, ModelConfig, OptimiserConfig, TrainingConfig
    from training.network.features import Whitening

    name, precision = options.worker, options.precision[0]
    start_backend(name, needed=True)
    loop = LoopConfig(backend=name, precision=precision)
    config = TrainingConfig(model=ModelConfig(n_hidden=options.cells), loop=loop)
    plain = Whitening(np.zeros(26, np.float32), np.ones(26, np.float32))
    network = Network.create(config, plain, tuple(chr(97 + one) for one in range(_LABELS)))
    step = step_of(network, OptimiserConfig(learning_rate=1e-5), 1000)

    def learn(batch: Batch, number: int) -> None:
        step.apply(step.learn(batch).gradients, number)

    if name == "jax":
        import jax

        return learn, str(jax.devices()[0].device_kind)
    from training.network.backends.tensorflow_step import start_tensorflow

    gpus = start_tensorflow().config.list_physical_devices("GPU")
    return learn, "GPU" if gpus else "CPU: no GPU is seen"


def _torch_step(options: argparse.Namespace) -> tuple[Callable[[Batch, int], None], str]:
    torch = importlib.import_module("torch")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = _torch_model(torch, options.cells).to(device)
    optimiser = torch.optim.Adam(model.parameters(), 1e-5)
    kind = torch.bfloat16 if options.precision[0] == "bfloat16" else torch.float32

    def learn(batch: Batch, number: int) -> None:
        features = torch.from_numpy(batch.features).to(device)
        labels = torch.from_numpy(np.maximum(batch.labels, 0)).to(device)
        counts = torch.from_numpy((batch.labels >= 0).sum(axis=1))
        lengths = torch.from_numpy(batch.lengths)
        with torch.autocast(device.type, kind, enabled=kind != torch.float32):
            logits = model(features, lengths)
        logs = logits.float().log_softmax(-1).transpose(0, 1)
        loss = torch.nn.functional.ctc_loss(logs, labels, lengths, counts, blank=_LABELS, zero_infinity=True)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        float(loss.detach())  # waits for the device, as ours does

    return learn, torch.cuda.get_device_name(0) if device.type == "cuda" else "CPU: no GPU is seen"


def _torch_model(torch: Any, cells: int) -> Any:
    """The layers of 2017 in PyTorch; its LSTM packs the lengths and is cuDNN's."""
    nn = torch.nn

    class Network(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            inputs = 19 * 26
            self.front = nn.Sequential(
                nn.Linear(inputs, cells), nn.Hardtanh(0, 20), nn.Dropout(0.05), nn.Linear(cells, cells),
                nn.Hardtanh(0, 20), nn.Dropout(0.05), nn.Linear(cells, 2 * cells), nn.Hardtanh(0, 20),
                nn.Dropout(0.05),
            )  # fmt: skip
            self.lstm = nn.LSTM(2 * cells, cells, batch_first=True, bidirectional=True)
            self.back = nn.Sequential(
                nn.Linear(2 * cells, cells),
                nn.Hardtanh(0, 20),
                nn.Dropout(0.05),
                nn.Linear(cells, _LABELS + 1),
            )

        def forward(self, features: Any, lengths: Any) -> Any:
            wide = nn.functional.pad(features, (0, 0, 9, 9)).unfold(1, 19, 1).transpose(2, 3).flatten(2)
            packed = nn.utils.rnn.pack_padded_sequence(
                self.front(wide), lengths, batch_first=True, enforce_sorted=False
            )
            heard, _ = self.lstm(packed)
            x, _ = nn.utils.rnn.pad_packed_sequence(heard, batch_first=True, total_length=features.shape[1])
            return self.back(x)

    return Network()


if __name__ == "__main__":
    sys.exit(main())
