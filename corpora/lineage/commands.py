"""`python -m corpora trace X | lineage --to FILE|URL`: their options and what they print."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from store.console import emit, printable
from store.opening import open_store


def add_parsers(add: Callable[..., Any]) -> list[Any]:
    """Add the commands with `add`."""
    tracing = add("trace", help="what something was made of, and what was made with it")
    tracing.add_argument(
        "name", metavar="X", help="an evaluation, model, run, corpus, utterance, donor, file …"
    )
    lineage = add("lineage", help="all that was made, as events of OpenLineage")
    lineage.add_argument("--to", required=True, metavar="FILE|URL", help="a file, or where events are posted")
    lineage.add_argument(
        "--namespace", default="store", metavar="NAME", help="what this store is called there"
    )
    return [tracing, lineage]


def _trace(args: argparse.Namespace) -> int:
    from corpora.lineage.trace import as_text, trace

    answer = trace(open_store(args.store), args.name)
    emit(answer, args.json, as_text(answer))
    return 0


def _lineage(args: argparse.Namespace) -> int:
    from corpora.lineage.events import events, send

    found = events(open_store(args.store), args.namespace)
    send(found, args.to)
    emit({"events": len(found), "to": args.to}, args.json, printable(f"{len(found)} events to {args.to}"))
    return 0


COMMANDS = {"trace": _trace, "lineage": _lineage}
