"""What a running training says of itself: speed, loss, waiting, padding, time left; one line now and then.

Also keeps the newest figures (`figures`) for the state file, the curves and the metrics. Writes no file.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator
from typing import Any

from training.network.dataset import Batch

log = logging.getLogger(__name__)
_LOG_EVERY_S = 5.0


class Progress:
    """Counters of the steps since this process began."""

    def __init__(self, first_step: int, steps: int, hop_s: float) -> None:
        self._first, self._steps, self._hop_s = first_step, steps, hop_s
        self._started = self._logged = time.monotonic()
        self._losses: list[float] = []
        self._frames = self._padded = 0
        self._waited_s = 0.0
        self._after_first = 0.0  # the first step traces the functions and says nothing about speed
        self.loss = math.nan

    def waits(self, batches: Iterator[Any]) -> Iterator[Any]:
        """The same batches; counts how long each is waited for."""
        begun = time.monotonic()
        for batch in batches:
            self._waited_s += time.monotonic() - begun
            yield batch
            begun = time.monotonic()

    def add(self, loss: float, batch: Batch | None) -> None:
        """A step was done; a loss that is not finite was not learnt from."""
        self._after_first = self._after_first or time.monotonic()
        if math.isfinite(loss):
            self._losses.append(loss)
        if batch is not None:
            self._frames += int(batch.lengths.sum())
            self._padded += batch.features.shape[0] * batch.features.shape[1]

    def eta_s(self, step: int) -> float | None:
        """Seconds left at the speed so far, None while it is unknown."""
        done = step - self._first - 1
        if done < 1:
            return None
        return round((time.monotonic() - self._after_first) / done * (self._steps - step), 1)

    def figures(self) -> dict[str, float]:
        """Shares are fractions; `hours_per_hour`: hours of speech learnt from in an hour."""
        elapsed = max(1e-9, time.monotonic() - self._started)
        return {
            "loss": self.loss,
            "frames_per_s": self._frames / elapsed,
            "hours_per_hour": self._frames * self._hop_s / elapsed,
            "input_bound": self._waited_s / elapsed,
            "padding": 1.0 - self._frames / max(1, self._padded),
        }

    def log_now_and_then(self, step: int, epoch: int, force: bool) -> bool:
        """One line, at most every few seconds unless forced; answers whether there was one."""
        now = time.monotonic()
        if not force and now - self._logged < _LOG_EVERY_S:
            return False
        self.loss = sum(self._losses) / len(self._losses) if self._losses else math.nan
        figures = self.figures()
        left = self.eta_s(step)
        log.info(
            "epoch %d, step %d/%d, loss %.3f, %.0f frames/s (%.0f hours per hour), input-bound %.1f %%, "
            "padding %.1f %%, %s left",
            epoch + 1, step, self._steps, self.loss, figures["frames_per_s"], figures["hours_per_hour"],
            100 * figures["input_bound"], 100 * figures["padding"], "?" if left is None else f"{left:.0f} s",
        )  # fmt: skip
        self._logged = now
        self._losses.clear()
        return True
