"""A search from its request to its page: what the command and the DAG both do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from store.store import Store
from store.writing import write_bytes_atomic
from training.network.config import TrainingConfig, config_text
from training.search.page import write_search_page
from training.search.space import DEFAULT_SPACE, DROPOUT_SPACE, Space, read_space
from training.search.study import SearchRequest, search


def space_of(config: TrainingConfig, path: Path | None, sampler: str) -> Space:
    """The space of a file; without one dropout alone for the binary search, else the default space."""
    return read_space(path, config, DROPOUT_SPACE if sampler == "binary" else DEFAULT_SPACE)


def run_search(request: SearchRequest, store: Store) -> dict[str, Any]:
    """`search`, then the best configuration as best.toml and the page; returns both paths with the answer."""
    found = search(request, store)
    config = Path(found["path"]) / "best.toml"
    values = found["best"]["values"]
    write_bytes_atomic(config, config_text(request.space.config(values), comments=True).encode())
    page = write_search_page(store, Path(found["path"]))
    return {**found, "config": str(config), "page": str(page)}
