"""What a run did, step by step: curve.jsonl in its folder, and TensorBoard's event files beside it.

    {"step": 940, "epoch": 3, "loss": 21.7, "learning_rate": 0.001, "input_bound": 0.004, …, "dev_wer": null}

One line per line of progress in the log, one more at the end of each epoch with the error rate on dev. A run
that goes on from an earlier step drops the lines beyond it. worst_dev.json holds the utterances of dev that were heard
worst when dev was measured last. Draws nothing (`training.pages.run` does).
"""

from __future__ import annotations

import importlib.util
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scoring.wer import count_errors
from store.errors import StoreError
from store.writing import explain_write, read_json, write_bytes_atomic, write_json_atomic

CURVE = "curve.jsonl"
WORST = "worst_dev.json"
WORST_KEPT = 8
EVENTS = "tensorboard"


class Curves:
    """The curve of a run, open for writing from a step on."""

    def __init__(self, run_dir: Path, first_step: int) -> None:
        self._path = run_dir / CURVE
        kept = [line for line in read_curve(run_dir) if line["step"] <= first_step]
        write_bytes_atomic(self._path, b"".join(_line(one) for one in kept))
        self._events = _event_writer(run_dir / EVENTS)

    def add(self, step: int, epoch: int, figures: dict[str, float | None]) -> None:
        """One point; figures that are not numbers are written as null."""
        point = {"step": step, "epoch": epoch, **{key: _number(value) for key, value in figures.items()}}
        with explain_write(self._path), self._path.open("ab") as stream:
            stream.write(_line(point))
        self._events(
            step, {key: value for key, value in point.items() if key in figures and value is not None}
        )


def _line(point: dict[str, Any]) -> bytes:
    return (json.dumps(point, sort_keys=True) + "\n").encode()


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(f"{value:.6g}")


def _event_writer(folder: Path) -> Any:
    """Writes scalars for TensorBoard; one file per process that trains the run."""
    if "tensorflow" not in sys.modules:  # a run on JAX
        return _event_writer_without_tensorflow(folder)
    import tensorflow as tf

    writer = tf.summary.create_file_writer(str(folder))

    def write(step: int, figures: dict[str, float]) -> None:
        with writer.as_default():
            for name, value in figures.items():
                tf.summary.scalar(name, value, step=step)
        writer.flush()

    return write


def _event_writer_without_tensorflow(folder: Path) -> Any:
    if importlib.util.find_spec("tensorboard") is None:
        return lambda step, figures: None
    from tensorboard.summary import Writer  # type: ignore[import-untyped]

    writer = Writer(str(folder))

    def write(step: int, figures: dict[str, float]) -> None:
        for name, value in figures.items():
            writer.add_scalar(name, value, step)
        writer.flush()

    return write


def read_curve(run_dir: Path) -> list[dict[str, Any]]:
    """The points of a run, [] when it has none; a torn last line is left out."""
    path = run_dir / CURVE
    if not path.exists():
        return []
    points = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            points.append(json.loads(line))
        except ValueError:
            break
    return points


def write_worst(run_dir: Path, names: Sequence[str], said: Sequence[str], heard: Sequence[str]) -> None:
    """Keep the utterances with the most mistakes, the worst first: name, what is said, what was heard, mistakes, words."""
    edits = count_errors(said, heard).per_utterance
    order = sorted(range(len(names)), key=lambda at: (-edits[at].edits, names[at]))
    worst = [
        {
            "utterance_id": names[at],
            "said": said[at],
            "heard": heard[at],
            "edits": edits[at].edits,
            "words": edits[at].words,
        }
        for at in order[:WORST_KEPT]
        if edits[at].edits
    ]
    write_json_atomic(run_dir / WORST, worst)


def read_worst(run_dir: Path) -> list[dict[str, Any]]:
    """What `write_worst` kept, [] where dev was not measured or the file is damaged."""
    try:
        worst: list[dict[str, Any]] = read_json(run_dir / WORST) if (run_dir / WORST).exists() else []
    except StoreError:
        return []
    return worst
