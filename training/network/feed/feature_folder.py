"""A set that exists as features only: a folder that stands where a published corpus would.

    <id>.npy          float32 [frames, n]
    transcripts.tsv   header id, split, speaker, text; one line per utterance, fields between tabs
    features.toml     hop_s = 0.01 (seconds between frames); stack = 2 joins so many frames into one; optional

Every utterance named must be there with finite values of one width, none of them beyond what features can be: one
absurd frame would spoil mean and deviation of all. What is wrong is one sentence. Computes no features and hears no
sound.
"""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from store.corpus import SPLITS, Corpus
from store.manifests import Manifest
from training.errors import DataError
from training.network.config import TrainingConfig

if TYPE_CHECKING:
    import pyarrow as pa

    from store.store import Store

_Peaks = npt.NDArray[np.float32]

_HEADER = ["id", "split", "speaker", "text"]
_SETTINGS = "features.toml"
_TRANSCRIPTS = "transcripts.tsv"
_LARGEST = 1e8  # a magnitude spectrum of int16 at full scale has 8e6, logarithms and cepstra tens
_UNLIKE = 1e3  # times what the other utterances reach: 60 dB, were it a magnitude
_SMALL = 0.01  # of the largest coefficient: a coefficient that is nearly always zero may be as large
_LIKELY = "bytes in another order, memory that was never filled, or a damaged file?"


