"""The one command: `speechmill SUBCOMMAND …` runs the program of a room; in the wheel, of those rooms it carries.

table.py  the sub-commands      completion.py  words for the shell's Tab      wheel.py  where the wheel keeps the rooms
"""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from . import completion, wheel
from .table import COMMANDS, Command, parser_of

_WIDTH = 12
_USAGE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one sub-command and returns its exit status (2: there is none of that name)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    first = words[0] if words else "--help"
    if first in ("-h", "--help", "help"):
        sys.stdout.write(help_text())
        return 0 if words else _USAGE
    if first == "--version":
        sys.stdout.write(f"speechmill {wheel.version()}\n")
        return 0
    wheel.enter()
    if first == "completion":
        return completion.main(words[1:])
    if first == completion.ASK:
        return completion.answer(words[1:])
    command = COMMANDS.get(first)
    if command is None:
        return _unknown("speechmill", first, COMMANDS)
    return _run(command, words[1:])


def help_text() -> str:
    """What `speechmill --help` prints: at most 25 lines."""
    lines = ["usage: speechmill COMMAND …      (speechmill COMMAND --help says more)", ""]
    lines += [f"  {command.name:<{_WIDTH}}{command.text}" for command in COMMANDS.values()]
    lines.append(f"  {'completion':<{_WIDTH}}print the completion for a shell: bash, zsh, fish")
    lines += ["", "--json prints one JSON object. The store is $SPEECHMILL_STORE, else var/store.", ""]
    return "\n".join(lines)


def _unknown(program: str, word: str, known: Sequence[str] | dict[str, Command]) -> int:
    near = difflib.get_close_matches(word, [*known], 1, 0.5)
    hint = f"did you mean `{program} {near[0]}`?" if near else f"there are: {', '.join(known)}"
    sys.stderr.write(f"{program}: no command {word!r}; {hint}\n")
    return _USAGE


def _run(command: Command, words: list[str]) -> int:
    if command.room is None:
        return _decode(words)
    if not wheel.has(command.room):
        sys.stderr.write(f"speechmill {command.name}: not part of the wheel, only of a checkout\n")
        return _USAGE
    try:
        module = importlib.import_module(f"{command.room}.__main__")
        parser = parser_of(module) if words and not words[0].startswith("-") and not command.words else None
        known = completion.choices(parser) if parser is not None else []
    except ImportError as error:
        sys.stderr.write(f"speechmill {command.name}: {wheel.missing(error)}\n")
        return _USAGE
    if known and words[0] not in known:
        return _unknown(f"speechmill {command.name}", words[0], known)
    sys.argv = ["speechmill" if command.words else f"speechmill {command.name}", *words]
    status: int = module.main([*command.words, *words])
    return status


def _decode(words: list[str]) -> int:
    """Gives way to the C++ program, which knows its options itself."""
    program = wheel.program("speechmill-decode")
    if program is None:
        sys.stderr.write("speechmill decode: the program is not built: run `make setup`\n")
        return 1
    sys.stdout.flush()
    os.execv(program, [str(Path(program).name), *words])  # never returns
