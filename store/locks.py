"""Locks between processes, of files that say who holds them.

The system frees a lock when its process dies, however it dies, so there are no stale locks: what a dead
process left in the file is overwritten by the next holder. On a network file system the locks reach as far
as the system's own `flock` does.
"""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from store.errors import StoreError
from store.writing import explain_write

_TELL_AFTER_S = 1.0
_log = logging.getLogger(__name__)


@contextmanager
def hold(path: Path, label: str, wait_s: float | None = None) -> Iterator[None]:
    """Hold the lock that the file `path` stands for.

    Args:
        label: what it protects, for sentences.
        wait_s: seconds to wait; None = as long as it takes. Who is waited for is logged after a second.

    Raises:
        StoreError: still held by another after `wait_s`; the sentence says by whom and since when.
    """
    with explain_write(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = path.open("a+b", buffering=0)
    with stream:
        _take(stream.fileno(), path, label, wait_s)
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        with suppress(OSError):  # the lock holds on a full disk too; only the holder's name is missing then
            stream.truncate(0)
            stream.write(f"process {os.getpid()} on {os.uname().nodename} since {since} UTC".encode())
        try:
            yield
        finally:
            fcntl.flock(stream.fileno(), fcntl.LOCK_UN)


def _take(handle: int, path: Path, label: str, wait_s: float | None) -> None:
    """Take an exclusive lock, waiting politely."""
    began_s = time.monotonic()
    told = False
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            waited_s = time.monotonic() - began_s
            holder = path.read_text().strip() or "another process"
            if wait_s is not None and waited_s >= wait_s:
                raise StoreError(f"{label} is being worked on by {holder}; wait for it or stop it") from error
            if not told and waited_s >= _TELL_AFTER_S:
                told = True
                _log.info("%s is being worked on by %s; waiting", label, holder)
            time.sleep(0.2)
