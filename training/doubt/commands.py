"""`python -m training doubt` and `listened`: their options and what they print."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from store.console import emit
from store.errors import UsageError
from store.store import Store

Add = Callable[[str, Any, str], argparse.ArgumentParser]


def add_parsers(add: Add) -> None:
    """Add the verb; `add` makes a command of a name, a function and a line of help."""
    command = add("doubt", _doubt, "which transcripts of a corpus are probably wrong: a table to listen by")
    command.add_argument("--corpus", required=True, metavar="NAME", help="a published corpus")
    command.add_argument("--version", metavar="VERSION", help="default: the current one")
    command.add_argument("--model", help="a run that judges all rows (it should not have heard them)")
    command.add_argument(
        "--folds", type=int, default=3, metavar="K", help="without --model: runs, each without a share"
    )
    command.add_argument("--config", type=Path, help="TOML of these runs (default: every key's default)")
    page = add("listened", _listened, "the page of what listening to doubted rows bought in error rate")
    page.add_argument("--corpus", required=True, metavar="NAME", help="a published corpus")
    page.add_argument(
        "--version", required=True, metavar="VERSION", help="the one that was doubted and heard"
    )
    page.add_argument(
        "--before", required=True, metavar="EVALUATION", help="of the network that learnt from it"
    )
    page.add_argument(
        "--after", required=True, metavar="EVALUATION", help="of the one that learnt from what was decided"
    )
    page.add_argument(
        "--rows", type=int, default=0, metavar="N", help="rows that were heard (default: to the last decided)"
    )


def _listened(options: argparse.Namespace, store: Store) -> None:
    from training.pages.listening import Bought, write_listening_page

    asked = Bought(options.corpus, options.version, options.before, options.after, options.rows)
    found = write_listening_page(asked, store)
    emit(found, options.json, found["path"])


def _doubt(options: argparse.Namespace, store: Store) -> None:
    from training.doubt.doubt import DoubtRequest, doubt
    from training.network.config import read_config

    if options.model and options.config:
        raise UsageError("--config is for the runs without a share; --model names one that is trained")
    config = read_config(options.config) if options.config else None
    request = DoubtRequest(options.corpus, options.version, options.model, options.folds, config)
    found = doubt(request, store)
    emit(found, options.json, _told(found))


def _told(found: dict[str, Any]) -> str:
    lines = [
        f"{found['corpus']} {found['version']}: {found['rows']} rows heard by {', '.join(found['runs'])}"
    ]
    if found["heard_by_model"]:
        lines.append("  that run learnt from this corpus: it doubts too little of it")
    for row in found["worst"]:
        lines.append(f"  {row['doubt']:.3f}  {row['utterance_id']}")
        lines.append(f"         says  {row['text']}\n         heard {row['doubt_heard']}")
    return "\n".join([*lines, f"{found['path']} (the page Utterances sorts by it)"])
