"""What the layouts share: directories built in one step, audio files, resampling, repeatable archives."""

from __future__ import annotations

import gzip
import os
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeVar, cast

import numpy as np
import soundfile
import soxr

from demo.layouts import RATE_HZ, Defects, Samples, SpokenUtterance
from store.writing import temporary_beside

Key = TypeVar("Key")

PHONE_RATE_HZ = 8000
_EPOCH = 315532800  # 1980-01-01, the earliest time a zip can hold


@contextmanager
def building(target: Path) -> Iterator[Path]:
    """Give a temporary sibling that becomes `target` when the block ends well, else vanishes."""
    if target.exists():
        raise FileExistsError(f"{target} exists already: a layout is only written into a new place")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = temporary_beside(target)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        yield partial
        partial.replace(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def building_file(target: Path) -> Iterator[Path]:
    """Give a temporary sibling file that becomes `target` when the block ends well, else vanishes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = temporary_beside(target)
    try:
        yield partial
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, lines: Iterable[str]) -> None:
    """Write lines, each with a newline, as UTF-8; directories are made when missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


def write_audio(path: Path, samples: Samples, rate_hz: int = RATE_HZ) -> None:
    """Write 16-bit mono audio; the suffix chooses FLAC, WAV or MP3."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".mp3":
        soundfile.write(path, samples, rate_hz, format="MP3", subtype="MPEG_LAYER_III")
    else:
        soundfile.write(path, samples, rate_hz, subtype="PCM_16")


def truncate_file(path: Path, keep: float = 0.5) -> None:
    """Cut a file to the first `keep` share of its bytes: what an interrupted copy leaves."""
    os.truncate(path, int(path.stat().st_size * keep))


def resample(samples: Samples, rate_hz: int) -> Samples:
    """16 kHz int16 mono -> `rate_hz`, with exactly round(n * rate / 16000) samples."""
    if rate_hz == RATE_HZ:
        return samples
    wanted = round(len(samples) * rate_hz / RATE_HZ)
    out = soxr.resample(samples, RATE_HZ, rate_hz, quality="HQ")[:wanted]
    return np.pad(out, (0, wanted - len(out))).astype(np.int16)


def pad_to(samples: Samples, step: int) -> Samples:
    """Append zeros until the length is a multiple of `step`, so that rounded times stay exact."""
    return np.pad(samples, (0, -len(samples) % step)).astype(np.int16)


def groups(
    utterances: Sequence[SpokenUtterance], key: Callable[[SpokenUtterance], Key], size: int
) -> list[tuple[Key, list[int]]]:
    """Indices of utterances with an equal key, at most `size` together, keys in order of first appearance."""
    members: dict[Key, list[int]] = {}
    for index, utterance in enumerate(utterances):
        members.setdefault(key(utterance), []).append(index)
    return [
        (name, indices[at : at + size])
        for name, indices in members.items()
        for at in range(0, len(indices), size)
    ]


def speaker_order(utterances: Sequence[SpokenUtterance]) -> dict[str, int]:
    """Speakers numbered from 0 in order of first appearance."""
    numbers: dict[str, int] = {}
    for utterance in utterances:
        numbers.setdefault(utterance.speaker, len(numbers))
    return numbers


def example(utterances: Sequence[SpokenUtterance]) -> SpokenUtterance:
    """The utterance that planted defects copy: the first for training, else the first."""
    if not utterances:
        raise ValueError("a layout needs at least one utterance")
    return next((item for item in utterances if item.split == "train"), utterances[0])


def kinds(defects: Defects, *possible: str) -> list[str]:
    """The defects to plant of the possible kinds, one name per defect, in a fixed order."""
    return [kind for kind in possible for _ in range(getattr(defects, kind))]


def pack(directory: Path, archive: Path) -> Path:
    """Pack a directory (its name is the root) as .tar, .tar.gz, .tar.xz or .zip; bytes are repeatable."""
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    named = [(path, f"{directory.name}/{path.relative_to(directory).as_posix()}") for path in files]
    with building_file(archive) as partial:
        _fill(partial, archive.name, named)
    return archive


def _fill(partial: Path, name: str, named: list[tuple[Path, str]]) -> None:
    """Write the archive whose kind `name` tells."""
    if name.endswith(".zip"):
        with zipfile.ZipFile(partial, "w") as zipped:
            for path, member in named:
                add_to_zip(zipped, member, path.read_bytes())
    elif name.endswith((".tar.gz", ".tgz")):
        with partial.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, 0) as stream:
            _fill_tar(cast(IO[bytes], stream), named)
    elif name.endswith(".tar.xz"):
        with tarfile.open(partial, "w:xz", preset=1, format=tarfile.PAX_FORMAT) as tar:
            _add_members(tar, named)
    elif name.endswith(".tar"):
        with partial.open("wb") as raw:
            _fill_tar(raw, named)
    else:
        raise ValueError(f"{name}: no archive kind has this suffix; use .zip, .tar, .tar.gz or .tar.xz")


def add_to_zip(zipped: zipfile.ZipFile, name: str, data: bytes) -> None:
    """Add one deflated member with a fixed date and plain permissions."""
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    zipped.writestr(info, data, compresslevel=1)


def _fill_tar(stream: IO[bytes], named: list[tuple[Path, str]]) -> None:
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        _add_members(tar, named)


def _add_members(tar: tarfile.TarFile, named: list[tuple[Path, str]]) -> None:
    for path, name in named:
        info = tarfile.TarInfo(name)
        info.size, info.mtime, info.mode = path.stat().st_size, _EPOCH, 0o644
        with path.open("rb") as file:
            tar.addfile(info, file)
