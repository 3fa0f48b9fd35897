"""`python -m store list | usage | check | push | pull`: what lies in the store, and copies in shared ones."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Sequence
from typing import Any

from store.console import configure_logging, emit, program_name, run_command
from store.opening import open_store, store_of
from store.overview import Row, overview, usage
from store.shared.push_pull import pull, push
from store.store import Store

_COLUMNS = {
    "corpora": ("name", "version", "utterances", "hours", "rejected"),
    "language_models": ("name", "version", "order", "vocabulary", "perplexity"),
    "runs": ("run", "state", "step", "steps", "dev_wer"),
    "evaluations": ("id", "corpus", "split", "language_model", "greedy_wer", "corrected_wer", "lm_wer"),
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=program_name("store"), description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="everything that is published, trained and measured")
    check = commands.add_parser("check", help="whether every corpus is as it was sealed; exit 3 if not")
    check.add_argument("--full", action="store_true", help="read every byte, also of files known to be whole")
    use = commands.add_parser("usage", help="how much room everything takes; exit 3 if more than the budget")
    use.add_argument("--budget-gb", type=float, metavar="GB", help="in 10⁹ bytes")
    to = commands.add_parser("push", help="copy a published corpus to a shared store, e.g. s3://bucket/store")
    to.add_argument("--to", dest="url", required=True, metavar="URL")
    back = commands.add_parser("pull", help="copy a corpus from a shared store and publish it here")
    back.add_argument("--from", dest="url", required=True, metavar="URL")
    for command in (to, back):
        command.add_argument("name", metavar="NAME")
        command.add_argument("--version", metavar="VERSION", help="default: the current one")
    for command in commands.choices.values():
        command.add_argument("--store", metavar="DIR|URL", help="default: $SPEECHMILL_STORE, else var/store")
        command.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _figure(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return "–" if value is None else str(value)


def _table(name: str, rows: Sequence[Row]) -> list[str]:
    """A heading and one aligned line a row; a damaged one shows its error."""
    if not rows:
        return [f"{name.replace('_', ' ')}: none yet"]
    columns = _COLUMNS[name]
    cells = [[_figure(row.get(column)) for column in columns] for row in rows if "error" not in row]
    widths = [max(len(text) for text in column) for column in zip(columns, *cells, strict=True)]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True))
        for line in (columns, *cells)
    ]
    broken = [f"{row['name']}: {row['error']} ({row['path']})" for row in rows if "error" in row]
    return [f"{name.replace('_', ' ')}:", *(f"  {line.rstrip()}" for line in [*lines, *broken])]


def _list(store: Store, args: argparse.Namespace) -> int:
    tables = overview(store)
    text = "\n\n".join("\n".join(_table(name, rows)) for name, rows in tables.items())
    emit({"store": store.place, **tables}, args.json, f"store {store.place}\n\n{text}")
    return 0


def _check(store: Store, args: argparse.Namespace) -> int:
    names = store.corpus_names()
    wrong = {name: [reason] for name, reason in store.corpus_troubles().items()}
    for name in names:
        damage = [one.reason for one in store.corpus(name).find_damage(args.full)]
        if damage:
            wrong[name] = damage
    lines = [f"{name}: {reason}; refresh it again" for name, reasons in wrong.items() for reason in reasons]
    emit(
        {"store": store.place, "corpora": names, "wrong": wrong},
        args.json,
        "\n".join(lines or [f"all files of the {len(names)} corpora are as they were sealed"]),
    )
    return 3 if wrong else 0


def _usage(store: Store, args: argparse.Namespace) -> int:
    rows = usage(store)
    total = sum(use.bytes + use.older_bytes for use in rows)
    free = shutil.disk_usage(store.root).free
    over = args.budget_gb is not None and total > args.budget_gb * 1e9
    lines = [
        f"{(use.bytes + use.older_bytes) / 1e9:9.3f} GB  {use.kind}{'/' if use.name else ''}{use.name}"
        + (f"  ({use.older} older versions, {use.older_bytes / 1e9:.3f} GB)" if use.older else "")
        for use in rows
    ]
    budget = f" of {args.budget_gb:g} GB" if args.budget_gb is not None else ""
    lines.append(f"{total / 1e9:9.3f} GB{budget} in all; {free / 1e9:.1f} GB free on its disk")
    if over:
        lines.append(
            "more than the budget: older versions that nothing was made with can be deleted by folder"
        )
    said = {
        "store": store.place,
        "bytes": total,
        "free_bytes": free,
        "over": over,
        "parts": [vars(u) for u in rows],
    }
    emit(said, args.json, "\n".join(lines))
    return 3 if over else 0


def _push(store: Store, args: argparse.Namespace) -> int:
    done = push(store.corpus(args.name, args.version), args.url)
    megabytes = done["bytes"] / 1e6
    told = f"{done['corpus']} {done['version']}: {done['copied']} files, {megabytes:.1f} MB to {done['url']}"
    emit(done, args.json, told)
    return 0


def _pull(store: Store, args: argparse.Namespace) -> int:
    corpus = pull(store, args.url, args.name, args.version)
    answer = {"corpus": corpus.name, "version": corpus.version, "path": corpus.place}
    emit(answer, args.json, f"{corpus.name} {corpus.version}: {corpus.place}")
    return 0


_COMMANDS: dict[str, Callable[[Store, argparse.Namespace], int]] = {
    "list": _list,
    "check": _check,
    "usage": _usage,
    "push": _push,
    "pull": _pull,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; answers its exit status."""

    def command() -> int:
        args = _parser().parse_args(arguments)
        configure_logging()
        return _COMMANDS[args.command](open_store(store_of(args.store)), args)

    return run_command(command)


if __name__ == "__main__":
    sys.exit(main())
