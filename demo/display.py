"""Progress in the terminal: one line per stage, alive on a terminal, plain lines otherwise.

Knows nothing of what the stages are; keeps the seconds each one took.
"""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.table import Table

_PLAIN_EVERY_S = 10.0


class Display:
    """A context manager: `stage(name)` begins a stage, `say(text)` changes its line; `seconds` of each."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, soft_wrap=True, highlight=False)
        self.seconds: dict[str, float] = {}
        self._lines: dict[str, str] = {}
        self._stage = ""
        self._began_s = self._spoke_s = time.monotonic()
        self._live = (
            Live(console=self.console, get_renderable=self._table, refresh_per_second=2)
            if self.console.is_terminal
            else None
        )

    def __enter__(self) -> Display:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close(failed=kind is not None)
        if self._live is not None:
            self._live.stop()

    def stage(self, name: str) -> None:
        """End the stage before and begin this one."""
        if name == self._stage:
            return
        self._close()
        self._stage, self._began_s, self._spoke_s = name, time.monotonic(), 0.0
        self._lines[name] = ""

    def say(self, text: str) -> None:
        """What the present stage is doing: done/total, hours, rejections, time left."""
        changed = text != self._lines.get(self._stage)
        self._lines[self._stage] = text
        if self._live is None and changed and time.monotonic() - self._spoke_s > _PLAIN_EVERY_S:
            self._print(text)

    def _print(self, text: str) -> None:
        self._spoke_s = time.monotonic()
        self.console.print(f"{self._stage}: {text}", markup=False)
        sys.stderr.flush()

    def _close(self, failed: bool = False) -> None:
        if not self._stage:
            return
        took_s = time.monotonic() - self._began_s
        self.seconds[self._stage] = round(self.seconds.get(self._stage, 0.0) + took_s, 1)
        line = self._lines[self._stage]
        ending = "failed" if failed else "done"
        self._lines[self._stage] = (
            f"{line} — {ending}, {took_s:.1f} s" if line else f"{ending}, {took_s:.1f} s"
        )
        if self._live is None:
            self._print(self._lines[self._stage])
        self._stage = ""

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for name, text in list(self._lines.items()):
            running = name == self._stage
            took = f"{time.monotonic() - self._began_s:.0f} s" if running else ""
            table.add_row(f"[bold]{name}[/bold]" if running else name, text.replace("[", r"\["), took)
        return table
