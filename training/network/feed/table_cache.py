"""The table of a run's utterances on disk, so that a run that goes on need not read a thousand shards for it.

    cache/tables/<key>.npz     the table's columns, and what was left out, as JSON

The key is made of everything the table depends on: corpora with their versions, shards as the manifests name them
and as they lie on disk (size, time of change), front end, limits, speeds, labels. So an entry never goes stale; a
table with damage in it is not kept; deleted, it is made again. The newest few are kept. Reads no shard.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import zipfile
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from store.errors import StoreError
from store.writing import write_bytes_atomic
from training.network.config import DataConfig, FeatureConfig
from training.network.feed.left_out import LeftOut
from training.network.feed.table import Learner, Shard, Table, read_table

if TYPE_CHECKING:
    from store.corpus import Corpus

_FORMAT = 2  # raised when the same inputs would give another table
_KEPT = 8
_COLUMNS = ("group_shard", "group_number", "group", "row", "corpus", "duration_s", "frames", "label_counts")
_BROKEN = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error)


def cached_table(
    corpora: Sequence[Corpus], config: DataConfig, features: FeatureConfig, learner: Learner, folder: Path
) -> Table:
    """`read_table`, from the folder where it lies there; else read from the shards and kept there.

    Raises:
        DataError, AlphabetError: as `read_table` does.
    """
    shards = [
        (corpus, entry)
        for corpus in corpora
        for entry in corpus.manifest["shards"]
        if entry["split"] == config.train_split
    ]
    key = _key(corpora, shards, [config, features, learner])
    if key is None:
        return read_table(corpora, config, features, learner)
    path = folder / f"{key}.npz"
    found = _read(path, tuple(Shard(corpus, entry["path"]) for corpus, entry in shards))
    if found is not None:
        return found
    table = read_table(corpora, config, features, learner)
    if not table.left_out.damaged:
        _write(path, table)
    return table


def _key(
    corpora: Sequence[Corpus], shards: list[tuple[Corpus, dict[str, Any]]], settings: list[Any]
) -> str | None:
    """Of all that the table depends on; None where a shard cannot be looked at: then it is read, and named."""
    digest = hashlib.sha256(json.dumps([_FORMAT, *_plain(settings)], sort_keys=True).encode())
    digest.update(json.dumps([[one.name, one.version] for one in corpora]).encode())
    try:
        for corpus, entry in shards:
            status = (corpus.path / entry["path"]).stat()
            seen = [corpus.name, entry["path"], entry.get("rows"), entry.get("bytes")]
            digest.update(json.dumps([*seen, status.st_size, status.st_mtime_ns]).encode())
    except OSError:
        return None
    return digest.hexdigest()[:32]


def _plain(settings: list[Any]) -> list[Any]:
    config, features, learner = settings
    labels = [*learner.alphabet.labels]
    return [
        dataclasses.asdict(config), dataclasses.asdict(features), labels, learner.speeds, learner.tempo
    ]  # fmt: skip


def _read(path: Path, shards: tuple[Shard, ...]) -> Table | None:
    """A table that was kept, None where there is none that can be read."""
    try:
        with np.load(path) as stored:
            columns = {name: stored[name] for name in _COLUMNS}
            told = json.loads(stored["left_out"].tobytes())
        left_out = LeftOut(Counter(told["counts"]), Counter(told["seconds"]))
        path.touch()
        return Table(shards, **columns, left_out=left_out)
    except _BROKEN:
        return None


def _write(path: Path, table: Table) -> None:
    told = json.dumps({"counts": table.left_out.counts, "seconds": table.left_out.seconds}, sort_keys=True)
    columns = {name: getattr(table, name) for name in _COLUMNS}
    buffer = io.BytesIO()
    np.savez(buffer, **columns, left_out=np.frombuffer(told.encode(), np.uint8))
    try:
        write_bytes_atomic(path, buffer.getvalue())
        aged = sorted(path.parent.glob("*.npz"), key=lambda one: one.stat().st_mtime_ns)
        for old in aged[:-_KEPT]:
            old.unlink(missing_ok=True)
    except (StoreError, OSError):
        return  # a full disk costs the time it would have saved, not the run
