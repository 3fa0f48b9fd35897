"""How often somebody may call: token buckets by voice and by address, in memory, for one process."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from collect.errors import TooManyError

_MOST_BUCKETS = 50_000


class Rates:
    """Token buckets: (calls, seconds) fill evenly, and a full bucket may be emptied at once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}
        self._lock = threading.Lock()

    def spend(self, kind: str, who: str, rate: tuple[int, int]) -> None:
        """Take one call of `who` from the bucket of `kind`.

        Raises:
            TooManyError: it is empty; says when it will not be.
        """
        most, per_s = rate
        now_s = self._clock()
        with self._lock:
            if len(self._buckets) >= _MOST_BUCKETS:
                self._forget(now_s)
            left, since_s = self._buckets.get((kind, who), (float(most), now_s))
            left = min(float(most), left + (now_s - since_s) * most / per_s)
            if left < 1.0:
                wait_s = math.ceil((1.0 - left) * per_s / most)
                self._buckets[kind, who] = (left, now_s)
                raise TooManyError("too many calls: try again in {seconds} s", wait_s, seconds=wait_s)
            self._buckets[kind, who] = (left - 1.0, now_s)

    def _forget(self, now_s: float) -> None:
        """Drop the half that was used longest ago."""
        by_age = sorted(self._buckets, key=lambda key: self._buckets[key][1])
        for key in by_age[: len(by_age) // 2]:
            del self._buckets[key]
