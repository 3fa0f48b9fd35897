"""What makes a figure flattering: the test was learnt from, or the decoder was tuned on it. Recorded, not judged.

Each sentence stands in evaluation.json where the figure stands, and on its page. Reads the run's inputs and
the decoder's weights; measures nothing.
"""

from __future__ import annotations

from pathlib import Path

from store.corpus import Corpus
from store.writing import read_json
from training.decoding.weights import weights_path
from training.errors import ConfigError
from training.network.config import read_config


def contamination(run_dir: Path, corpus: Corpus, split: str, lm_hash: str | None) -> list[str]:
    """Sentences; [] when nothing is known against the figure."""
    told = []
    inputs = run_dir / "inputs.json"
    learnt = dict(read_json(inputs).get("corpora", {})) if inputs.exists() else {}
    if corpus.name in learnt:
        try:
            data = read_config(run_dir / "config.toml").data
        except ConfigError:
            data = None
        if data is not None and data.train_split == split:
            told.append(
                f"the network learnt from the split {split!r} of {corpus.name} that it is measured on"
            )
        if data is not None and data.dev_split == split:
            told.append(f"the network's best checkpoint was chosen on the split {split!r} of {corpus.name}")
    path = weights_path(run_dir, lm_hash) if lm_hash else None
    if path is not None and path.exists():
        tuned = read_json(path)
        if tuned.get("split") == split and corpus.name in tuned.get("corpora", {}):
            told.append(f"the decoder's weights were tuned on the split {split!r} of {corpus.name}")
    return told
