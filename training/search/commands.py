"""The verbs `tune` and `metrics` of `python -m training`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from store.console import emit
from store.store import Store
from store.writing import write_bytes_atomic

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
    from training.network.config import config_text, read_config
    from training.search.page import write_search_page
    from training.search.space import DEFAULT_SPACE, DROPOUT_SPACE, read_space
    from training.search.study import SearchRequest, search

    default = DROPOUT_SPACE if options.sampler == "binary" else DEFAULT_SPACE
    space = read_space(options.search, read_config(options.config), default)
    request = SearchRequest(
        space,
        options.trials,
        options.sampler,
        options.seed,
        options.jobs,
        options.backend,
        not options.no_prune,
    )
    found = search(request, store)
    best = found["best"]
    config = Path(found["path"]) / "best.toml"
    write_bytes_atomic(config, config_text(space.config(best["values"]), comments=True).encode())
    page = write_search_page(store, Path(found["path"]))
    values = ", ".join(f"{key} = {value}" for key, value in best["values"].items())
    text = f"search {found['id']}: {len(found['trials'])} trials; best dev WER {best['dev_wer']:.2%} with {values}"
    emit({**found, "config": str(config), "page": str(page)}, options.json, f"{text}\n{config}\n{page}")


def _metrics(options: argparse.Namespace, store: Store) -> None:
    from training.pages.metrics import open_metrics

    text = open_metrics(store)
    if options.json:
        emit({"metrics": text}, True, "")
    else:
        sys.stdout.write(text)
