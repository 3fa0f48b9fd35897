"""What the forms share: rows with progress, safe file names, sound as FLAC or WAV files, members of tars."""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from native import flac
from store.console import Progress
from store.corpus import Corpus

Row = dict[str, Any]
_COLUMNS = [
    "utterance_id", "split", "subset", "speaker_id", "gender", "language", "licence", "audio", "sample_rate_hz",
    "num_samples", "duration_s", "text",
]  # fmt: skip


class Tally:
    """Running totals over all splits, shown as progress."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._done, self._hours = progress, 0, 0.0

    def add(self, row: Row) -> None:
        """One more utterance is written."""
        self._done += 1
        self._hours += row["duration_s"] / 3600
        self._progress.update(self._done, self._done, self._hours)


@dataclass(frozen=True)
class Rows:
    """The utterances of one split, in the manifest's order; iterating shows progress."""

    corpus: Corpus
    split: str
    tally: Tally

    def __iter__(self) -> Iterator[Row]:
        for batch in self.corpus.batches(self.split, columns=_COLUMNS):
            for row in batch.to_pylist():
                yield row
                self.tally.add(row)


def file_name(utterance_id: str, suffix: str, dots: bool = True) -> str:
    """A file name for an id of any kind: no separator, no leading dot, unique where characters were replaced.

    `dots` False: none in the stem either, for readers of tars that take the first dot for its end.
    """
    plain = re.sub(r"[^A-Za-z0-9._-]" if dots else r"[^A-Za-z0-9_-]", "_", utterance_id).lstrip(".")[:120]
    if plain != utterance_id:
        plain += "-" + hashlib.sha256(utterance_id.encode()).hexdigest()[:12]
    return plain + suffix


def write_flac(row: Row, folder: Path) -> Path:
    """The sound as it stands in the store: FLAC, 16-bit mono."""
    path = folder / file_name(row["utterance_id"], ".flac")
    path.write_bytes(row["audio"]["bytes"])
    return path


def add_to_tar(packed: tarfile.TarFile, name: str, data: bytes) -> None:
    """A member without time and owner, so that the same version gives the same bytes."""
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    packed.addfile(entry, io.BytesIO(data))


def write_wav(row: Row, folder: Path, rate_hz: int | None = None) -> Path:
    """The sound as 16-bit mono WAV; `rate_hz` None = the rate it has."""
    sound = flac.decode(row["audio"]["bytes"])
    samples, rate = sound.samples[:, 0], sound.sample_rate_hz
    if rate_hz is not None and rate != rate_hz:
        samples, rate = _resampled(samples, rate, rate_hz), rate_hz
    path = folder / file_name(row["utterance_id"], ".wav")
    soundfile.write(path, samples, rate, subtype="PCM_16")
    return path


def _resampled(samples: npt.NDArray[np.int16], rate: int, rate_hz: int) -> npt.NDArray[np.int16]:
    import soxr

    found: npt.NDArray[np.int16] = soxr.resample(samples, rate, rate_hz, quality="HQ")
    return found
