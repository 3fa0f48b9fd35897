"""How far the reading of text has come: share of the bytes, sentences, rate and the time left.

On a terminal one line that changes; otherwise (a file, a task log) one log line every few seconds.
"""

from __future__ import annotations

import logging
import sys
import time
from types import TracebackType
from typing import Any

from store.console import format_duration

SAY_EVERY_S = 5.0
_log = logging.getLogger(__name__)


class TextProgress:
    """Shows the progress of one pass over `total_bytes` of files. Use it as a context manager."""

    def __init__(self, total_bytes: int, every_s: float = SAY_EVERY_S) -> None:
        self._total_bytes, self._every_s = max(total_bytes, 1), every_s
        self._began_s = self._said_s = time.monotonic()
        self._live: Any = None
        self.line = ""

    def __enter__(self) -> TextProgress:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.live import Live

            self._live = Live(console=Console(stderr=True), transient=True, refresh_per_second=4)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def update(self, name: str, done_bytes: int, sentences: int, words: int) -> None:
        """Takes running totals: bytes of the files read so far (compressed as they are), sentences, words."""
        now_s = time.monotonic()
        if self._live is None and now_s - self._said_s < self._every_s:
            return
        elapsed_s = max(now_s - self._began_s, 1e-6)
        done = min(done_bytes / self._total_bytes, 1.0)
        left = f", {format_duration(elapsed_s * (1 - done) / done)} left" if 0 < done < 1 else ""
        self.line = (
            f"{name}: {done:.0%} of the text, {sentences:,} sentences, {words:,} words, "
            f"{words / elapsed_s:,.0f} words/s{left}"
        )
        self._said_s = now_s
        if self._live is None:
            _log.info("%s", self.line)
        else:
            from rich.text import Text

            self._live.update(Text(self.line))
