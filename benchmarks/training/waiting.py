"""How long the demo's network waits for its input: its configuration on a store of shards, some hundred steps.

python -m benchmarks.training.waiting STORE FOLDER
"""

from __future__ import annotations

import dataclasses
import json
import logging
import sys
from pathlib import Path

from store.store import Store

_STEPS = 150
_DEMO = Path(__file__).resolve().parents[2] / "demo" / "training.toml"


def main() -> int:
    """Train, print the shares of the run's last line of the curve."""
    from training.network.config import read_config
    from training.network.dataset import Dataset
    from training.network.feed.sources import source_of
    from training.network.loop import TrainingData, train
    from training.runs import feed_reader

    logging.basicConfig(level=logging.WARNING)
    store, folder = Store(Path(sys.argv[1])), Path(sys.argv[2])
    config = read_config(_DEMO)
    config = dataclasses.replace(config, loop=dataclasses.replace(config.loop, steps=_STEPS))
    reader, chosen = feed_reader(config, store)
    source = source_of(reader, config.data.shuffle_hours, chosen.weights)
    empty = Dataset.from_clips([], chosen.alphabet, config.features)
    train(config, TrainingData(source, empty, chosen.alphabet), folder)
    last = json.loads((folder / "curve.jsonl").read_text().splitlines()[-1])
    answer = {"steps": _STEPS, "input_bound_percent": round(100 * last["input_bound"], 2)}
    sys.stdout.write(json.dumps({**answer, "hours_per_hour": round(last["hours_per_hour"])}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
