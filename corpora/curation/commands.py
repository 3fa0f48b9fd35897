"""`python -m corpora curate NAME list | flag | correct | undo`: its options and what it prints."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Callable
from typing import Any

from store.console import emit
from store.errors import UsageError
from store.opening import open_store


def add_parsers(add: Callable[..., Any]) -> list[Any]:
    """Add the command with `add`."""
    command = add("curate", help="what listeners decided about utterances; the next refresh honours it")
    command.add_argument("name", metavar="NAME")
    command.add_argument("action", choices=("list", "flag", "correct", "undo"))
    command.add_argument("utterance", metavar="UTTERANCE", nargs="?", help="its id")
    command.add_argument("--text", metavar="TEXT", help="correct: what is said")
    command.add_argument("--why", default="", metavar="TEXT", help="the reason, for the rejections")
    command.add_argument("--by", metavar="WHO", help="who decides (default: the user of this shell)")
    command.add_argument("--entry", metavar="ID", help="undo: this decision (default: what is in force)")
    command.add_argument(
        "--version", metavar="VERSION", help="where to look for it; default: the current one"
    )
    return [command]


def _curate(args: argparse.Namespace) -> int:
    from corpora.curation.curate import Wish, curate, overview

    store = open_store(args.store)
    corpus = store.corpus(args.name, args.version)
    if args.action == "list":
        listed = overview(store, corpus)
        emit(listed, args.json, _list_told(listed))
        return 0
    if not args.utterance:
        raise UsageError(f"python -m corpora curate {args.name} {args.action}: name the utterance")
    by = args.by or getpass.getuser()
    wish = Wish(args.action, args.utterance, by, args.why, args.text, args.entry)
    done = curate(store, corpus, wish)
    emit(done, args.json, _told(done))
    return 0


def _told(done: dict[str, Any]) -> str:
    decision = done["decision"]
    says = {
        "flag": "the next version leaves it out",
        "correct": f"the next version says: {done['text']}",
        "undo": f"decision {decision['undoes']} is taken back",
    }
    return f"{decision['utterance_id']}: {says[decision['action']]} (decision {decision['id']})"


def _list_told(listed: dict[str, Any]) -> str:
    lines = [
        f"{one['id']}  {one['at']}  {'in force' if one['id'] in listed['in_force'] else 'undone  '}  "
        f"{one['action']:8} {one['utterance_id']}  by {one['by']}"
        + (f"  says: {one['text']}" if one["text"] else "")
        + (f"  undoes {one['undoes']}" if one["undoes"] else "")
        + (f"  ({one['why']})" if one["why"] else "")
        for one in listed["decisions"]
    ]
    lines += ["the next refresh of it brings this in"] if listed["due"] else []
    return "\n".join(lines) or f"nothing was decided about {listed['corpus']}"


COMMANDS = {"curate": _curate}
