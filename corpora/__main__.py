"""`python -m corpora list | doctor | download | refresh | show | report | export | …`: archives in, corpora out.

With --json one JSON object stands on standard output; logs and progress go to standard error. Exit status:
0 done, 3 nothing published (the gate refused it, or nothing could be imported), 2 usage or unusable source,
1 a fault of ours.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora.errors import NothingImportedError
from corpora.faults import FAULT
from corpora.quality.gate import refusal
from corpora.refresh import again
from store.console import configure_logging, emit, in_red, printable, run_command, use_store_tmp
from store.errors import NotPublishedError
from store.opening import open_store, store_of
from store.shared.places import is_remote

if TYPE_CHECKING:
    import argparse

REFUSED = 3
# No command here multiplies matrices, and threads that wait for some cost 0.04 s of every start.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _parser() -> argparse.ArgumentParser:
    from corpora.command_line import parser

    return parser()


def _list(args: argparse.Namespace) -> int:
    from corpora.importers import IMPORTERS, get_importer

    store = open_store(args.store)
    corpora = {}
    names, read = store.corpus_names(), store.corpus
    if args.quarantine:
        names, read = store.quarantined_names(), store.quarantined
    for name in names:
        manifest = read(name).manifest
        keys = ("version", "utterances", "hours", "splits", "licence")
        corpora[name] = {key: manifest[key] for key in keys}
    importers = {name: get_importer(name).summary for name in IMPORTERS}
    lines = [
        f"{name:16} {c['hours']:9.3f} h {c['utterances']:8d} utterances  {c['version']}"
        for name, c in corpora.items()
    ]
    nothing = f"no corpus {'is in quarantine' if args.quarantine else 'is published'} in {store.place}"
    troubles = store.corpus_troubles()
    lines += [in_red(f"{name:16} cannot be read: {reason}") for name, reason in troubles.items()]
    text = "\n".join([*(lines or [nothing]), "", "importers:"])
    text += "".join(f"\n  {name:14} {summary}" for name, summary in importers.items())
    answer = {"store": store.place, "corpora": corpora, "troubles": troubles, "importers": importers}
    emit(answer, args.json, text)
    return 0


def _doctor(args: argparse.Namespace) -> int:
    import tempfile

    from corpora.doctor import Aids, describe, examine

    aids = Aids(args.donation, args.draft_alphabet, open_store(args.store).alphabets_dir)
    with tempfile.TemporaryDirectory(prefix="speechmill-doctor-") as spill:
        found = examine(args.source, Path(spill), aids)
    emit(found, args.json, describe(found))
    return 0


def _download(args: argparse.Namespace) -> int:
    from corpora.download import download_parts

    fetched = [entry.as_json() for entry in download_parts(args.importer, args.parts, args.to)]
    total = sum(entry["size_bytes"] for entry in fetched)
    lines = [
        f"{e['part']}: {e['size_bytes'] / 1e6:.1f} MB, {e['status']}, {e['verified_by']}" for e in fetched
    ]
    next_step = f"python -m corpora refresh {args.importer} --source {' '.join(e['path'] for e in fetched)}"
    emit({"archives": fetched, "bytes": total}, args.json, "\n".join([*lines, f"next: {next_step}"]))
    return 0


def _refresh(args: argparse.Namespace) -> int:
    from corpora.options import given
    from corpora.quality.thresholds import parse
    from corpora.refresh.aligned import refresh_and_align
    from corpora.refresh.plan import RefreshRequest
    from corpora.refresh.stage import refresh

    store = open_store(args.store)
    key = again.refresh_key(args.line, store)
    request = RefreshRequest(
        importer=args.importer,
        sources=tuple(args.source),
        name=args.name,
        donation=args.donation,
        store=args.store,
        workers=args.workers,
        dask=args.dask,
        alphabet=args.alphabet,
        options=given(args),
        thresholds=parse(args.threshold),
    )
    try:
        result = refresh(request) if args.no_align else refresh_and_align(request, store)
    except NothingImportedError as error:
        if args.json and error.summary is not None:
            emit({**error.summary, "reason": str(error)}, True, "")
        raise
    waits = "aligned" in result or result["corpus"] in store.quarantined_names()  # a new model may help
    if key is not None and result["published"] and not waits:
        again.remember(store, key, result)
    emit(result, args.json, _told(result))
    if result["status"] == "quarantined":
        draft = f"; fill in {result['draft']} and run it again with --donation" if result["draft"] else ""
        said = f"{result['corpus']} waits in quarantine: {result['quarantine']}{draft}"
        sys.stderr.write(printable(said) + "\n")
        return REFUSED
    if not result["published"]:
        why = refusal(result["corpus"], result["gate"])
        said = f"{result['corpus']} was not published: the gate refused it: {why}"
        sys.stderr.write(printable(said) + "\n")
        return REFUSED
    return 0


def _figure(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{round(value, 1 if value >= 10 else 3):,}"


def _told(result: dict[str, Any]) -> str:
    """A refresh for people."""
    items, head = result["items"], f"{result['corpus']} {result['version']} {result['status']}"
    lines = [
        f"{head}: {result['utterances']} utterances, {result['hours']:.3f} h, {result['speakers']} speakers"
    ]
    lines.append(
        f"  {items['input']} items = {items['accepted']} accepted + {items['rejected']} rejected "
        f"+ {items['ignored']} ignored"
    )
    for split, part in result["splits"].items():
        size = f"{part['utterances']:8d} utterances {part['hours']:9.3f} h"
        lines.append(f"  {split:6} {size} {part['speakers']:6d} speakers")
    lines += [
        in_red(f"  rejected {check}: {count} (see the report)")
        if check == FAULT
        else f"  rejected {check}: {count}"
        for check, count in result["rejected"].items()
    ]
    lines += [f"  ignored, {reason}: {count}" for reason, count in result["ignored"].items()]
    lines += [
        f"  {part} {name}: {_figure(figures['found'])} of {_figure(figures['expected'])} as published"
        for part, of_part in result.get("expected", {}).items()
        for name, figures in of_part.items()
    ]
    left_out = result.get("split_told", {}).get("hours_left_out", 0)
    if left_out:
        lines.append(f"  left out of all splits (calls between them): {left_out:.3f} h")
    if result.get("thresholds"):
        from corpora.quality.thresholds import Thresholds

        usual = Thresholds().as_dict()
        lines += [
            f"  threshold {name} = {value} (usually {usual[name]})"
            for name, value in result["thresholds"].items()
            if name in usual and value != usual[name]
        ]
    lines += [f"  note: {note}" for note in result.get("notes", [])]
    if "aligned" in result:
        lines.append("  " + _told(result["aligned"]["published"]).replace("\n", "\n  "))
    return "\n".join([*lines, f"  {result['path']}"])


def _renormalise(args: argparse.Namespace) -> int:
    from corpora.refresh.renormalise import renormalise

    said = renormalise(open_store(args.store), args.name)
    text = f"{said['corpus']} {said['version']} {said['status']}: {said['changed']} texts changed, "
    emit(said, args.json, f"{text}{said['refused']} refused, {said['returned']} came back\n  {said['path']}")
    return 0


def _show(args: argparse.Namespace) -> int:
    corpus = open_store(args.store).corpus(args.name, args.version)
    emit(
        corpus.manifest,
        args.json,
        _told({**corpus.manifest, "status": "published", "path": corpus.place}),
    )
    return 0


def _report(args: argparse.Namespace) -> int:
    from corpora.report import write_corpus_report, write_refused_report

    store = open_store(args.store)
    try:
        corpus = store.corpus(args.name, args.version)
    except NotPublishedError:
        refused = store.staging_dir("corpora") / args.name / "refused"
        if args.version is not None or not (refused / "manifest.json").is_file():
            raise
        place = store.share_file(write_refused_report(store, args.name, refused))
        emit({"corpus": args.name, "status": "refused", "path": place}, args.json, place)
        return 0
    place = store.share_file(write_corpus_report(store, corpus))
    emit({"corpus": corpus.name, "version": corpus.version, "path": place}, args.json, place)
    return 0


def _export(args: argparse.Namespace) -> int:
    from corpora.exports import ExportRequest, export

    corpus = open_store(args.store).corpus(args.name, args.version)
    done = export(ExportRequest(corpus, args.form, args.to, tuple(args.splits), args.for_own_use))
    what = f"{done['utterances']} utterances of {corpus.name} {corpus.version} for {args.form}"
    emit(done, args.json, f"{what}: {done['status']}\n  {done['path']}")
    return 0


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "list": _list,
    "doctor": _doctor,
    "download": _download,
    "refresh": _refresh,
    "renormalise": _renormalise,
    "show": _show,
    "report": _report,
    "export": _export,
}

_WITHOUT_STORE = ("doctor", "download")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; answers its exit status."""
    line = list(sys.argv[1:] if arguments is None else arguments)

    def command() -> int:
        told = _unchanged(line)
        if told is not None:
            emit(told, "--json" in line, _told(told))
            return 0
        args = _parsed(line)
        configure_logging(logging.DEBUG if args.verbose else logging.INFO)
        args.store = store_of(args.store, needed=args.command not in _WITHOUT_STORE)
        use_store_tmp(args.store)
        return _command(args.command)(args)

    return run_command(command)