class FeatureFolder(Corpus):
    """See above; `version` is made of the content of all its files."""

    @classmethod
    def open(cls, path: Path) -> FeatureFolder:
        """Read and check a folder.

        Raises:
            DataError: a file is missing or not what it should be; names it.
        """
        folder = cls(path.name, "", path.resolve())
        version, peaks = folder._content()
        folder._refuse_unlike(peaks)
        return cls(path.name, version[:16], path.resolve())

    @cached_property
    def settings(self) -> dict[str, float]:
        """hop_s of the joined frames, and how many are joined."""
        path = self.path / _SETTINGS
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise DataError(f"{path}: cannot be read: {error}") from error
        hop_s, stack = table.get("hop_s"), table.get("stack", 1)
        unknown = sorted(set(table) - {"hop_s", "stack"})
        if unknown:
            raise DataError(f"{path}: unknown key {unknown[0]!r}; there are hop_s and stack")
        if not isinstance(hop_s, float) or not 0.001 <= hop_s <= 1 or stack not in range(1, 101):
            raise DataError(
                f"{path}: hop_s is the seconds between two frames (0.01), stack a whole number from 1"
            )
        return {"hop_s": hop_s * stack, "stack": stack}

    @cached_property
    def rows(self) -> list[dict[str, str]]:
        """The lines of transcripts.tsv."""
        path = self.path / _TRANSCRIPTS
        try:
            with path.open(encoding="utf-8", newline="") as stream:
                lines = list(csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise DataError(f"{path}: cannot be read: {error}") from error
        if not lines or lines[0] != _HEADER:
            raise DataError(f"{path}:1: the header must be {' '.join(_HEADER)}, between tabs")
        rows = []
        for number, fields in enumerate(lines[1:], start=2):
            if len(fields) != len(_HEADER) or fields[1] not in SPLITS or "/" in fields[0] or not fields[0]:
                raise DataError(
                    f"{path}:{number}: expected an id, one of {', '.join(SPLITS)}, a speaker and a text"
                )
            rows.append(dict(zip(_HEADER, fields, strict=True)))
        twice = [name for name, count in Counter(row["id"] for row in rows).items() if count > 1]
        if twice:
            raise DataError(f"{path}: the id {twice[0]!r} stands there twice")
        return rows

    @cached_property
    def manifest(self) -> Manifest:
        """What a corpus' manifest would say of its splits."""
        counts = Counter(row["split"] for row in self.rows)
        splits = {split: {"utterances": counts[split]} for split in counts}
        return Manifest.from_json({"splits": splits, "shards": []})

    def features(self, utterance_id: str) -> npt.NDArray[np.float32]:
        """float32 [frames, coefficients], joined as features.toml says.

        Raises:
            DataError: missing, of another kind, not finite or larger than any feature.
        """
        stack = int(self.settings["stack"])
        values = _read(self.path / f"{utterance_id}.npy")
        whole = len(values) // stack * stack
        joined: npt.NDArray[np.float32] = values[:whole].reshape(whole // stack, stack * values.shape[1])
        return joined

    @cached_property
    def coefficients(self) -> int:
        """Width of a joined frame."""
        if not self.rows:
            raise DataError(f"{self.path / _TRANSCRIPTS}: no utterance stands there")
        return int(self.features(self.rows[0]["id"]).shape[1])

    def chosen(self, split: str | None) -> Iterator[dict[str, Any]]:
        """Rows of a split with their features."""
        for row in self.rows:
            if split is None or row["split"] == split:
                values = self.features(row["id"])
                if values.shape[1] != self.coefficients:
                    raise DataError(
                        f"{self.path / row['id']}.npy: {values.shape[1]} values a frame, others have {self.coefficients}"
                    )
                yield {**row, "features": values, "duration_s": len(values) * self.settings["hop_s"]}

    def batches(
        self, split: str | None = None, subset: str | None = None, columns: Sequence[str] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """The columns that describe utterances, as a corpus has them; sound and measures are null."""
        import pyarrow as pa

        from corpora.utterance import SCHEMA

        wanted = list(columns) if columns is not None else SCHEMA.names
        rows = [
            {
                "utterance_id": row["id"], "corpus": self.name, "split": row["split"], "subset": "",
                "speaker_id": row["speaker"], "duration_s": row["duration_s"], "text": row["text"],
                "source_path": f"{row['id']}.npy",
            }
            for row in self.chosen(split)
            if not subset
        ]  # fmt: skip
        schema = pa.schema([SCHEMA.field(name) for name in wanted])
        yield pa.RecordBatch.from_pylist(
            [{name: row.get(name) for name in wanted} for row in rows], schema=schema
        )

    def configured(self, config: TrainingConfig) -> TrainingConfig:
        """The configuration with the front end of this folder."""
        hop_s = self.settings["hop_s"]
        features = dataclasses.replace(
            config.features, coefficients=self.coefficients, hop_s=hop_s, window_s=max(hop_s, config.features.window_s),
            mel_filters=max(self.coefficients, config.features.mel_filters),
        )  # fmt: skip
        data = dataclasses.replace(config.data, feature_folder=str(self.path))
        return dataclasses.replace(config, features=features, data=data)

    def _content(self) -> tuple[str, dict[str, _Peaks]]:
        """Hash of all files; the largest magnitude of each coefficient, by utterance."""
        digest, peaks = hashlib.sha256(), {}
        for name in (_SETTINGS, _TRANSCRIPTS, *(f"{row['id']}.npy" for row in self.rows)):
            path = self.path / name
            try:
                content = path.read_bytes()
            except OSError as error:
                raise DataError(f"{path}: cannot be read: {error}") from error
            digest.update(f"{name} {len(content)}\n".encode() + content)
            if path.suffix == ".npy":
                values = _read(path, content)
                if len(values):
                    peaks[name] = np.maximum(values.max(axis=0), -values.min(axis=0))
        return digest.hexdigest(), peaks

    def _refuse_unlike(self, peaks: dict[str, _Peaks]) -> None:
        """Refuse what no whitening survives: an utterance a thousand times larger than the others.

        Raises:
            DataError: names the file, its frame, the value and what the others have.
        """
        widths = Counter(len(one) for one in peaks.values())
        if not widths:
            return
        width = widths.most_common(1)[0][0]  # files of another width are refused where they are read
        alike = {name: one for name, one in peaks.items() if len(one) == width}
        table = np.stack(list(alike.values()))
        usual = np.quantile(table, 0.5, axis=0, method="lower")
        bound = _UNLIKE * np.maximum(usual, _SMALL * usual.max())
        beyond = np.flatnonzero((table > bound).any(axis=1))
        if usual.max() > 0 and len(beyond):
            name, over = list(alike)[beyond[0]], table[beyond[0]] > bound
            values = np.abs(_read(self.path / name))
            frame, place = np.unravel_index(int(np.where(over, values, 0).argmax()), values.shape)
            more = f" ({len(beyond)} such files in all)" if len(beyond) > 1 else ""
            raise DataError(
                f"{self.path / name}: frame {frame}, coefficient {place}: a magnitude of {values[frame, place]:g}, "
                f"where half of the utterances stay below {usual[place]:g}{more}: {_LIKELY}"
            )


def _read(path: Path, content: bytes | None = None) -> npt.NDArray[np.float32]:
    """The array of a file as it is stored, [frames, n]."""
    try:
        values = np.load(path if content is None else io.BytesIO(content), allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path}: no features can be read: {error}") from error
    if not isinstance(values, np.ndarray) or values.ndim != 2 or values.dtype != np.float32:
        what = f"{values.dtype} {values.shape}" if isinstance(values, np.ndarray) else "several arrays"
        raise DataError(f"{path}: features are finite float32 [frames, n], not {what}")
    odd = ~(np.abs(values) <= _LARGEST)
    if odd.any():
        frame, place = np.unravel_index(int(odd.argmax()), values.shape)
        raise DataError(
            f"{path}: frame {frame}, coefficient {place}: {values[frame, place]:g} is no feature; they are finite "
            f"float32 of magnitudes up to {_LARGEST:g}: {_LIKELY}"
        )
    return values


def corpus_or_folder(store: Store, named: str) -> Corpus:
    """A published corpus by its name, or a folder of features by its path."""
    if (Path(named) / _SETTINGS).is_file():
        return FeatureFolder.open(Path(named))
    return store.corpus(named)


def transcripts_table(rows: Iterable[tuple[str, str, str, str]]) -> bytes:
    """What `transcripts.tsv` holds of id, split, speaker and text; references of outputs are written so too."""
    table = io.StringIO()
    writer = csv.writer(table, delimiter="\t", quoting=csv.QUOTE_NONE, lineterminator="\n")
    writer.writerow(_HEADER)
    writer.writerows(rows)
    return table.getvalue().encode()
