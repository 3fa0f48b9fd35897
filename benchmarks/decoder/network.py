"""The outputs of a network that was trained here, as a task for the workers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

import native
from benchmarks.decoder.inputs import describe, write_task
from benchmarks.decoder.posteriors import LABELS, Posteriors

_MOST_UTTERANCES = 200


@dataclass(frozen=True)
class NetworkTask:
    """The folder, what was said, and where it comes from."""

    folder: Path
    texts: list[str]
    facts: dict[str, Any]

    @property
    def utterances(self) -> int:
        """How many."""
        return len(self.texts)


def network_task(store_dir: Path, run: str | None, corpus: str | None, folder: Path) -> NetworkTask:
    """Runs the network over a corpus' dev split, at most 200 utterances, and keeps what it says.

    The language model and words are those of the made-up inputs, so that every decoder has the same. Raises
    ValueError when the network writes other labels.
    """
    from store.opening import open_store
    from training.decoding.acoustic import LogProbabilities, load_network
    from training.network.dataset import Dataset, SplitChoice, clips_of

    store = open_store(store_dir)
    run_dir = store.runs_dir / run if run else _newest(store.runs_dir)
    name = corpus or store.corpus_names()[0]
    network = load_network(run_dir)
    if "".join(network.labels) != LABELS:
        raise ValueError(f"{run_dir.name} writes {len(network.labels)} labels, not those of these inputs")
    clips = islice(clips_of(store.corpus(name), SplitChoice("dev", ()), scoring=True), _MOST_UTTERANCES)
    dataset = Dataset.from_clips(clips, native.Alphabet(list(LABELS)), network.config.features)
    rows: dict[int, Any] = {}
    for indices, log_probs, lengths in LogProbabilities(network).of_dataset(dataset):
        rows |= {int(i): log_probs[n, : lengths[n]] for n, i in enumerate(indices)}
    offsets = np.cumsum([0, *(len(rows[i]) for i in sorted(rows))]).astype(np.int64)
    texts = [dataset.texts[i] for i in sorted(rows)]
    made = Posteriors(np.concatenate([rows[i] for i in sorted(rows)]), offsets, texts)
    target = folder / f"network-{run_dir.name}-{name}"
    write_task(target, made, json.loads((folder / "speed" / "task.json").read_text(encoding="utf-8")))
    return NetworkTask(target, texts, {"run": run_dir.name, "corpus": name, **describe(made)})


def _newest(runs: Path) -> Path:
    return max((path for path in runs.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime)
