"""The wheel: where it keeps the rooms and the programs, and which extra brings a library that is missing.

In a checkout the rooms are found where they stand. In the wheel this package is called `speechmill` and the others lie in
`speechmill/rooms`, where no `import` of a user's finds them by chance; only the command puts that folder on the path.
"""

from __future__ import annotations

import configparser
import importlib.abc
import importlib.machinery
import importlib.metadata
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from ..errors import SpeechmillError

_PACKAGE = Path(__file__).resolve().parents[1]
ROOMS = _PACKAGE / "rooms"
PROGRAMS = _PACKAGE / "bin"
_EXTRAS = _PACKAGE / "extras.json"
_CHECKOUT = _PACKAGE.parent


class MissingPartError(SpeechmillError, ModuleNotFoundError):
    """A library that an extra of the wheel brings is not installed."""

    exit_status = 2


class _Missing(importlib.abc.MetaPathFinder):
    """Asked last of all: a module that nobody found, and that an extra would have brought."""

    def __init__(self, extras: dict[str, str]) -> None:
        self._extras = extras

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Raises MissingPartError for what an extra brings; None for all else."""
        extra = self._extras.get(fullname)
        if extra is None:
            return None
        raise MissingPartError(
            f"this needs {fullname}, which is not installed: pip install 'speechmill[{extra}]'", name=fullname
        )


def is_wheel() -> bool:
    """Whether this is the installed package, not a checkout."""
    return ROOMS.is_dir()


def enter() -> None:
    """Makes the rooms and programs of the wheel reachable, for this process and those it starts. In a checkout nothing."""
    if not is_wheel() or str(ROOMS) in sys.path:
        return
    sys.path.insert(0, str(ROOMS))
    for name, folder in (("PYTHONPATH", ROOMS), ("PATH", PROGRAMS)):
        before = os.environ.get(name)
        os.environ[name] = f"{folder}{os.pathsep}{before}" if before else str(folder)
    os.environ.setdefault("SPEECHMILL_ROOT", str(Path.cwd()))
    sys.meta_path.append(_Missing(json.loads(_EXTRAS.read_text(encoding="utf-8"))))


def has(room: str) -> bool:
    """Whether the room is there: all are in a checkout, some are not in the wheel."""
    return not is_wheel() or (ROOMS / room).is_dir()


def missing(error: ImportError) -> str:
    """The sentence for a library that is not there."""
    if isinstance(error, MissingPartError):
        return str(error)
    return f"{error}; in a checkout `make setup` brings it"


def program(name: str) -> Path | None:
    """A program that the wheel carries, or that the checkout built; None where it is not."""
    for folder in (PROGRAMS, _CHECKOUT / "build" / "native", _CHECKOUT / "build" / "kenlm" / "bin"):
        if (folder / name).is_file() and (is_wheel() or folder is not PROGRAMS):
            return folder / name
    return None


def version() -> str:
    """The version: of the installed wheel, else what setup.cfg says."""
    if is_wheel():
        return importlib.metadata.version("speechmill")
    said = configparser.ConfigParser()
    said.read(_CHECKOUT / "setup.cfg", encoding="utf-8")
    return said.get("metadata", "version", fallback="unknown")
