"""The command line of `python -m corpora`: its commands and their options."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from corpora.importers import IMPORTERS, get_importer
from corpora.options import add_arguments
from store.console import program_name
from store.errors import UsageError
from store.shared.places import as_place

_ALONE = {
    "trace": "corpora.lineage.commands",
    "lineage": "corpora.lineage.commands",
    "index": "corpora.browsing.commands",
}


class _Parser(argparse.ArgumentParser):
    """Usage errors as our own, so that they end like all others: one sentence and status 2."""

    def error(self, message: str) -> Any:
        raise UsageError(f"{self.prog}: {message}; see {self.prog} --help")


def parse(line: list[str]) -> argparse.Namespace:
    """What a command line says; `line` itself is kept beside it.

    A refresh that names its importer first is read with that importer's options alone, so that the other importers
    are imported only for a line that cannot be read so; commands that need no importer are read without any.

    Raises:
        UsageError: it cannot be read; says what is wrong.
    """
    if line[:1] == ["refresh"] and line[1:2] and line[1] in IMPORTERS and not {"-h", "--help"} & {*line}:
        lean, refresh_of = _begun()
        with suppress(UsageError):  # told by the whole parser
            _shared_arguments(_refresh_parser(refresh_of, [line[1]]))
            return lean.parse_args(line, argparse.Namespace(line=line))
    if line[:1] and line[0] in _ALONE and not {"-h", "--help"} & {*line}:
        lean, add = _begun()
        with suppress(UsageError):
            for command in import_module(_ALONE[line[0]]).add_parsers(add):
                _shared_arguments(command)
            return lean.parse_args(line, argparse.Namespace(line=line))
    return parser().parse_args(line, argparse.Namespace(line=line))


def _begun() -> tuple[argparse.ArgumentParser, Callable[..., Any]]:
    """A parser without commands, and what adds one."""
    whole = _Parser(prog=program_name("corpora"), description="Archives become validated corpora.")
    return whole, whole.add_subparsers(dest="command", required=True, metavar="COMMAND").add_parser


def parser() -> argparse.ArgumentParser:
    """All commands with all their options."""
    from corpora import upkeep_commands, version_commands
    from corpora.audit import commands as audit_commands
    from corpora.browsing import commands as browsing_commands
    from corpora.curation import commands as curation_commands
    from corpora.exports import FORMS
    from corpora.lineage import commands as lineage_commands

    whole, add = _begun()
    listing = add("list", help="published corpora and the importers there are")
    listing.add_argument("--quarantine", action="store_true", help="what may not be learnt from, instead")
    doctor = add("doctor", help="which corpus a source is and what a refresh would do")
    doctor.add_argument("source", nargs="+", type=Path, metavar="SOURCE")
    doctor.add_argument("--donation", type=Path, metavar="FILE")
    doctor.add_argument(
        "--draft-alphabet", type=Path, metavar="FILE", help="write the letters of its texts here"
    )
    download = add("download", help="fetch the archives of LibriSpeech or TED-LIUM")
    download.add_argument("importer", metavar="IMPORTER", help="librispeech or tedlium")
    download.add_argument("--parts", nargs="*", default=[], metavar="PART", help="none: the list of parts")
    download.add_argument(
        "--to", type=Path, required=True, metavar="DIR", help="where the archives shall lie"
    )
    refresh = _refresh_parser(add, [*IMPORTERS])
    renew = add("renormalise", help="make the texts of a published corpus anew by the rules of today")
    renew.add_argument("name", metavar="NAME")
    show = add("show", help="the manifest of a published corpus")
    report = add("report", help="write the quality report of a published corpus as one HTML page")
    export = add("export", help="write a published corpus in the form another tool reads")
    export.add_argument("--form", required=True, metavar="FORM", help=", ".join(FORMS))
    export.add_argument(
        "--to", type=Path, required=True, metavar="DIR", help="a new folder, or an earlier export"
    )
    export.add_argument("--splits", nargs="+", default=[], metavar="SPLIT", help="default: all")
    export.add_argument("--for-own-use", action="store_true", help="the copy is not passed on")
    for command in (show, report, export):
        command.add_argument("name", metavar="NAME")
        command.add_argument("--version", metavar="VERSION", help="default: the current one")
    more = [
        *version_commands.add_parsers(add),
        *upkeep_commands.add_parsers(add),
        *audit_commands.add_parsers(add),
        *curation_commands.add_parsers(add),
        *browsing_commands.add_parsers(add),
        *lineage_commands.add_parsers(add),
    ]
    for command in (listing, doctor, download, refresh, renew, show, report, export, *more):
        _shared_arguments(command)
    return whole


def _shared_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--store", type=as_place, metavar="DIR", help="the store: a folder, or s3://bucket/prefix"
    )
    command.add_argument("--json", action="store_true", help="one JSON object on standard output")
    command.add_argument("--verbose", action="store_true", help="log more on standard error")


def _refresh_parser(add: Callable[..., Any], importers: list[str]) -> Any:
    """The command `refresh`, with the options of these importers."""
    refresh = add("refresh", help="import a source and publish it")
    refresh.add_argument("importer", metavar="IMPORTER", help=", ".join(IMPORTERS))
    refresh.add_argument(
        "--source",
        nargs="+",
        type=as_place,
        required=True,
        metavar="PATH",
        help="folders or archives, or s3://…",
    )
    refresh.add_argument("--as", dest="name", metavar="NAME", help="publish under this name")
    refresh.add_argument("--donation", type=Path, metavar="FILE", help="a donation.toml for donated archives")
    refresh.add_argument(
        "--alphabet", type=Path, metavar="FILE", help="the letters of its language, kept for it in the store"
    )
    refresh.add_argument(
        "--no-align",
        action="store_true",
        help="leave text without times waiting, also where a released model could find them",
    )
    refresh.add_argument("--workers", type=int, default=1, metavar="N", help="processes (default 1)")
    refresh.add_argument(
        "--dask", metavar="ADDRESS", help="a Dask scheduler that does the work, or slurm (then N jobs)"
    )
    refresh.add_argument(
        "--threshold",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="another limit of a check, see show",
    )
    add_arguments(refresh, {name: get_importer(name) for name in importers})
    return refresh
