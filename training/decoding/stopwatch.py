"""Wall and CPU time of a part of the work, added up over many entries."""

from __future__ import annotations

import time
from types import TracebackType


class Stopwatch:
    """A context manager entered as often as needed; `wall_s` and `cpu_s` (all threads) add up, in seconds."""

    def __init__(self) -> None:
        self.wall_s = 0.0
        self.cpu_s = 0.0
        self._started = (0.0, 0.0)

    def __enter__(self) -> Stopwatch:
        self._started = (time.perf_counter(), time.process_time())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.wall_s += time.perf_counter() - self._started[0]
        self.cpu_s += time.process_time() - self._started[1]
