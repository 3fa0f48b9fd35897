"""Checkpoints written by a thread while training goes on.

Weights change in one place of a step only, when gradients are applied; until then the thread reads them from the
network itself, one array at a time. What it has not read by then is copied where that costs little, else waited
for. So a checkpoint of any size takes a bounded part of memory beside the network (one array and `_MOST_COPIED`),
and is that of one moment. The form of the files is `checkpoint`'s.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType

import numpy as np

from training.network.checkpoint import Array, Checkpoint, save_best, save_checkpoint, size_bytes

_SMALL = 64 * 1024  # bytes: copied at once; random states, which a step's gradients change, are among them
_MOST_COPIED = 96 * 1024 * 1024  # bytes copied for a step that cannot wait


class Snapshot(Mapping[str, Array]):
    """Named arrays as they were when it was made, read once each, in any thread, until `hold` or `taken`."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self._names = list(arrays)
        self._sizes = {name: size_bytes(arrays, name) for name in self._names}
        self._arrays = arrays
        self._copies = {name: np.array(arrays[name]) for name in self._names if self._sizes[name] <= _SMALL}
        self._left = {name for name in self._names if name not in self._copies}
        self._changed = threading.Condition()

    def __getitem__(self, name: str) -> Array:
        with self._changed:  # held while reading: nothing may change meanwhile
            if name in self._copies:
                return self._copies[name] if self._sizes[name] <= _SMALL else self._copies.pop(name)
            value: Array = np.array(self._arrays[name])
            self._left.discard(name)
            self._changed.notify_all()
            return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def hold(self) -> None:
        """Returns when the arrays may change: all are read, or the last ones are copied."""
        with self._changed:
            self._changed.wait_for(lambda: sum(self._sizes[name] for name in self._left) <= _MOST_COPIED)
            self._copies.update({name: np.array(self._arrays[name]) for name in self._left})
            self._left.clear()

    def give_up(self) -> None:
        """Nobody will read the rest."""
        with self._changed:
            self._left.clear()
            self._changed.notify_all()


class Saver:
    """One checkpoint at a time into a folder (a context manager); leaving it waits for the last one.

    Raises, from `start` and on leaving, what writing raised: StoreError where no space is left.
    """

    def __init__(self, directory: Path, keep: int) -> None:
        self._directory, self._keep = directory, keep
        self._thread: threading.Thread | None = None
        self._snapshot: Snapshot | None = None
        self._error: BaseException | None = None

    def start(self, checkpoint: Checkpoint, is_best: bool) -> None:
        """Begin to write; waits for the one before."""
        self.finish()
        self._snapshot = Snapshot(checkpoint.arrays)
        meta = json.loads(json.dumps(checkpoint.meta))  # of now: the run goes on changing what it is made of
        one = Checkpoint(self._snapshot, meta)
        self._thread = threading.Thread(target=self._write, args=(one, self._snapshot, is_best), name="saver")
        self._thread.start()

    def before_change(self) -> None:
        """To be called before weights change."""
        if self._snapshot is not None:
            self._snapshot.hold()

    def finish(self) -> None:
        """Wait until what was begun is on disk."""
        if self._thread is not None:
            self._thread.join()
        self._thread = self._snapshot = None
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def _write(self, checkpoint: Checkpoint, snapshot: Snapshot, is_best: bool) -> None:
        try:
            save_checkpoint(self._directory, checkpoint, self._keep)
            if is_best:
                save_best(self._directory, checkpoint)
        except BaseException as error:  # raised in the training's own thread
            self._error = error
        finally:
            snapshot.give_up()

    def __enter__(self) -> Saver:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.finish()
        elif self._thread is not None:  # another error ends the run: this one's sentence is enough
            self._thread.join()
