"""Pack spoken utterances as a corpus in its true layout, with planted defects on request.

Every module has `write(root, utterances, defects) -> Written`: it makes one new directory (the donated
layout: one zip) under `root`, byte-identical for equal input, and says where every utterance and every
planted defect went. Defects are additions: they never touch the utterances that were given, so what is
rejected is known beforehand. Nothing here speaks, downloads or imports; `pack` turns a written directory
into an archive.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]

RATE_HZ = 16000
"""Sample rate of `SpokenUtterance.samples`."""


@dataclass(frozen=True)
class SpokenUtterance:
    """One spoken sentence: int16 mono `samples` at 16 kHz, plain lower-case `text`, `gender` "m" or "f".

    `split` is "train", "dev" or "test"; layouts without official splits use it to pair callers.
    """

    speaker: str
    gender: str
    text: str
    samples: Samples
    split: str = "train"


@dataclass(frozen=True)
class Defects:
    """How many defects of each kind to plant (0 = none). Kinds a layout cannot have are left out."""

    truncated_audio: int = 0
    bad_time: int = 0
    odd_token: int = 0
    missing_audio: int = 0

    @classmethod
    def one_of_each(cls) -> Defects:
        """One planted defect of every kind."""
        return cls(truncated_audio=1, bad_time=1, odd_token=1, missing_audio=1)


@dataclass(frozen=True)
class Planted:
    """One planted defect: its kind (a field of `Defects`), file and line, and the rows it costs."""

    kind: str
    path: str
    line: int | None
    rows: int
    text: str


@dataclass(frozen=True)
class Placed:
    """Where utterance `index` of the input went: audio file, channel, span, text as written."""

    index: int
    path: str
    channel: int
    start_s: float
    end_s: float
    text: str


@dataclass(frozen=True)
class Written(os.PathLike[str]):
    """A written layout: its path, where everything went, what was planted, the corpus id of each speaker."""

    path: Path
    placed: tuple[Placed, ...]
    planted: tuple[Planted, ...]
    speakers: dict[str, str] = field(default_factory=dict)

    def __fspath__(self) -> str:
        return str(self.path)

    def rows_lost(self) -> dict[str, int]:
        """Rows that must be rejected, by kind of planted defect."""
        counts: dict[str, int] = {}
        for planted in self.planted:
            counts[planted.kind] = counts.get(planted.kind, 0) + planted.rows
        return dict(sorted(counts.items()))


ODD_TOKEN = "[xyzzy]"
"""A bracket tag of no known convention: a normaliser must reject the line, not drop the tag."""
