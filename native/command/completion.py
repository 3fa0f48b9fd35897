"""Completion: the shell asks `speechmill __complete WORD…`, the last word being the one at the cursor.

Answers come from the programs' own parsers, so they never lag behind. Where nothing of ours fits, the shell offers files.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import sys
from collections.abc import Sequence

from .table import COMMANDS, parser_of

ASK = "__complete"
SCRIPTS = {
    "bash": """_speechmill() {
  local IFS=$'\\n'
  COMPREPLY=($(speechmill __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -o bashdefault -F _speechmill speechmill
""",
    "zsh": """#compdef speechmill
_speechmill() {
  local -a answers
  answers=("${(@f)$(speechmill __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  answers=("${(@)answers:#}")
  if (( ${#answers} )); then compadd -Q -- "${answers[@]}"; else _files; fi
}
if [ "$funcstack[1]" = "_speechmill" ]; then _speechmill; else compdef _speechmill speechmill; fi
""",
    "fish": """function __speechmill_answers
  set -l words (commandline -opc)
  set -l answers (speechmill __complete $words[2..-1] (commandline -ct) 2>/dev/null)
  if set -q answers[1]; printf '%s\\n' $answers; else; __fish_complete_path (commandline -ct); end
end
complete -c speechmill -f -a '(__speechmill_answers)'
""",
}
_HOW = {
    "bash": 'eval "$(speechmill completion bash)"      in ~/.bashrc',
    "zsh": 'eval "$(speechmill completion zsh)"       in ~/.zshrc, after compinit',
    "fish": "speechmill completion fish | source      in ~/.config/fish/config.fish",
}


def main(words: Sequence[str]) -> int:
    """`speechmill completion SHELL` prints the script; without a shell it says where each one goes."""
    if len(words) == 1 and words[0] in SCRIPTS:
        sys.stdout.write(SCRIPTS[words[0]])
        return 0
    sys.stderr.write("".join(f"{line}\n" for line in _HOW.values()))
    return 0 if not words or words[0] in ("-h", "--help") else 2


def answer(words: Sequence[str]) -> int:
    """Prints what may stand in the place of the last word, one a line."""
    for word in answers(words):
        sys.stdout.write(f"{word}\n")
    return 0


def answers(words: Sequence[str]) -> list[str]:
    """What may stand in the place of the last word, in order; empty where a file or a name of one's own belongs."""
    before, prefix = list(words[:-1]), words[-1] if words else ""
    if not before:
        found = [*COMMANDS, "completion", "--help", "--version"]
    elif before[0] == "completion":
        found = list(SCRIPTS) if len(before) == 1 else []
    else:
        found = _of_program(before, prefix)
    return sorted(word for word in found if word.startswith(prefix) and word)


def _of_program(before: list[str], prefix: str) -> list[str]:
    command = COMMANDS.get(before[0])
    if command is None or command.room is None:
        return []
    parser = None
    with contextlib.suppress(ImportError, SystemExit):
        parser = parser_of(importlib.import_module(f"{command.room}.__main__"))
    last = None
    for word in [*command.words, *before[1:]]:
        inner = _commands(parser)
        if inner is not None and word in inner:
            parser = inner[word]
        last = word
    if parser is None:
        return []
    value = next((a for a in parser._actions if last in a.option_strings and a.nargs != 0), None)
    if value is not None:
        return [str(choice) for choice in value.choices or ()]
    if prefix.startswith("-"):
        return [option for action in parser._actions for option in action.option_strings]
    return choices(parser)


def choices(parser: argparse.ArgumentParser) -> list[str]:
    """The commands of a parser, else the words that its positional arguments may be."""
    found = _commands(parser)
    if found is not None:
        return list(found)
    return [str(c) for a in parser._actions if not a.option_strings and a.choices for c in a.choices]


def _commands(parser: argparse.ArgumentParser | None) -> dict[str, argparse.ArgumentParser] | None:
    for action in parser._actions if parser is not None else ():
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return None
