"""`python -m corpora offers | expect | verify | remove`: what could come, whether what is there is right, how it goes."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from store.console import emit, in_red
from store.errors import UsageError
from store.opening import open_store

DAMAGED = 3


def add_parsers(add: Callable[..., Any]) -> list[Any]:
    """Add the commands with `add`; answers them, for the arguments that all commands share."""
    offers = add(
        "offers", help="look what lies below the roots of $SPEECHMILL_SOURCES, as the form offers it"
    )
    expect = add(
        "expect", help="look at every row of a published corpus: ranges, sets, letters, totals, drift"
    )
    expect.add_argument("name", metavar="NAME")
    expect.add_argument(
        "--level", choices=["fast", "full"], default="full", help="some rows of every shard, or all (default)"
    )
    verify = add("verify", help="compare published corpora with what was sealed")
    verify.add_argument("names", nargs="*", metavar="NAME", help="corpora (default: all)")
    verify.add_argument(
        "--full", action="store_true", help="read every byte, also of files known to be whole"
    )
    remove = add("remove", help="delete a corpus; says what goes and what stays")
    remove.add_argument("name", metavar="NAME")
    remove.add_argument("--version", metavar="VERSION", help="this version only")
    remove.add_argument("--yes", action="store_true", help="do it; without, it is only said")
    return [offers, expect, verify, remove]


def _offers(args: argparse.Namespace) -> int:
    from corpora.refresh.preview import look_at_offers
    from corpora.sources.allowed import search_ended

    store = open_store(args.store)
    found, cut = look_at_offers(store), search_ended(store)
    rows = [
        {"path": str(one.path), "bytes": one.bytes, "importers": list(one.importers or ())} for one in found
    ]
    lines = [f"{one.path}: {one.label}" for one in found] + ([cut] if cut else [])
    emit(
        {"offers": rows, "cut": cut},
        args.json,
        "\n".join(lines) or "nothing lies below the roots of $SPEECHMILL_SOURCES",
    )
    return 0


def _expect(args: argparse.Namespace) -> int:
    from corpora.expectations.validate import expect

    verdict = expect(open_store(args.store), args.name, args.level)
    failed = [one for one in verdict["expectations"] if not one["passed"]]
    asked = len(verdict["expectations"])
    lines = [
        f"{args.name} {verdict['version']}: {asked - len(failed)} of {asked} expectations met ({args.level})"
    ]
    lines += [in_red(f"  not met: {one['says']}") for one in failed]
    emit(verdict, args.json, "\n".join([*lines, f"  {verdict['page']}"]))
    return 0


def _verify(args: argparse.Namespace) -> int:
    from corpora.versions.verification import verify

    found = verify(open_store(args.store), args.names or None, args.full)
    lines = []
    for one in found:
        if not one["damage"]:
            lines.append(f"{one['corpus']} {one['version']}: {one['files']} files are as they were sealed")
        lines += [in_red(f"{one['corpus']} {one['version']}: {entry['reason']}") for entry in one["damage"]]
    emit({"corpora": found}, args.json, "\n".join(lines) or "no corpus is published")
    return DAMAGED if any(one["damage"] for one in found) else 0


def _remove(args: argparse.Namespace) -> int:
    from corpora.versions.removal import plan_removal, remove

    store = open_store(args.store)
    planned = (remove if args.yes else plan_removal)(store, args.name, args.version)
    emit({**planned, "removed": args.yes}, args.json, _removal_told(planned, args.yes))
    if not args.yes:
        raise UsageError("nothing was deleted: say --yes to do it")
    return 0


def _removal_told(planned: dict[str, Any], done: bool) -> str:
    size = f"{planned['bytes'] / 1e6:,.1f} MB"
    goes = f"{'are deleted' if done else 'would go'}: versions {', '.join(planned['versions'])}"
    lines = [f"of {planned['corpus']} {goes}, with what is kept for its next refresh ({size})"]
    if planned["current"]:
        lines.append(f"  nothing of {planned['corpus']} is published afterwards")
    lines.append("  its source stays, and so do the models, runs and evaluations made with it:")
    for key in ("language_models", "runs", "evaluations"):
        lines.append(f"    {key.replace('_', ' ')}: {', '.join(planned[key]) or 'none'}")
    if planned["withdrawn"]:
        lines.append("  the note of who has withdrawn stays, so that they stay out when it is imported again")
    return "\n".join(lines)


COMMANDS = {"offers": _offers, "expect": _expect, "verify": _verify, "remove": _remove}