def _parsed(line: list[str]) -> argparse.Namespace:
    from corpora.command_line import parse

    return parse(line)


def _unchanged(line: list[str]) -> dict[str, Any] | None:
    """What a refresh answers that was made before and has nothing to do; most of the package is not imported for it."""
    if line[:1] != ["refresh"] or any(word.startswith("-") and "=" in word for word in line):
        return None
    named = again.named_store(line) or os.environ.get("SPEECHMILL_STORE", "")
    if is_remote(named):
        return None
    store = open_store(named or None)
    key = again.refresh_key(line, store)
    return None if key is None else again.unchanged_answer(store, key)


def _command(name: str) -> Callable[[argparse.Namespace], int]:
    if name in _COMMANDS:
        return _COMMANDS[name]
    from corpora import upkeep_commands, version_commands
    from corpora.audit import commands as audit_commands
    from corpora.browsing import commands as browsing_commands
    from corpora.curation import commands as curation_commands
    from corpora.lineage import commands as lineage_commands

    rooms = (
        *(version_commands, upkeep_commands, audit_commands),
        *(curation_commands, browsing_commands, lineage_commands),
    )
    known: dict[str, Callable[[argparse.Namespace], int]] = {}
    for room in rooms:
        known |= room.COMMANDS
    return known[name]


if __name__ == "__main__":
    sys.exit(main())
