"""`python -m corpora history | diff | withdraw`: what versions there are, how they differ, who left."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from store.console import emit, in_red
from store.opening import open_store


def add_parsers(add: Callable[..., Any]) -> list[Any]:
    """Add the commands with `add`; answers them, for the arguments that all commands share."""
    history = add("history", help="the versions of a corpus")
    diff = add("diff", help="what was added, changed and withdrawn between two versions")
    withdraw = add("withdraw", help="leave a donor out of every later version; says what was made with it")
    for command in (history, diff, withdraw):
        command.add_argument("name", metavar="NAME")
    diff.add_argument("before", metavar="V1", help="a version")
    diff.add_argument("after", metavar="V2", nargs="?", help="a version; default: the current one")
    withdraw.add_argument("--donor", required=True, metavar="ID", help="a donor_id or speaker_id")
    leakage = add("leakage", help="what dev and test of any corpus share with the train of any corpus")
    leakage.add_argument("--words", type=int, default=5, metavar="N", help="sentences from N words up (5)")
    push = add("push", help="copy a published corpus to a shared store, e.g. s3://bucket/store")
    pull = add("pull", help="copy a corpus from a shared store and publish it here")
    push.add_argument("--to", dest="url", required=True, metavar="URL")
    pull.add_argument("--from", dest="url", required=True, metavar="URL")
    for command in (push, pull):
        command.add_argument("name", metavar="NAME")
        command.add_argument("--version", metavar="VERSION", help="default: the current one")
    return [history, diff, withdraw, leakage, push, pull]


def _history(args: argparse.Namespace) -> int:
    from corpora.versions.history import history

    found = history(open_store(args.store), args.name)
    lines = []
    for entry in found:
        what = entry.get("error") or f"{entry['utterances']:8d} utterances {entry['hours']:9.3f} h"
        line = f"{entry['version']}  {entry['published']}  {what}" + ("  current" if entry["current"] else "")
        lines.append(in_red(line) if "error" in entry else line)
    emit({"corpus": args.name, "versions": found}, args.json, "\n".join(lines))
    return 0


def _diff(args: argparse.Namespace) -> int:
    from corpora.versions.history import compare_versions

    store = open_store(args.store)
    found = compare_versions(store.corpus(args.name, args.before), store.corpus(args.name, args.after))
    emit(found, args.json, _diff_told(found))
    return 0


def _diff_told(found: dict[str, Any]) -> str:
    lines = [f"{found['corpus']} {found['from']} → {found['to']}"]
    for kind in ("added", "changed", "withdrawn"):
        part = found[kind]
        lines.append(f"  {kind:9} {part['utterances']:8d} utterances {part['hours']:9.3f} h")
        lines += [f"    {column} differs in {count}" for column, count in part.get("columns", {}).items()]
        lines += [f"    {name}" for name in part["examples"]]
        more = part["utterances"] - len(part["examples"])
        lines += [f"    and {more} more"] if more > 0 else []
    return "\n".join([*lines, f"  unchanged {found['unchanged']['utterances']:8d} utterances"])


def _withdraw(args: argparse.Namespace) -> int:
    from corpora.versions.withdrawals import withdraw

    store = open_store(args.store)
    found = withdraw(store, args.name, args.donor)
    told = _withdrawal_told(found)
    if store.place != str(store.root):
        told += "\n  language models and runs lie in stores on disks: withdraw there too, to hear what was made with them"
    emit(found, args.json, told)
    return 0


def _withdrawal_told(found: dict[str, Any]) -> str:
    lines = [
        f"{found['donor']} has withdrawn from {found['corpus']}: the next refresh leaves out "
        f"{found['utterances']} utterances, {found['hours']:.3f} h, and the text of {found['rejected']} refused ones"
    ]
    says = {
        "versions": "versions that hold the recordings and stay as they are until they are deleted",
        "language_models": "language models made with them",
        "runs": "training runs made with them",
        "evaluations": "evaluations made with them",
    }
    lines += [f"  {text}: {', '.join(found[key]) or 'none'}" for key, text in says.items()]
    if found["unreadable"]:
        lines.append(f"  versions that cannot be read, and may hold them: {', '.join(found['unreadable'])}")
    return "\n".join(lines)


def _leakage(args: argparse.Namespace) -> int:
    from corpora.quality.leakage import matrix

    store = open_store(args.store)
    pairs = matrix(store, store.corpus_names(), args.words)
    columns = ("speakers", "sentences", "short_sentences", "audio", "near_copies", "near_copies_other_text")
    head = f"{'train':16} {'dev and test of':16} {'utterances':>11}" + "".join(
        f" {name:>15.15}" for name in columns
    )
    lines = [
        f"{pair['train']:16} {pair['held_out']:16} {pair['utterances']:11d}"
        + "".join(f" {pair[name]:15d}" for name in columns)
        for pair in pairs
    ]
    emit({"min_words": args.words, "pairs": pairs}, args.json, "\n".join([head, *lines]))
    return 0


def _push(args: argparse.Namespace) -> int:
    from store.shared.push_pull import push

    done = push(open_store(args.store).corpus(args.name, args.version), args.url)
    told = f"{done['corpus']} {done['version']}: {done['copied']} files, {done['bytes'] / 1e6:.1f} MB to {done['url']}"
    emit(done, args.json, told)
    return 0


def _pull(args: argparse.Namespace) -> int:
    from store.shared.push_pull import pull

    corpus = pull(open_store(args.store), args.url, args.name, args.version)
    answer = {"corpus": corpus.name, "version": corpus.version, "path": corpus.place}
    emit(answer, args.json, f"{corpus.name} {corpus.version}: {corpus.place}")
    return 0


COMMANDS = {
    "history": _history,
    "diff": _diff,
    "withdraw": _withdraw,
    "leakage": _leakage,
    "push": _push,
    "pull": _pull,
}
