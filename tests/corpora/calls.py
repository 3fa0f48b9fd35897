"""Invented calls for the tests of importers: sources of files, two tones on two channels, whole refreshes."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from corpora.audio.clip import Clip, cut
from corpora.audio.decoding import decode
from corpora.importer import Ignored, ImportOptions, RawSegment, Rejection, Scan
from corpora.importers import get_importer
from corpora.options import checked
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from corpora.sources.opening import open_source
from corpora.sources.source import Source
from demo.sphere_writer import Samples, SphereFormat, sphere_bytes

TONES_HZ = (500, 1300)  # side A, side B


def tree(root: Path, files: dict[str, str | bytes]) -> Path:
    """Write files below a folder."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def two_tones(seconds: float = 6.0, rate_hz: int = 8000, seed: int = 0) -> Samples:
    """int16 `[n, 2]`: 500 Hz on the first channel, 1300 Hz on the second, never twice the same by its noise."""
    at = np.arange(round(seconds * rate_hz)) / rate_hz
    noise = np.random.default_rng(seed).normal(scale=20, size=(len(at), 2))
    sides = [6000 * np.sin(2 * np.pi * pitch * at) for pitch in TONES_HZ]
    return (np.stack(sides, axis=1) + noise).astype(np.int16)


def call_bytes(seconds: float = 6.0, shorten: bool = True, seed: int = 0) -> bytes:
    """A call as the discs hold it: two-channel mu-law SPHERE at 8 kHz with its checksum."""
    return sphere_bytes(two_tones(seconds, seed=seed), SphereFormat(8000, "ulaw", shorten=shorten))


@dataclass(frozen=True)
class Read:
    """What an importer made of a source."""

    source: Source
    scan: Scan
    items: list[RawSegment | Rejection | Ignored]

    @property
    def segments(self) -> list[RawSegment]:
        return [item for item in self.items if isinstance(item, RawSegment)]

    @property
    def rejections(self) -> list[Rejection]:
        return [*self.scan.rejections, *(item for item in self.items if isinstance(item, Rejection))]

    @property
    def ignored(self) -> list[Ignored]:
        return [*self.scan.ignored, *(item for item in self.items if isinstance(item, Ignored))]

    def sound(self, segment: RawSegment) -> Clip:
        data = self.source.read_bytes(segment.audio.member)
        return cut(decode(data, segment.audio.accept_checksum_mismatch), segment.audio)


def read(importer: str, *sources: Path, **options: str) -> Read:
    """Scan and read sources without importing them."""
    source, it = open_source(sources), get_importer(importer)
    scan = it.scan(source, ImportOptions(options=checked(it, options)))
    return Read(source, scan, [item for unit in scan.units for item in it.read(source, unit)])


def command(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """`python -m corpora` in this process; it shall not move the temporary folder of the tests that follow."""
    from corpora.__main__ import main

    monkeypatch.setenv("TMPDIR", tempfile.gettempdir())
    return main(arguments)


def pitch_hz(samples: np.ndarray, rate_hz: int = 8000) -> float:
    """The loudest frequency."""
    return float(np.abs(np.fft.rfft(samples)).argmax() * rate_hz / len(samples))


@dataclass(frozen=True)
class Published:
    """What a refresh published or refused."""

    said: dict[str, Any]
    rows: list[dict[str, Any]]
    rejections: list[dict[str, Any]]
    manifest: dict[str, Any]


def publish(importer: str, store: Path, *sources: Path, **options: str) -> Published:
    """A whole refresh."""
    from store.writing import read_json

    said = refresh(RefreshRequest(importer, sources, store=store, options=options))
    path = Path(said["path"])
    rows = [row for shard in sorted(path.glob("*/*.parquet")) for row in pq.read_table(shard).to_pylist()]
    rejections = pq.read_table(path / "rejections.parquet").to_pylist()
    return Published(said, rows, rejections, read_json(path / "manifest.json"))
