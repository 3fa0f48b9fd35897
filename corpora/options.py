"""Choices that an importer offers: one table each, the same on the command line and in the DAG's form.

An importer lists its `Option`s in `options`; `--name VALUE` of `refresh` (and a key of the form's `options`)
is checked against that table. What was chosen stands in the manifest; a file by its hash, never by its path.
Nothing here knows what a choice does.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from store.errors import UsageError

SWITCH = ("no", "yes")


@dataclass(frozen=True)
class Option:
    """One choice.

    Attributes:
        name: as a key; `--name` on the command line with dashes for underscores.
        says: half a sentence for the help.
        values: what is allowed, the default first; `SWITCH` = a flag; () = anything, default none.
        is_file: the value is the path of a file.
    """

    name: str
    says: str
    values: tuple[str, ...] = ()
    is_file: bool = False

    @property
    def flag(self) -> str:
        """The option on the command line."""
        return "--" + self.name.replace("_", "-")


ACCEPT_CHECKSUM = Option(
    "accept_checksum_mismatch", "keep recordings whose SPHERE checksum does not agree, flagged", SWITCH
)


def options_of(importer: Any) -> tuple[Option, ...]:
    """The importer's table; an importer without one offers no choice."""
    return tuple(getattr(importer, "options", ()))


def checked(importer: Any, given: Mapping[str, Any]) -> dict[str, str]:
    """What was chosen and the defaults of the rest; what has no default is left out.

    Raises:
        UsageError: no such option, a value that is not allowed, or a file that does not exist.
    """
    table = {option.name: option for option in options_of(importer)}
    for name in given:
        if name not in table:
            there = ", ".join(option.flag for option in table.values()) or "none"
            raise UsageError(f"importer {importer.name!r} has no option {name!r}; it has: {there}")
    chosen = {option.name: option.values[0] for option in table.values() if option.values}
    for name, value in given.items():
        if table[name].values and str(value) not in table[name].values:
            allowed = ", ".join(table[name].values)
            raise UsageError(f"{table[name].flag} {str(value)!r} is not allowed; allowed: {allowed}")
        if table[name].is_file and not Path(value).is_file():
            raise UsageError(f"{table[name].flag}: the file {value} does not exist")
        chosen[name] = str(value)
    return chosen


def recorded(importer: Any, given: Mapping[str, Any]) -> dict[str, str]:
    """What differs from the defaults, for the manifest: values as they are, files by their SHA-256.

    Raises what `checked` raises.
    """
    table = {option.name: option for option in options_of(importer)}
    said = {}
    for name, value in sorted(checked(importer, given).items()):
        if table[name].is_file:
            said[name] = "sha256:" + hashlib.sha256(Path(value).read_bytes()).hexdigest()
        elif value != (table[name].values or ("",))[0]:
            said[name] = value
    return said


def add_arguments(parser: argparse.ArgumentParser, importers: Mapping[str, Any]) -> None:
    """Give the parser a flag for every option of every importer; `given` reads them back."""
    users: dict[str, list[str]] = {}
    options: dict[str, Option] = {}
    for name, importer in importers.items():
        for option in options_of(importer):
            options.setdefault(option.name, option)
            users.setdefault(option.name, []).append(name)
    group = parser.add_argument_group("options of single importers")
    for name, option in sorted(options.items()):
        says = f"{option.says} ({', '.join(users[name])})"
        target = f"option_{name}"
        if option.values == SWITCH:
            group.add_argument(option.flag, dest=target, action="store_const", const="yes", help=says)
        elif option.values:
            listed = ", ".join(option.values)
            group.add_argument(option.flag, dest=target, metavar="VALUE", help=f"{says}: {listed}")
        else:
            group.add_argument(
                option.flag, dest=target, metavar="FILE" if option.is_file else "TEXT", help=says
            )


def given(args: argparse.Namespace) -> dict[str, str]:
    """The options that were named on the command line."""
    prefix = "option_"
    return {
        name.removeprefix(prefix): value
        for name, value in sorted(vars(args).items())
        if name.startswith(prefix) and value is not None
    }
