"""`python -m training trace X`: the same trees as `python -m corpora trace X`, from the side of models and figures."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from store.console import emit
from store.store import Store


def add_parsers(add: Callable[[str, Any, str], argparse.ArgumentParser]) -> None:
    """Add the verb; `add` makes a command of a name, a function and a line of help."""
    command = add(
        "trace", _trace, "what a figure, model or anything else was made of, and what was made with it"
    )
    command.add_argument(
        "name", metavar="X", help="an evaluation, a figure (15.3%%), a model, a run, a corpus …"
    )


def _trace(options: argparse.Namespace, store: Store) -> None:
    from corpora.lineage.trace import as_text, trace

    answer = trace(store, options.name)
    emit(answer, options.json, as_text(answer))
