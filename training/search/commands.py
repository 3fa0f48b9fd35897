"""The verbs `tune` and `metrics` of `python -m training`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from store.console import emit
from store.store import Store

Add = Callable[[str, Any, str], argparse.ArgumentParser]


def add_parsers(add: Add) -> None:
    """Add the verbs; `add` makes a command of a name, a function and a line of help."""
    tune = add("tune", _tune, "search the settings of a training: trials are runs, measured on dev")
    tune.add_argument("--config", type=Path, required=True, help="TOML of the keys that are not searched")
    tune.add_argument("--search", type=Path, help="TOML with [parameters]: keys with ranges or choices")
    tune.add_argument(
        "--trials", type=int, default=20, help="trials in all, earlier ones counted (default 20)"
    )
    tune.add_argument(
        "--sampler", default="tpe", choices=["tpe", "random", "binary"],
        help="binary = the binary search of 2017, by itself on model.dropout (default tpe)",
    )  # fmt: skip
    tune.add_argument("--seed", type=int, default=1, help="seed of the search (default 1)")
    tune.add_argument("--jobs", type=int, default=1, help="trials at a time (default 1)")
    tune.add_argument(
        "--backend", default="local", choices=["local", "slurm"], help="who executes the trials"
    )
    tune.add_argument("--no-prune", action="store_true", help="let every trial run to its end")
    add("metrics", _metrics, "the state of all runs as OpenMetrics text")


def _tune(options: argparse.Namespace, store: Store) -> None:
    from training.network.config import read_config
    from training.search.run import run_search, space_of
    from training.search.study import SearchRequest

    space = space_of(read_config(options.config), options.search, options.sampler)
    request = SearchRequest(
        space,
        options.trials,
        options.sampler,
        options.seed,
        options.jobs,
        options.backend,
        not options.no_prune,
    )
    found = run_search(request, store)
    best = found["best"]
    values = ", ".join(f"{key} = {value}" for key, value in best["values"].items())
    text = f"search {found['id']}: {len(found['trials'])} trials; best dev WER {best['dev_wer']:.2%} with {values}"
    emit(found, options.json, f"{text}\n{found['config']}\n{found['page']}")


def _metrics(options: argparse.Namespace, store: Store) -> None:
    from training.pages.metrics import open_metrics

    text = open_metrics(store)
    if options.json:
        emit({"metrics": text}, True, "")
    else:
        sys.stdout.write(text)
