"""Outputs of a network that is not ours: log-probabilities in a file, measured and tuned on as if it were.

    FILE.npz     one array per utterance, its id the name: natural logs, float [frames, labels], the blank last
    labels.tsv   beside it: number, label (more columns are passed over), the last one the blank
    refs.tsv     beside it: id, text; or with the header id, split, speaker, text
    frames of `hop_s` seconds, 0.02 unless said

They are copied into the cache as the outputs of our own networks lie there; weights that are tuned for them
lie in the store's `outside/<version>/`.
"""

from __future__ import annotations

import csv
import hashlib
import logging
import shutil
import zipfile
from collections import Counter
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from store.corpus import SPLITS
from store.store import Store
from store.writing import sha256_file, write_bytes_atomic, write_json_atomic
from training.decoding.network_outputs import NetworkOutputs, OutputsWriter, kept_outputs
from training.errors import DataError
from training.network.feed.feature_folder import FeatureFolder

_log = logging.getLogger(__name__)
_FORMAT = 2  # raised when the same file would be kept otherwise
_HOP_S = 0.02
_WIDE = ["id", "split", "speaker", "text"]
_OFF = 0.05  # how far from 1 the probabilities of a frame may sum: half precision and smoothing stay below


class LogProbsFile(FeatureFolder):
    """See above; `path` is the file, its rows stand where features would."""

    @classmethod
    def open(cls, path: Path) -> LogProbsFile:
        """Read labels and references; arrays are read when they are asked for.

        Raises:
            DataError: a file is missing or not what it should be; names it.
        """
        if not path.is_file():
            raise DataError(f"{path}: there is no such file of log-probabilities")
        sums = [
            sha256_file(one)
            for one in (path, path.with_name("labels.tsv"), path.with_name("refs.tsv"))
            if one.is_file()
        ]
        return cls(path.stem, hashlib.sha256("".join(sums).encode()).hexdigest()[:16], path.resolve())

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The labels without the blank."""
        lines = _lines(self.path.with_name("labels.tsv"))
        labels = [fields[1] for fields in lines if len(fields) > 1]
        if len(labels) != len(lines) or len(labels) < 2 or len(set(labels)) < len(labels):
            raise DataError(
                f"{self.path.with_name('labels.tsv')}: expected number and label, each label once"
            )
        return tuple(labels[:-1])

    @cached_property
    def rows(self) -> list[dict[str, str]]:
        path = self.path.with_name("refs.tsv")
        lines = _lines(path)
        wide = bool(lines) and lines[0] == _WIDE
        rows = []
        for number, fields in enumerate(lines[wide:], start=1 + wide):
            if len(fields) != (4 if wide else 2) or not fields[0] or (wide and fields[1] not in SPLITS):
                expected = f"an id, one of {', '.join(SPLITS)}, a speaker" if wide else "an id"
                raise DataError(
                    f"{path}: line {number} of those that are not empty: expected {expected} and a text, got {fields!r:.80}"
                )
            rows.append(dict(zip(_WIDE, fields if wide else (fields[0], "test", "", fields[1]), strict=True)))
        twice = [name for name, count in Counter(row["id"] for row in rows).items() if count > 1]
        if twice:
            raise DataError(f"{path}: the id {twice[0]!r} stands there twice")
        missing = [row["id"] for row in rows if row["id"] not in self._stored.files]
        if missing or not rows:
            what = f"{missing[0]!r} is not in {self.path.name}" if missing else "no reference stands there"
            raise DataError(f"{path}: {what}")
        unsaid = sorted(set(self._stored.files) - {row["id"] for row in rows})
        if unsaid:
            _log.warning(
                "%s: %d arrays have no reference in refs.tsv and are not measured, %r the first",
                self.path, len(unsaid), unsaid[0],
            )  # fmt: skip
        return rows

    @cached_property
    def settings(self) -> dict[str, float]:
        return {"hop_s": _HOP_S, "stack": 1}

    @cached_property
    def _stored(self) -> Any:
        try:
            stored = np.load(self.path, allow_pickle=False)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(f"{self.path}: cannot be read: {error}") from error
        if isinstance(stored, np.ndarray):
            raise DataError(f"{self.path}: this is one array; numpy.savez gives a file of one per utterance")
        return stored

    def features(self, utterance_id: str) -> npt.NDArray[np.float32]:
        """Log-probabilities, float32 [frames, labels + blank]."""
        try:
            values = self._stored[utterance_id]
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(f"{self.path}: {utterance_id}: cannot be read: {error}") from error
        width = len(self.labels) + 1
        if values.ndim != 2 or values.shape[1] != width or values.dtype.kind != "f":
            raise DataError(
                f"{self.path}: {utterance_id}: expected floats [frames, {width}], got {values.dtype} {values.shape}"
            )
        wrong = _no_logs(values)
        if wrong:
            raise DataError(f"{self.path}: {utterance_id}: {wrong}")
        logs: npt.NDArray[np.float32] = values.astype(np.float32)
        return logs

    def run_dir(self, store: Store) -> Path:
        """Where the decoder's weights for these outputs lie."""
        path = store.root / "outside" / self.version
        path.mkdir(parents=True, exist_ok=True)
        write_bytes_atomic(path / "file.txt", f"{self.path.name}\n".encode())
        return path

    def outputs(self, store: Store, split: str, ids: frozenset[str] | None = None) -> NetworkOutputs:
        """The outputs of a split (or some of its utterances) as they lie in the cache."""
        chosen = [row for row in self.chosen(split) if ids is None or row["id"] in ids]
        made_of = "\n".join([f"{_FORMAT} {self.version}", *(row["id"] for row in chosen)])
        key = hashlib.sha256(made_of.encode()).hexdigest()[:24]
        folder = store.cache_dir / "log_probs" / key
        kept = kept_outputs(folder)
        if kept is None:
            shutil.rmtree(folder, ignore_errors=True)
            writer = OutputsWriter(folder)
            for row in chosen:
                writer.add(row["features"])
            writer.flush()
            index = {
                "utterance_ids": [row["id"] for row in chosen], "texts": [row["text"] for row in chosen],
                "frames": [len(row["features"]) for row in chosen], "parts": writer.parts, "sums": writer.sums,
                "labels": len(self.labels) + 1, "seconds": sum(row["duration_s"] for row in chosen),
                "acoustic": {"wall_s": 0.0, "cpu_s": 0.0},
            }  # fmt: skip
            write_json_atomic(folder / "index.json", index)
            kept = kept_outputs(folder)
        if kept is None:
            raise DataError(
                f"{folder}: what was written there just now reads back otherwise: a failing disk?"
            )
        return kept


