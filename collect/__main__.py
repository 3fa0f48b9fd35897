"""`python -m collect serve | admin | campaign | invite | sentences | publish | withdraw | export`.

With --json one JSON object stands on standard output; logs go to standard error. Exit status: 0 done, 2 something
that was asked for cannot be done, 1 a fault of ours. Where data lie is said by the environment (settings.py).
"""

from __future__ import annotations

import argparse
import getpass
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from collect.errors import CollectError
from collect.settings import Settings
from store.console import configure_logging, emit, program_name, run_command


class _Parser(argparse.ArgumentParser):
    """Usage errors as our own: one sentence and status 2."""

    def error(self, message: str) -> Any:
        raise CollectError(f"{self.prog}: {message}; see {self.prog} --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=program_name("collect"), description="Volunteers read sentences and judge each other's clips."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="run the service on 127.0.0.1")
    serve.add_argument("--port", type=int, default=8090)
    admin = commands.add_parser("admin", help="add an admin; the password is asked for, or read from a pipe")
    admin.add_argument("name", metavar="NAME")
    _campaign_parser(commands)
    invite = commands.add_parser("invite", help="make an invite link")
    invite.add_argument("--uses", type=int, default=50)
    invite.add_argument("--days", type=float, default=30.0)
    invite.add_argument("--label", default="")
    invite.add_argument("--url", default="http://127.0.0.1:8090", help="where people reach the service")
    sentences = commands.add_parser("sentences", help="add sentences from a text file, one a line")
    sentences.add_argument("--text", type=Path, required=True, metavar="FILE")
    sentences.add_argument("--source", required=True, help="where they come from, for people")
    sentences.add_argument("--licence", required=True, help="SPDX, e.g. CC0-1.0")
    clips = commands.add_parser("clips", help="take in the clips of a Common Voice release, with their votes")
    clips.add_argument("--from-common-voice", type=Path, required=True, metavar="DIR")
    publish = commands.add_parser("publish", help="write the snapshot and refresh the corpus")
    how = publish.add_mutually_exclusive_group()
    how.add_argument("--airflow", action="store_true", help="only through Airflow's corpus_refresh")
    how.add_argument("--no-airflow", action="store_true", help="never through Airflow")
    withdraw = commands.add_parser("withdraw", help="withdraw a voice, or one clip of it")
    withdraw.add_argument("--voice", required=True, metavar="ID")
    withdraw.add_argument("--clip", metavar="ID")
    export = commands.add_parser("export", help="write a published campaign in the layout of another tool")
    export.add_argument("--layout", choices=("common-voice",), default="common-voice")
    export.add_argument("--to", type=Path, required=True, metavar="DIR")
    for named in (invite, sentences, clips, publish, withdraw, export):
        named.add_argument("campaign", metavar="CAMPAIGN")
    for every in commands.choices.values():
        every.add_argument("--json", action="store_true", help="one JSON object on standard output")
    return parser


def _campaign_parser(commands: Any) -> None:
    campaign = commands.add_parser("campaign", help="begin a campaign; without NAME: list them")
    campaign.add_argument("name", nargs="?", metavar="NAME", help="a–z, 0–9 and _; the corpus's name too")
    campaign.add_argument("--title", default="")
    campaign.add_argument("--language", default="en", help="BCP 47")
    campaign.add_argument("--licence", default="CC0-1.0", help="of the recordings, SPDX")
    campaign.add_argument("--about", default="")
    campaign.add_argument("--goal-hours", type=float, default=10.0)
    campaign.add_argument("--votes", type=int, default=2, help="equal votes that decide")
    campaign.add_argument("--takes", type=int, default=1, help="voices that read one sentence")
    campaign.add_argument("--open", action="store_true", help="anybody may join without an invite")
    campaign.add_argument(
        "--publish-every", type=float, metavar="SECONDS", help="publish by itself while it grows"
    )
    campaign.add_argument(
        "--consent", type=Path, metavar="FILE", help="the consent text in the campaign's language"
    )
    campaign.add_argument("--text", type=Path, metavar="FILE", help="sentences, one a line")
    campaign.add_argument("--source", default="", help="where they come from, for people")
    campaign.add_argument("--text-licence", default="CC0-1.0", help="of the sentences")
    campaign.add_argument(
        "--from-common-voice", type=Path, metavar="DIR", help="take the sentences of a release"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line and run; the exit status."""
    configure_logging(logging.INFO)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    return run_command(lambda: _run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    args = _parser().parse_args(arguments)
    settings = Settings.from_environment()
    if args.command == "serve":
        from collect.web.serving import serve

        return serve(settings, args.port)
    from collect import commands

    if args.command == "admin":
        args.password = _password()
    said, told = commands.run(settings, args)
    emit(said, args.json, told)
    return 0


def _password() -> str:
    """From the terminal, twice; from a pipe, its first line."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("password: ")
    if getpass.getpass("again: ") != password:
        raise CollectError("the two passwords differ")
    return password


if __name__ == "__main__":
    sys.exit(main())
