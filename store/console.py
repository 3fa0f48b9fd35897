"""What every command line of the project shares: errors as sentences, JSON or text, progress.

Libraries log; commands print one JSON object with --json, or a text for people; everything else goes
to standard error.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from native.errors import SpeechmillError

INTERRUPTED = 130


def run_command(function: Callable[[], int | None]) -> int:
    """Run a command and turn its end into an exit status.

    A `SpeechmillError` becomes its sentence on standard error and its own status, Ctrl-C 130, a closed
    pipe 0, anything else (a fault of ours) a traceback and 1.
    """
    try:
        return function() or 0
    except SpeechmillError as error:
        sys.stderr.write(f"{error}\n")
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
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False) if as_json else human_text
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def in_red(text: str) -> str:
    """The text in red where a terminal shows standard output, else as it is."""
    return f"\033[31m{text}\033[0m" if sys.stdout.isatty() else text


def configure_logging(level: int = logging.INFO) -> None:
    """Logs to standard error, one line each; called by commands only."""
    logging.basicConfig(
        level=level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )
    for chatty in ("aiobotocore", "botocore"):  # each says on every start where it found its keys
        logging.getLogger(chatty).setLevel(level if level < logging.INFO else logging.WARNING)


def use_store_tmp(store_root: Path) -> None:
    """Put temporary files beside the store, unless $TMPDIR names a place; called by commands only."""
    if "TMPDIR" not in os.environ:
        place = store_root.parent / "tmp"
        place.mkdir(parents=True, exist_ok=True)
        os.environ["TMPDIR"] = tempfile.tempdir = str(place)


def format_duration(seconds: float) -> str:
    """`95` → `1 min 35 s`; `4000` → `1 h 07 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


class ByteProgress:
    """Live progress of one transfer: bytes, rate, time left. A bar on a terminal, otherwise a log line now and then."""

    def __init__(self, label: str, every_s: float = 10.0) -> None:
        from rich import progress as bars
        from rich.console import Console

        self.label, self.every_s = label, every_s
        self._bar = bars.Progress(
            bars.TextColumn("{task.description}"),
            bars.BarColumn(),
            bars.DownloadColumn(),
            bars.TransferSpeedColumn(),
            bars.TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task(label, total=None)
        self._log = logging.getLogger("progress")
        self._began_s = self._last_s = time.monotonic()
        self._begun_at = -1

    def __enter__(self) -> ByteProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def update(self, done: int, total: int | None) -> None:
        """Show how many bytes of how many are there; `total` None = not known."""
        self._bar.update(self._task, completed=done, total=total)
        now_s = time.monotonic()
        self._begun_at = done if self._begun_at < 0 else self._begun_at
        if self._bar.disable and now_s - self._last_s >= self.every_s:
            self._last_s = now_s
            per_s = max(done - self._begun_at, 1) / (now_s - self._began_s)
            left = (
                f" of {total / 1e6:.0f} MB, {format_duration((total - done) / per_s)} left"
                if total
                else " MB"
            )
            self._log.info("%s: %.0f%s, %.1f MB/s", self.label, done / 1e6, left, per_s / 1e6)


class Progress:
    """Live progress: done/total, hours, rejected, rate and the time left.

    On a terminal one line that changes; otherwise (a file, a task log) one log line every few seconds.
    Use it as a context manager and call `update` with running totals.
    """

    def __init__(self, label: str, total: float, unit: str = "items", every_s: float = 5.0) -> None:
        self.label, self.total, self.unit, self.every_s = label, total, unit, every_s
        self._live: Any = None
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.live import Live

            self._live = Live(console=Console(stderr=True), transient=True, refresh_per_second=4)
        self._log = logging.getLogger("progress")
        self._started_s = self._last_s = time.monotonic()
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
        """Show where it stands.

        Args:
            done: as much of `total` as is finished, in the same measure.
            items, hours, rejected: running totals.
        """
        now_s = time.monotonic()
        elapsed_s = max(now_s - self._started_s, 1e-6)
        fraction = min(done / self.total, 1.0) if self.total else 1.0
        left_s = elapsed_s * (1 - fraction) / fraction if fraction > 0 else 0.0
        eta = f", {format_duration(left_s)} left" if 0 < fraction < 1 else ""
        rate = (
            f"{hours * 3600 / elapsed_s:.0f}× real time"
            if hours
            else f"{items / elapsed_s:.0f} {self.unit}/s"
        )
        done_so_far = f"{items} {self.unit}, {hours:.2f} h, {rejected} rejected"
        self.line = f"{self.label}: {fraction:.0%}, {done_so_far}, {rate}{eta}"
        if self._live is not None:
            from rich.text import Text

            self._live.update(Text(self.line))
        elif now_s - self._last_s >= self.every_s:
            self._last_s, self._told = now_s, self.line
            self._log.info("%s", self.line)
