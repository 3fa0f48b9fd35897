"""`python -m corpora index NAME`: make the index that the page *Utterances* searches, before somebody waits for it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from store.console import emit
from store.opening import open_store


def add_parsers(add: Callable[..., Any]) -> list[Any]:
    """Add the command with `add`."""
    command = add("index", help="make the index that the page Utterances searches (the page makes it too)")
    command.add_argument("name", metavar="NAME")
    command.add_argument("--version", metavar="VERSION", help="default: the current one")
    return [command]


def _index(args: argparse.Namespace) -> int:
    from corpora.browsing.index import build_index, describe_index

    store = open_store(args.store)
    corpus = store.corpus(args.name, args.version)
    build_index(store, corpus)
    said = describe_index(store, corpus)
    emit(said, args.json, f"{said['path']} ({said['bytes'] / 1e6:.1f} MB; may be deleted)")
    return 0


COMMANDS = {"index": _index}
