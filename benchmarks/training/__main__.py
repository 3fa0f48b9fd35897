"""What training costs, each figure beside a peer or a bar, all in one run.

    make bench-training [HOURS=2] [JSON=FILE]
    python -m benchmarks.training [--parts PART …] [--hours 2] [--cells 128 512] [--json FILE]

    feed         hours of speech per CPU second from shards to batches, beside tf.data over TFRecord files of the same
                 sounds (16-bit samples, not compressed: TensorFlow decodes no FLAC) with features by tf.signal;
                 and beside lhotse's sampler and features on the fly where `benchmarks/peers.sh lhotse` has put it
    step         CPU time of a step beside that of a Keras model of the same layers with the same loss and optimiser,
                 its inputs joined beforehand, in turns
    checkpoint   at full width: memory on top while one is written, what the training waits for, what loading takes
    waiting      share of the time that the demo's network waits for its input
    workers      two processes of one thread each beside one of one thread, by the clock: wants two free cores
    sound        what each change to the sound costs per hour of speech

Every part runs in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.feed import write_store
from benchmarks.training import lhotse_feed
from store.writing import write_json_atomic

_PARTS = ("feed", "step", "checkpoint", "waiting", "workers", "sound")


def main(arguments: list[str] | None = None) -> int:
    """Measure the parts asked for; prints one line each."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "--parts", nargs="+", default=list(_PARTS), choices=_PARTS, help="which (default all)"
    )
    parser.add_argument("--hours", type=float, default=2.0, help="hours of speech fed (default 2)")
    parser.add_argument("--cells", type=int, nargs="+", default=[128, 512], help="widths for step")
    parser.add_argument("--width", type=int, default=2048, help="width for checkpoint (default 2048)")
    parser.add_argument("--json", type=Path, help="also write everything measured into this file")
    options = parser.parse_args(arguments)
    answer: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="bench-training-") as folder:
        if {"feed", "waiting"} & set(options.parts):
            write_store(Path(folder) / "store", options.hours)
        for part in options.parts:
            answer[part] = [_measured(command) for command in _commands(part, Path(folder), options)]
            for one in answer[part]:
                sys.stdout.write(
                    f"{part:11}" + "  ".join(f"{key} {value}" for key, value in one.items()) + "\n"
                )
                sys.stdout.flush()
    if options.json:
        write_json_atomic(options.json, answer)
    return 0


def _commands(part: str, folder: Path, options: argparse.Namespace) -> list[list[str]]:
    """The programs of a part, each of which prints one JSON object."""
    store = str(folder / "store")
    if part == "feed":
        ours = ["benchmarks.feed", "--worker", store, "--no-step", "--measured-hours", str(options.hours / 2)]
        peers = [["benchmarks.training.tfdata", store, str(folder / "records")]]
        if lhotse_feed.PYTHON.exists():
            peers.append(["benchmarks.training.lhotse_feed", store, str(folder / "flac")])
        return [ours, *peers]
    if part == "step":
        return [["benchmarks.training.step", str(cells)] for cells in options.cells]
    if part == "workers":
        return [["benchmarks.training.workers", str(options.cells[0])]]
    if part == "sound":
        return [["benchmarks.training.sound"]]
    if part == "checkpoint":
        return [["benchmarks.training.checkpoint", str(folder / "run"), str(options.width)]]
    return [["benchmarks.training.waiting", store, str(folder / "waiting")]]


def _measured(command: list[str]) -> dict[str, Any]:
    """What a fresh process printed, its last line."""
    done = subprocess.run([sys.executable, "-m", *command], stdout=subprocess.PIPE, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


if __name__ == "__main__":
    sys.exit(main())
