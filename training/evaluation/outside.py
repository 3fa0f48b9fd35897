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
import shutil
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from store.store import Store
from store.writing import sha256_file, write_bytes_atomic, write_json_atomic
from training.decoding.network_outputs import NetworkOutputs, OutputsWriter, read_outputs
from training.errors import DataError
from training.network.feed.feature_folder import FeatureFolder

_HOP_S = 0.02


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
        lines = _lines(self.path.with_name("refs.tsv"))
        if lines and lines[0] == ["id", "split", "speaker", "text"]:
            wide = [dict(zip(lines[0], fields, strict=False)) for fields in lines[1:]]
            rows = [{"id": "", "split": "", "speaker": "", "text": "", **one} for one in wide]
        else:
            rows = [
                {"id": one[0], "split": "test", "speaker": "", "text": one[1]}
                for one in lines
                if len(one) > 1
            ]
        missing = [row["id"] for row in rows if row["id"] not in self._stored.files]
        if missing or not rows:
            what = f"{missing[0]!r} is not in {self.path.name}" if missing else "no reference stands there"
            raise DataError(f"{self.path.with_name('refs.tsv')}: {what}")
        return rows

    @cached_property
    def settings(self) -> dict[str, float]:
        return {"hop_s": _HOP_S, "stack": 1}

    @cached_property
    def _stored(self) -> Any:
        try:
            return np.load(self.path, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise DataError(f"{self.path}: cannot be read: {error}") from error

    def features(self, utterance_id: str) -> npt.NDArray[np.float32]:
        """Log-probabilities, float32 [frames, labels + blank]."""
        values = self._stored[utterance_id]
        width = len(self.labels) + 1
        if values.ndim != 2 or values.shape[1] != width or values.dtype.kind != "f" or np.isnan(values).any():
            raise DataError(
                f"{self.path}: {utterance_id}: expected [frames, {width}] without NaN, got {values.shape}"
            )
        logs: npt.NDArray[np.float32] = values.astype(np.float32)
        if len(logs) and abs(float(np.exp(logs.astype(np.float64)).sum(axis=1).mean()) - 1) > 0.05:
            raise DataError(f"{self.path}: {utterance_id}: these are no natural logs of probabilities")
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
        key = hashlib.sha256("\n".join([self.version, *(row["id"] for row in chosen)]).encode()).hexdigest()[
            :24
        ]
        folder = store.cache_dir / "log_probs" / key
        if not (folder / "index.json").is_file():
            shutil.rmtree(folder, ignore_errors=True)
            writer = OutputsWriter(folder)
            for row in chosen:
                writer.add(row["features"])
            writer.flush()
            index = {
                "utterance_ids": [row["id"] for row in chosen], "texts": [row["text"] for row in chosen],
                "frames": [len(row["features"]) for row in chosen], "parts": writer.parts,
                "labels": len(self.labels) + 1, "seconds": sum(row["duration_s"] for row in chosen),
                "acoustic": {"wall_s": 0.0, "cpu_s": 0.0},
            }  # fmt: skip
            write_json_atomic(folder / "index.json", index)
        return read_outputs(folder)


def _lines(path: Path) -> list[list[str]]:
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            return [fields for fields in csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE) if fields]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{path}: cannot be read: {error}; labels.tsv and refs.tsv lie beside the file"
        ) from error
