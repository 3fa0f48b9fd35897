"""A lock between machines: an object in a shared store that says who holds it and is renewed while it is held.

The object is created only where none is (a conditional write, where the place knows it: S3 does). Its holder
renews it; one that nobody has renewed for `STALE_S` while somebody watched belongs to a dead process and is taken
over. Nobody's clock is compared with anybody else's. A lock of the very same working copy is taken over at once:
whoever asks holds that copy's own lock, so that process is gone.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from store.errors import StoreError
from store.shared.places import explain

RENEW_S = 20.0
STALE_S = 120.0
_LOOK_AGAIN_S = 1.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LockPlace:
    """Where a lock lies and who asks for it.

    Attributes:
        files: an fsspec file system. path: of the object in it. url: of the store, for sentences.
        copy: id of the asking working copy. label: what the lock protects, for sentences.
    """

    files: Any
    path: str
    url: str
    copy: str
    label: str


class HeldLock:
    """A lock that this process holds."""

    def __init__(self, place: LockPlace) -> None:
        self._place = place
        self._token = uuid.uuid4().hex
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        self._holder = f"process {os.getpid()} on {socket.gethostname()} since {since} UTC"
        self._renewals = 0

    def content(self) -> bytes:
        """What stands in the object now: different after every renewal."""
        said = {
            "holder": self._holder,
            "token": self._token,
            "copy": self._place.copy,
            "renewals": self._renewals,
        }
        return json.dumps(said, sort_keys=True).encode()

    def renew(self) -> None:
        """Show that the holder lives, where the lock is still its own."""
        if self.is_mine():
            self._renewals += 1
            self._place.files.pipe_file(self._place.path, self.content())

    def is_mine(self) -> bool:
        """Whether nobody has taken it over."""
        return bool(_read(self._place).get("token") == self._token)

    def prove(self) -> None:
        """Raises:
        StoreError: it was taken over meanwhile: this process stood still for too long.
        """
        if not self.is_mine():
            raise StoreError(
                f"the lock on {self._place.label} in {self._place.url} was taken over by another machine while this "
                "process stood still; nothing was made current, run the same command again"
            )

    def release(self) -> None:
        """Remove the object where it is still this process's."""
        with suppress(FileNotFoundError):
            if self.is_mine():
                self._place.files.rm_file(self._place.path)


@contextmanager
def hold_shared(place: LockPlace) -> Iterator[HeldLock]:
    """Hold a lock in a shared store; waits for others and says for whom.

    Raises:
        StoreError: the place cannot be reached or written.
    """
    with explain(place.url):
        place.files.makedirs(place.path.rpartition("/")[0], exist_ok=True)
        lock = HeldLock(place)
        _take(place, lock)
    ended = threading.Event()
    keeper = threading.Thread(target=_keep, args=(lock.renew, ended), daemon=True)
    keeper.start()
    try:
        yield lock
    finally:
        ended.set()
        keeper.join()
        with explain(place.url):
            lock.release()


def _keep(renew: Callable[[], None], ended: threading.Event) -> None:
    """Renew until the lock is given back; a renewal that fails is tried again next time."""
    while not ended.wait(RENEW_S):
        try:
            renew()
        except Exception as error:
            _log.warning("the lock in the shared store could not be renewed (%s); trying again", error)


def _read(place: LockPlace) -> dict[str, Any]:
    """What the object says; {} where there is none or it is damaged."""
    try:
        said = json.loads(place.files.cat_file(place.path))
    except (FileNotFoundError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _create(place: LockPlace, lock: HeldLock) -> bool:
    """Write the object where none is; whether this process's stands there now."""
    with suppress(FileExistsError):
        try:
            place.files.pipe_file(place.path, lock.content(), mode="create")
        except (RuntimeError, ValueError, TypeError):  # a place without conditional writes
            if not place.files.exists(place.path):
                place.files.pipe_file(place.path, lock.content())
        except OSError as error:
            if "recondition" not in str(error) and "Conditional" not in str(error):
                raise
    return lock.is_mine()


def _take(place: LockPlace, lock: HeldLock) -> None:
    """Create the object; waits while another one is renewed."""
    seen: dict[str, Any] = {}
    seen_s, told = time.monotonic(), False
    while not _create(place, lock):
        there = _read(place)
        if there != seen:
            seen, seen_s = there, time.monotonic()
        if there.get("copy") == place.copy or time.monotonic() - seen_s >= STALE_S:
            _log.info(
                "%s: taking over the lock that %s left", place.label, there.get("holder", "a dead process")
            )
            with suppress(FileNotFoundError):
                place.files.rm_file(place.path)
            continue
        if not told:
            told = True
            _log.info(
                "%s is being published by %s; waiting", place.label, there.get("holder", "another machine")
            )
        time.sleep(_LOOK_AGAIN_S)
