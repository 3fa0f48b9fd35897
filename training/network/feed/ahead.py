"""Items prepared by a thread, a few ahead of who uses them. Knows nothing of what they are."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")
_AHEAD = 4


def ahead(items: Iterator[Given], make: Callable[[Given], Made]) -> Iterator[Made]:
    """`make` of every item, in order; an error of the thread is raised here, at its place in the order.

    Closing the iterator ends the thread.
    """
    ready: queue.Queue[Any] = queue.Queue(_AHEAD)
    stop, end = threading.Event(), object()

    def put(item: Any) -> bool:
        while not stop.is_set():
            try:
                ready.put(item, timeout=0.2)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        try:
            for item in items:
                if not put(make(item)):
                    return
            put(end)
        except BaseException as error:  # handed to the consumer, raised there
            put(error)

    threading.Thread(target=work, name="batches", daemon=True).start()
    try:
        while (item := ready.get()) is not end:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