def _no_logs(values: npt.NDArray[np.floating[Any]]) -> str:
    """Why an array [frames, labels] holds no natural logs of probabilities, with the first frame; "" where it does."""
    with np.errstate(over="ignore", invalid="ignore"):
        sums = np.exp(values.astype(np.float64)).sum(axis=1)
        frames = np.flatnonzero(~(np.abs(sums - 1) <= _OFF) | (values > _OFF).any(axis=1))
        if not len(frames):
            return ""
        frame = int(frames[0])
        row = values[frame].astype(np.float64)
        place = f"frame {frame} ({len(frames)} of {len(values)} frames are wrong)"
        if np.isnan(row).any():
            return f"{place}: label {int(np.isnan(row).argmax())} is NaN: did the network diverge?"
        if np.isneginf(row).all():
            return f"{place}: every label is -inf: a frame of padding, or a row that was never filled?"
        likely = "scores before the softmax? take log_softmax of them"
        if abs(row.sum() - 1) <= _OFF and row.min() >= 0:
            likely = "probabilities? take their natural logs"
        elif abs((10.0**row).sum() - 1) <= _OFF:
            likely = "logs to the base of ten? multiply them by 2.302585"
        elif abs((2.0**row).sum() - 1) <= _OFF:
            likely = "logs to the base of two? multiply them by 0.693147"
        return (
            f"{place}: the largest value is {row.max():g} and the probabilities sum to {sums[frame]:.4g} instead of 1: "
            f"{likely}"
        )


def _lines(path: Path) -> list[list[str]]:
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            return [fields for fields in csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE) if fields]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{path}: cannot be read: {error}; labels.tsv and refs.tsv lie beside the file"
        ) from error
