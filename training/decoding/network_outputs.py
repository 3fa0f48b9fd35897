"""Log-probabilities of a network over a split: computed once, kept on disk in shards, read back batch by batch.

    cache/log_probs/<key>/{part-00000.npy …, index.json}

A part is float32 [frames, labels + blank], the utterances one after the other in the corpus' order;
index.json, written last, says where each begins and has a checksum of each part: what is damaged is made again.
The key is made of what the values depend on (weights, feature settings, corpus version, chosen rows), so nothing
here ever goes stale; folders unused for longest are dropped when all together grow too large. Memory holds one part
at a time, however long the split. Decodes nothing.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import shutil
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from store.corpus import Corpus
from store.errors import StoreError
from store.store import Store
from store.writing import (
    explain_write,
    fsync_dir,
    read_json,
    temporary_beside,
    write_bytes_atomic,
    write_json_atomic,
)
from training.decoding.acoustic import LogProbabilities, Network, by_length
from training.decoding.stopwatch import Stopwatch
from training.decoding.weights import alphabet_of_network
from training.errors import DataError, RunNotFoundError
from training.network.batches import Indices
from training.network.checkpoint import Checkpoint, best_checkpoint
from training.network.dataset import Clip, Dataset, SplitChoice, clips_of
from training.network.features import Float

log = logging.getLogger(__name__)
_FORMAT = 2  # raised when the same inputs would give other values
_CHUNK = 256  # utterances whose features are in memory at once
_PART_BYTES = 64 << 20
_BATCH_FRAMES = 16384  # padded frames handed to a decoder at once
_LIMIT_BYTES = 16 << 30
_IN_USE_S = 3600.0  # folders read this recently are never dropped

Batch = tuple[Indices, Float, npt.NDArray[np.int32]]


@dataclass(frozen=True)
class Wanted:
    """Which rows of a published corpus; `ids` keeps only these utterances (None = all of the choice)."""

    corpus: Corpus
    choice: SplitChoice
    ids: frozenset[str] | None = None

    def clips(self) -> Iterator[Clip]:
        """The utterances with what they are scored against, in the corpus' order."""
        for clip in clips_of(self.corpus, self.choice, scoring=True):
            if self.ids is None or clip.utterance_id in self.ids:
                yield clip


@dataclass(frozen=True)
class NetworkOutputs:
    """Log-probabilities on disk.

    Attributes:
        frames: int64 [utterances], 0 for those too short for one frame.
        seconds: of speech. acoustic: wall_s and cpu_s that features and network took when they were computed.
    """

    path: Path
    utterance_ids: tuple[str, ...]
    texts: tuple[str, ...]
    frames: npt.NDArray[np.int64]
    parts: tuple[int, ...]
    labels: int
    seconds: float
    acoustic: dict[str, float]

    def __len__(self) -> int:
        return len(self.utterance_ids)

    @cached_property
    def _places(self) -> list[tuple[int, int]]:
        """Part of each utterance, and its first row there."""
        places, first = [], 0
        for number, count in enumerate(self.parts):
            starts = np.cumsum(self.frames[first : first + count]) - self.frames[first : first + count]
            places += [(number, int(start)) for start in starts]
            first += count
        return places

    def of(self, index: int) -> Float:
        """float32 [frames, labels + blank] of one utterance."""
        number, start = self._places[index]
        values = np.load(self.path / _part_name(number), mmap_mode="r")
        return np.array(values[start : start + int(self.frames[index])])

    def batches(self) -> Iterator[Batch]:
        """Utterances of like length: their indices, float32 [batch, frames, labels + blank], frames of each.

        Those without a frame are passed over: their text is empty.
        """
        first = 0
        for number, count in enumerate(self.parts):
            lengths = self.frames[first : first + count]
            starts = np.concatenate([[0], np.cumsum(lengths)])
            values = np.load(self.path / _part_name(number), mmap_mode="r")
            for chosen in by_length(lengths, _BATCH_FRAMES):
                padded = np.zeros((len(chosen), int(lengths[chosen].max()), self.labels), np.float32)
                for place, index in enumerate(chosen):
                    padded[place, : lengths[index]] = values[starts[index] : starts[index + 1]]
                yield chosen + first, padded, lengths[chosen].astype(np.int32)
            first += count


