"""Items prepared by a thread, a few ahead of who uses them. Knows nothing of what they are."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")
_AHEAD = 4
_END = object()


class Ahead(Generic[Made]):
    """`make` of every item, in order; the thread begins at once.

    An error of the thread is raised at its place in the order. Closing, also by the last reference going, ends it.
    """

    def __init__(self, items: Iterator[Given], make: Callable[[Given], Made]) -> None:
        self._ready: queue.Queue[Any] = queue.Queue(_AHEAD)
        self._stop = threading.Event()
        arguments = (items, make, self._ready, self._stop)  # not self: its last reference must be able to go
        threading.Thread(target=_work, args=arguments, name="batches", daemon=True).start()

    def __iter__(self) -> Ahead[Made]:
        return self

    def __next__(self) -> Made:
        item: Any = _END if self._stop.is_set() else self._ready.get()
        if item is _END:
            self.close()
            raise StopIteration
        if isinstance(item, BaseException):
            self.close()
            raise item
        made: Made = item
        return made

    def close(self) -> None:
        """Ends the thread."""
        self._stop.set()

    def __del__(self) -> None:
        self.close()


def _work(
    items: Iterator[Any], make: Callable[[Any], Any], ready: queue.Queue[Any], stop: threading.Event
) -> None:
    def put(item: Any) -> bool:
        while not stop.is_set():
            try:
                ready.put(item, timeout=0.2)
                return True
            except queue.Full:
                continue
        return False

    try:
        for item in items:
            if not put(make(item)):
                return
        put(_END)
    except BaseException as error:  # handed to the consumer, raised there
        put(error)
