"""Start, stop, look at and keep Airflow: python -m launcher start | run | stop | status | logs | users | backup | …

Everything on 127.0.0.1, secrets made on the first start. A second start says that Airflow already runs. Works from any
directory and beside the Airflow of another checkout: the home ($AIRFLOW_HOME, var/airflow) and the port
($SPEECHMILL_PORT, else 8080 or the next free one) are its own.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from launcher import lifecycle, upkeep
from launcher.files import LaunchError
from launcher.home import DEFAULT_PORT, Home
from launcher.users import ROLES

Answer = tuple[dict[str, Any], str]
_HELP = {
    "start": "bring it up in the background, or find it running",
    "run": "bring it up and stay in the foreground, for systemd",
    "stop": "end it, and the training jobs it started here",
    "status": "what runs, and where; exit status 3 if it does not",
    "logs": "the newest lines of every component",
    "users": "who may log in: list, add, remove, password",
    "backup": "database, secrets and users into a folder",
    "restore": "bring a backup back",
    "clean": "remove old records and task logs",
    "move-database": "from SQLite into the server that SPEECHMILL_DB names",
    "supervise": argparse.SUPPRESS,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m launcher", description=__doc__.split("\n", maxsplit=1)[0]
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    made = {name: commands.add_parser(name, help=text) for name, text in _HELP.items()}
    made["logs"].add_argument("--lines", type=int, default=20, help="of each component")
    people = made["users"]
    people.add_argument("action", nargs="?", choices=["list", "add", "remove", "password"], default="list")
    people.add_argument("name", nargs="?", metavar="NAME")
    people.add_argument("--role", choices=list(ROLES), default="reader")
    made["backup"].add_argument("to", type=Path, metavar="DIR", help="a folder on another disk")
    made["backup"].add_argument("--keep", type=int, default=14, help="newest backups that stay there")
    made["restore"].add_argument(
        "source", type=Path, metavar="DIR", help="a backup, or the folder of backups"
    )
    made["restore"].add_argument("--replace", action="store_true", help="also over a database that is there")
    made["clean"].add_argument("--days", type=int, default=90, help="what is younger stays")
    for command in made.values():
        command.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _users(home: Home, options: argparse.Namespace) -> Answer:
    users = home.users
    home.make()
    if options.action != "list" and not options.name:
        raise LaunchError(f"users {options.action}: name somebody")
    hint = "it holds from the next python -m launcher start"
    if options.action == "add":
        password = users.add(options.name, options.role)
        return {"user": options.name, "password": password}, f"{options.name}: password {password}; {hint}"
    if options.action == "remove":
        users.remove(options.name)
        return {"removed": options.name}, f"{options.name} is out; {hint}"
    if options.action == "password":
        password = users.new_password(options.name)
        return {"user": options.name, "password": password}, f"{options.name}: password {password}"
    roles = users.roles()
    lines = [f"{name:20} {role}" for name, role in roles.items()]
    return {"users": roles}, "\n".join([*lines, f"passwords: {home.secrets / 'passwords.json'}"])


def _backup(home: Home, options: argparse.Namespace) -> Answer:
    done = upkeep.backup(home, os.environ, options.to, options.keep)
    removed = f"; removed {', '.join(done['removed'])}" if done["removed"] else ""
    return done, f"{done['backup']}: {done['bytes'] / 1e6:.1f} MB{removed}"


def _restore(home: Home, options: argparse.Namespace) -> Answer:
    if any(lifecycle.look(home)["components"].values()):
        raise LaunchError("Airflow runs: python -m launcher stop first")
    done = upkeep.restore(home, os.environ, options.source, options.replace)
    return done, f"{done['restored']} is back in {done['home']}; its store was {done['store']}"


def _environment(home: Home) -> dict[str, str]:
    home.make()
    port = int(lifecycle.read_state(home).get("port", DEFAULT_PORT))
    return home.environment(os.environ, port)


def _clean(home: Home, options: argparse.Namespace) -> Answer:
    done = upkeep.clean(home, _environment(home), options.days)
    megabytes = done["log_bytes"] / 1e6
    return (
        done,
        f"records before {done['before']} are gone, and {done['log_files']} log files ({megabytes:.1f} MB)",
    )


def _move_database(home: Home, _options: argparse.Namespace) -> Answer:
    if any(lifecycle.look(home)["components"].values()):
        raise LaunchError("Airflow runs: python -m launcher stop first")
    environment = _environment(home)
    if environment.get("SPEECHMILL_DB"):
        lifecycle.migrate(home, environment)
    done = upkeep.move_database(home, environment)
    return (
        done,
        f"{done['rows']} rows in {len(done['tables'])} tables; {home.path / 'airflow.db'} stays as it was",
    )


_KEEPING: dict[str, Callable[[Home, argparse.Namespace], Answer]] = {
    "users": _users,
    "backup": _backup,
    "restore": _restore,
    "clean": _clean,
    "move-database": _move_database,
}


def main(arguments: list[str] | None = None) -> int:
    """The command line; 0 done, 1 failed, 3 (status) not running."""
    options = _parser().parse_args(arguments)
    try:
        return _do(Home.of(os.environ), options)
    except LaunchError as error:
        lifecycle.say(f"airflow: {error}")
        return 1


def _do(home: Home, options: argparse.Namespace) -> int:
    if options.command == "supervise":
        lifecycle.supervise(home)
    elif options.command == "run":
        lifecycle.run(home)
    elif options.command == "stop":
        print(lifecycle.stop(home))
    elif options.command == "logs":
        print(lifecycle.logs(home, options.lines))
    elif options.command in _KEEPING:
        said, told = _KEEPING[options.command](home, options)
        print(json.dumps(said) if options.json else told)
    else:
        status = lifecycle.start(home) if options.command == "start" else lifecycle.look(home)
        print(json.dumps(status) if options.json else lifecycle.summary(status))
        return 0 if status["running"] else 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