def network_outputs(run_dir: Path, wanted: Wanted, store: Store) -> NetworkOutputs:
    """The network's log-probabilities over the wanted rows, from the cache or computed now.

    Raises:
        RunNotFoundError: the run has no checkpoint yet. DataError: a sound in the corpus cannot be decoded.
    """
    checkpoint = best_checkpoint(run_dir / "checkpoints")
    if checkpoint is None:
        raise RunNotFoundError(f"{run_dir}: no checkpoint there; has the run got through its first epoch?")
    key = _key(checkpoint, wanted)
    folder = store.cache_dir / "log_probs" / key
    kept = kept_outputs(folder)
    if kept is None:
        with store.lock(f"log_probs/{key}"):
            kept = kept_outputs(folder)
            if kept is None:
                _compute(checkpoint, wanted, folder)
                _drop_old(folder.parent, keep=key)
                kept = _read_outputs(folder)
    os.utime(folder / "index.json")
    return kept


def labels_of_run(run_dir: Path) -> tuple[str, ...]:
    """The labels of a run's network, blank not counted.

    Raises:
        RunNotFoundError: the run has no checkpoint yet.
    """
    checkpoint = best_checkpoint(run_dir / "checkpoints")
    if checkpoint is None:
        raise RunNotFoundError(f"{run_dir}: no checkpoint there; has the run got through its first epoch?")
    return tuple(checkpoint.meta["labels"])


def checkpoint_hash(checkpoint: Checkpoint) -> str:
    """Hex SHA-256 of everything in a checkpoint that its outputs depend on."""
    digest = hashlib.sha256()
    for name in ("labels", "whitening", "config"):
        digest.update(json.dumps(checkpoint.meta[name], sort_keys=True).encode())
    for name in sorted(name for name in checkpoint.arrays if name.startswith("model/")):
        digest.update(name.encode() + np.ascontiguousarray(checkpoint.arrays[name]).tobytes())
    return digest.hexdigest()


def _key(checkpoint: Checkpoint, wanted: Wanted) -> str:
    chosen = None if wanted.ids is None else sorted(wanted.ids)
    parts = {
        "format": _FORMAT,
        "checkpoint": checkpoint_hash(checkpoint),
        "corpus": [wanted.corpus.name, wanted.corpus.version],
        "split": wanted.choice.split,
        "subsets": list(wanted.choice.subsets),
        "ids": chosen,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:24]


def _part_name(number: int) -> str:
    return f"part-{number:05d}.npy"


