"""The sub-commands: which room's program each of them runs, and the extra that brings what it needs."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from types import ModuleType


@dataclass(frozen=True)
class Command:
    """One sub-command.

    Attributes:
        room: whose `__main__` runs; None = the C++ program speechmill-decode.
        words: what stands before the user's words: a command of that program.
        extra: of the wheel, which brings the libraries it needs; empty = numpy alone.
    """

    name: str
    text: str
    room: str | None
    words: tuple[str, ...] = ()
    extra: str = ""


_ALL = (
    Command(
        "corpora",
        "archives → checked corpora: doctor, refresh, audit, show, export …",
        "corpora",
        (),
        "corpora",
    ),
    Command("lm", "text → language model: build, adopt, query, show, verify …", "lm"),
    Command(
        "training", "corpora → network → word error rate: run, evaluate, release …", "training", (), "train"
    ),
    Command("decode", "log-probabilities (.npy) → text", None),
    Command("score", "error rates of anybody's transcripts: --ref R --hyp H", "scoring", ("score",)),
    Command("transcribe", "sound files → text with times", "training", ("transcribe",), "train"),
    Command("align", "long recordings beside their text → segments", "training", ("align",), "train"),
    Command("store", "what is published: list, push, pull, check", "store"),
    Command("collect", "the recording and listening service", "collect", (), "collect"),
    Command("airflow", "start, stop and look at the Airflow of a checkout", "launcher", (), "airflow"),
)
COMMANDS = {command.name: command for command in _ALL}


def parser_of(module: ModuleType) -> argparse.ArgumentParser | None:
    """The parser of a room's program; None where the program builds it as it runs."""
    make = getattr(module, "_parser", None) or getattr(module, "parser", None)
    made = make() if callable(make) else None
    return made if isinstance(made, argparse.ArgumentParser) else None
