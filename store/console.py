"""What every command line of the project shares: errors as sentences, JSON or text, progress.

Libraries log; commands print one JSON object with --json, or a text for people; everything else goes
to standard error.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from native.errors import SpeechmillError
from store.writing import plain_json

if TYPE_CHECKING:
    from typing import Self

INTERRUPTED = 130
_RED = ("\x1b[31m", "\x1b[0m")
_UNPRINTABLE = re.compile(
    r"\x1b\[31m|\x1b\[0m|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def program_name(room: str) -> str:
    """What a room's program is called in its usage: `speechmill lm` where it is that command's, else `python -m lm`."""
    called = sys.argv[0]
    return called if called == "speechmill" or called.startswith("speechmill ") else f"python -m {room}"


def run_command(function: Callable[[], int | None]) -> int:
    """Run a command and turn its end into an exit status.

    A `SpeechmillError` becomes its sentence on standard error and its own status, Ctrl-C 130, a closed
    pipe 0, anything else (a fault of ours) a traceback and 1.
    """
    try:
        return function() or 0
    except SpeechmillError as error:
        sys.stderr.write(f"{printable(str(error))}\n")
        return error.exit_status
    except KeyboardInterrupt:
        sys.stderr.write("stopped; run the same command again to go on, finished work is kept\n")
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except Exception:
        traceback.print_exc()
        return 1


def emit(value: Any, as_json: bool, human_text: str) -> None:
    """Print one JSON object, or the text for people, on standard output."""
    if as_json:
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False, default=plain_json)
    else:
        text = printable(human_text)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def printable(text: str) -> str:
    """The text with what a terminal would obey written out: control characters, and signs that turn a line round.

    Names come from strangers' archives. Line ends, tabs and the red of `in_red` stay.
    """
    return _UNPRINTABLE.sub(lambda found: found[0] if found[0] in _RED else _written_out(found[0]), text)


def _written_out(sign: str) -> str:
    return "".join(f"\\x{ord(c):02x}" if ord(c) < 0x100 else f"\\u{ord(c):04x}" for c in sign)


class _Formatter(logging.Formatter):
    """One line per message, without anything that a terminal would obey."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


def in_red(text: str) -> str:
    """The text in red where a terminal shows standard output, else as it is."""
    return text.join(_RED) if sys.stdout.isatty() else text


def configure_logging(level: int = logging.INFO) -> None:
    """Logs to standard error, one line each; called by commands only."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in ("aiobotocore", "botocore"):  # each says on every start where it found its keys
        logging.getLogger(chatty).setLevel(level if level < logging.INFO else logging.WARNING)


def use_store_tmp(store_root: Path) -> None:
    """Put temporary files beside the store, unless $TMPDIR names a place; called by commands only."""
    if "TMPDIR" not in os.environ:
        place = store_root.parent / "tmp"
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError:  # a store that can only be read is read with the system's own place
            return
        import tempfile  # not for those who write no temporary file

        os.environ["TMPDIR"] = tempfile.tempdir = str(place)


def format_duration(seconds: float) -> str:
    """`95` → `1 min 35 s`; `4000` → `1 h 07 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


class Progress:
    """Live progress of any work: how much of it is done, what came of it, and the time left.

    On a terminal one line that changes; otherwise (a file, a task log) one log line every few seconds. Use it as a
    context manager and call one of the three with running totals: `update` for utterances, `transferred` for bytes,
    `show` for words of your own.

    Args:
        total: of the measure that `done` is told in; None = not known (yet).
        unit: what `items` are.
    """

    def __init__(
        self, label: str, total: float | None = None, unit: str = "items", every_s: float = 5.0
    ) -> None:
        self.label, self.total, self.unit, self.every_s = label, total, unit, every_s
        self._live: Any = None
        if sys.stderr.isatty():
            with contextlib.suppress(ImportError):  # a wheel without extras has no rich: lines, as in a file
                from rich.console import Console
                from rich.live import Live

                self._live = Live(console=Console(stderr=True), transient=True, refresh_per_second=4)
        self._log = logging.getLogger("progress")
        self._started_s = self._last_s = time.monotonic()
        self._begun_at: float | None = None
        self.line = self._told = ""

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
        if self.line != self._told:
            self._log.info("%s", self.line)

    def update(self, done: float, items: int = 0, hours: float = 0.0, rejected: int = 0) -> None:
        """Utterances: `done` as much of the total as is finished, the others running totals."""

        def words(elapsed_s: float) -> str:
            rate = (
                f"{hours * 3600 / elapsed_s:.0f}× real time"
                if hours
                else f"{items / elapsed_s:.0f} {self.unit}/s"
            )
            return f"{items} {self.unit}, {hours:.2f} h, {rejected} rejected, {rate}"

        self.show(done, words)

    def transferred(self, done: int, total: int | None) -> None:
        """Bytes that are there, of how many; the rate counts from the first call, where a transfer may go on."""
        self.total = total
        self._begun_at = done if self._begun_at is None else self._begun_at
        fresh = done - self._begun_at
        self.show(done, lambda elapsed_s: f"{done / 1e6:.0f} MB, {fresh / 1e6 / elapsed_s:.1f} MB/s")

    def show(self, done: float, words: Callable[[float], str]) -> None:
        """Say where it stands.

        Args:
            done: as much of `total` as is finished, in the same measure.
            words: of the seconds since the beginning, what came of it so far; how it is told.
        """
        now_s = time.monotonic()
        elapsed_s = max(now_s - self._started_s, 1e-6)
        share = left = ""
        if self.total is not None:
            fraction = min(done / self.total, 1.0) if self.total else 1.0
            begun = (self._begun_at or 0.0) / self.total if self.total else 0.0
            if begun < fraction < 1:
                left = f", {format_duration(elapsed_s * (1 - fraction) / (fraction - begun))} left"
            share = f" {fraction:.0%},"
        self.line = f"{self.label}:{share} {words(elapsed_s)}{left}"
        if self._live is not None:
            from rich.text import Text

            self._live.update(Text(self.line))
        elif now_s - self._last_s >= self.every_s:
            self._last_s, self._told = now_s, self.line
            self._log.info("%s", self.line)