class OutputsWriter:
    """Collects rows and writes a part whenever enough are together."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.parts: list[int] = []
        self.sums: list[int] = []
        self._rows: list[Float] = []
        self._bytes = 0

    def add(self, row: Float) -> None:
        self._rows.append(row)
        self._bytes += row.nbytes
        if self._bytes >= _PART_BYTES:
            self.flush()

    def flush(self) -> None:
        if not self._rows:
            return
        buffer = io.BytesIO()
        np.save(buffer, np.concatenate(self._rows))
        self.sums.append(zlib.crc32(buffer.getbuffer()))
        write_bytes_atomic(self.folder / _part_name(len(self.parts)), buffer.getvalue())
        self.parts.append(len(self._rows))
        self._rows, self._bytes = [], 0


def _compute(checkpoint: Checkpoint, wanted: Wanted, folder: Path) -> None:
    """Run the network chunk by chunk into a folder of its own, then give it its name."""
    network = Network.of_checkpoint(checkpoint)
    probabilities = LogProbabilities(network)
    probabilities.warm_up()
    working = temporary_beside(folder)
    writer, watch = OutputsWriter(working), Stopwatch()
    index: dict[str, Any] = {"utterance_ids": [], "texts": [], "frames": []}
    seconds, source = 0.0, wanted.clips()
    try:
        while chunk := list(islice(source, _CHUNK)):
            with watch:
                dataset, rows = _rows_of(chunk, probabilities)
            for row in rows:
                writer.add(row)
            index["utterance_ids"] += dataset.utterance_ids
            index["texts"] += dataset.texts
            index["frames"] += [len(row) for row in rows]
            seconds += dataset.hours * 3600
        writer.flush()
        acoustic = {"wall_s": watch.wall_s, "cpu_s": watch.cpu_s}
        index |= {
            "parts": writer.parts,
            "sums": writer.sums,
            "labels": len(network.labels) + 1,
            "seconds": seconds,
        }
        write_json_atomic(working / "index.json", {**index, "acoustic": acoustic})
        with explain_write(folder):
            shutil.rmtree(folder, ignore_errors=True)  # what an interrupted removal left
            working.rename(folder)
            fsync_dir(folder.parent)
    finally:
        shutil.rmtree(working, ignore_errors=True)


def _rows_of(clips: Sequence[Clip], probabilities: LogProbabilities) -> tuple[Dataset, list[Float]]:
    """Log-probabilities of some clips, [frames, labels + blank] each, in their order."""
    network = probabilities.network
    dataset = Dataset.from_clips(clips, alphabet_of_network(network.labels), network.config.features)
    rows = [np.zeros((0, len(network.labels) + 1), np.float32)] * len(dataset)
    for indices, log_probs, lengths in probabilities.of_dataset(dataset):
        for place, index in enumerate(indices):
            rows[int(index)] = log_probs[place, : lengths[place]]
    return dataset, rows


def kept_outputs(folder: Path) -> NetworkOutputs | None:
    """What lies whole in a folder of the cache; None, and a warning where it is damaged, where that must be made again."""
    if not (folder / "index.json").is_file():
        return None
    try:
        sums = read_json(folder / "index.json")["sums"]
        whole = all(
            zlib.crc32((folder / _part_name(number)).read_bytes()) == one for number, one in enumerate(sums)
        )
        if whole:
            return _read_outputs(folder)
    except (StoreError, OSError, KeyError, TypeError, ValueError):
        pass
    log.warning("%s is damaged and made again", folder)
    return None


def _read_outputs(folder: Path) -> NetworkOutputs:
    index = read_json(folder / "index.json")
    return NetworkOutputs(
        path=folder,
        utterance_ids=tuple(index["utterance_ids"]),
        texts=tuple(index["texts"]),
        frames=np.asarray(index["frames"], np.int64),
        parts=tuple(index["parts"]),
        labels=int(index["labels"]),
        seconds=float(index["seconds"]),
        acoustic={name: float(value) for name, value in index["acoustic"].items()},
    )


def _drop_old(parent: Path, keep: str, limit: int = _LIMIT_BYTES) -> None:
    """Remove folders, the longest unused first, until all together are small enough."""
    found = []
    for index in parent.glob("*/index.json"):
        size = sum(path.stat().st_size for path in index.parent.iterdir())
        found.append((index.stat().st_mtime, size, index.parent))
    total = sum(size for _, size, _ in found)
    for used, size, folder in sorted(found):
        if total <= limit or folder.name == keep or time.time() - used < _IN_USE_S:
            continue
        log.info("dropping the log-probabilities %s to stay below %d GiB", folder.name, limit >> 30)
        (folder / "index.json").unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        total -= size


def check_not_empty(wanted: Wanted, outputs: NetworkOutputs) -> None:
    """Raises DataError when the choice has no utterance."""
    if len(outputs) == 0:
        raise DataError(f"no utterance in split {wanted.choice.split!r} of {wanted.corpus.name}")
