"""Worker processes that end with the process that started them, however that one ended.

A process that is killed (the system does it when memory runs out) tells its workers nothing: they would wait for
work for ever. Each watches the pipe that the system closes when its parent is gone.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from multiprocessing import connection


def end_with_parent() -> None:
    """As a pool's `initializer`: ends this worker as soon as its parent is gone; what it was doing is done again."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent.sentinel,), name="parent", daemon=True).start()


def _watch(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)
