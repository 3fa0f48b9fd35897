"""Features on disk: one file of float16 per row group, named by content, the least used dropped.

    cache/features/<key>.npy     float16 [frames of all its utterances at all speeds, coefficients], then its CRC-32

The key is made of the corpus version (itself made of content), the shard, the row group, the rows learnt
from, the speeds and every feature setting, so an entry never goes stale. With the cache on, features are
rounded to float16 whether they come from it or not, so that a run does not depend on what was cached. A file is
proven by its checksum once in a process; one that is damaged is said, and made again. Groups are read whole.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import logging
import threading
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from store.errors import StoreError
from store.writing import write_bytes_atomic
from training.network.config import FeatureConfig
from training.network.features import Float

if TYPE_CHECKING:
    from training.network.feed.table import Table

log = logging.getLogger(__name__)
_FORMAT = 2  # raised when the same inputs would give other values, or lie there otherwise
_SUM_BYTES = 4
Half = npt.NDArray[np.float16]


@dataclass(frozen=True)
class StoredGroup:
    """The features of a row group: `starts` [utterances of it * speeds + 1] index `values`."""

    values: Half
    starts: npt.NDArray[np.int64]
    first_row: dict[int, int]

    def rows(self, utterance: int, variants: tuple[int, ...]) -> tuple[Float, ...]:
        """float32 features of one utterance at some speeds."""
        first = self.first_row[utterance]
        return tuple(
            self.values[self.starts[first + k] : self.starts[first + k + 1]].astype(np.float32)
            for k in variants
        )


class FeatureCache:
    """A folder of at most `limit_bytes`; threads may share it."""

    def __init__(
        self, folder: Path, limit_bytes: int, features: FeatureConfig, speeds: tuple[float, ...]
    ) -> None:
        self._folder, self._limit = folder, limit_bytes
        self._settings = json.dumps([_FORMAT, dataclasses.asdict(features), speeds], sort_keys=True)
        self._coefficients = features.coefficients
        self._lock = threading.Lock()
        self._proven: set[str] = set()
        self._bytes = sum(path.stat().st_size for path in folder.glob("*.npy")) if folder.is_dir() else 0

    def read(self, table: Table, group: int) -> StoredGroup | None:
        """A group's features, or None when they are not there or are not what was kept."""
        path, layout = self._path(table, group), _layout(table, group)
        try:
            values = np.load(path)  # not mapped: a file that is cut meanwhile would end the process
        except (OSError, ValueError, EOFError):
            return None
        fits = values.shape == (int(layout[0][-1]), self._coefficients) and values.dtype == np.float16
        if not fits or not self._is_proven(path):
            return None
        path.touch()
        return StoredGroup(values, *layout)

    def write(
        self, table: Table, group: int, found: dict[int, tuple[Float, ...]]
    ) -> dict[int, tuple[Float, ...]]:
        """Keep a whole group; returns the features as they will come back. A damaged group is not kept."""
        halves = {key: tuple(row.astype(np.float16) for row in rows) for key, rows in found.items()}
        rounded = {key: tuple(row.astype(np.float32) for row in rows) for key, rows in halves.items()}
        starts, first_row = _layout(table, group)
        if set(found) == set(first_row):
            values = np.concatenate([row for key in sorted(halves) for row in halves[key]])
            if len(values) == int(starts[-1]):
                self._store(self._path(table, group), values)
        return rounded

    def _is_proven(self, path: Path) -> bool:
        """Whether a file has the checksum it was kept with; its bytes are read once in a process."""
        if path.name in self._proven:
            return True
        try:
            content = path.read_bytes()
        except OSError:
            return False
        if content[-_SUM_BYTES:] != _sum(content[:-_SUM_BYTES]):
            log.warning("%s is damaged and made again", path)
            return False
        self._proven.add(path.name)
        return True

    def _store(self, path: Path, values: Half) -> None:
        buffer = io.BytesIO()
        np.save(buffer, values)
        buffer.write(_sum(buffer.getvalue()))
        try:
            write_bytes_atomic(path, buffer.getvalue())
        except StoreError:
            return  # a full disk costs the cache, not the run
        with self._lock:
            self._bytes += buffer.tell()
            if self._bytes > self._limit:
                self._drop_old()

    def _drop_old(self) -> None:
        """Drop what was unused for longest until nine tenths of the limit are left."""
        files = sorted(
            (path.stat().st_mtime_ns, path.stat().st_size, path) for path in self._folder.glob("*.npy")
        )
        self._bytes = sum(size for _, size, _ in files)
        for _, size, path in files:
            if self._bytes <= 0.9 * self._limit:
                return
            path.unlink(missing_ok=True)
            self._bytes -= size

    def _path(self, table: Table, group: int) -> Path:
        shard = table.shards[int(table.group_shard[group])]
        rows = table.row[table.members(group)].tobytes()
        content = [shard.corpus.name, shard.corpus.version, shard.path, int(table.group_number[group])]
        text = json.dumps([self._settings, content, hashlib.sha256(rows).hexdigest()])
        return self._folder / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.npy"


def _sum(content: bytes) -> bytes:
    return zlib.crc32(content).to_bytes(_SUM_BYTES, "little")


def _layout(table: Table, group: int) -> tuple[npt.NDArray[np.int64], dict[int, int]]:
    """Where the frames of each row of a group begin, and the first row of each utterance."""
    members = table.members(group)
    frames = table.frames[members].reshape(-1)
    starts = np.concatenate([[0], np.cumsum(frames, dtype=np.int64)])
    return starts, {int(one): place * table.frames.shape[1] for place, one in enumerate(members)}
