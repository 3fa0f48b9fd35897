"""`python -m corpora audit PATH|URL`: its options and what it prints."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from store.console import emit
from store.opening import open_store

UNFIT = 3


def add_parsers(add: Callable[..., Any]) -> list[Any]:
    """Add the command with `add`."""
    command = add("audit", help="what an import would find in a source, without importing it")
    command.add_argument("source", nargs="+", metavar="PATH|URL", help="folders, archives, URLs: one set")
    command.add_argument("--importer", help="by whose layout (default: the one that recognises it)")
    command.add_argument("--donation", metavar="FILE", type=Path, help="the donation.toml to read it by")
    command.add_argument("--page", metavar="FILE", type=Path, help="write the page (HTML, self-contained)")
    command.add_argument("--workers", type=int, default=2, help="processes (default 2)")
    return [command]


def _audit(args: argparse.Namespace) -> int:
    from corpora.audit.audit import AuditRequest, audit

    result = audit(
        AuditRequest(
            sources=tuple(args.source),
            importer=args.importer,
            donation=args.donation,
            page=args.page,
            work=open_store(args.store).staging_dir("audit"),
            workers=args.workers,
        )
    )
    emit(result, args.json, _told(result))
    return 0 if result["status"] == "fit" else UNFIT


def _told(result: dict[str, Any]) -> str:
    lines = [
        f"{result['source']} by {result['importer']}: {result['status']}; {result['utterances']:,} utterances, "
        f"{result['hours']:.2f} h, {result['speakers']:,} speakers",
        *([result["why"]] if result["why"] else []),
        *(f"refused, {check}: {count:,}" for check, count in sorted(result["rejected"].items())),
        *(f"flagged, {flag}: {count:,}" for flag, count in result.get("flags", {}).items()),
    ]
    if copies := result.get("duplicates"):
        lines.append(f"same sound {copies['same_sound']:,} times, same text {copies['same_text']:,} times")
    if strange := result.get("letters_outside_the_alphabet"):
        lines.append(
            "outside the alphabet: " + " ".join(f"{sign!r} {count:,}" for sign, count in strange.items())
        )
    failed = [one["says"] for one in result["gate"].get("expectations", []) if not one["passed"]]
    lines += [f"would not be published: not {says}" for says in failed]
    lines += [str(note) for note in result["notes"]]
    lines.append(f"{result['seconds']:.1f} s, {result['times_real_time']:,.0f} times real time")
    return "\n".join([*lines, *([result["page"]] if result["page"] else [])])


COMMANDS = {"audit": _audit}
