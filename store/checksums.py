"""Whether finished files are still those that were sealed: sizes at every look, SHA-256 once per file and change.

Notes in `cache/checksums.json` say which file (device, inode, size, time of change) had which SHA-256, so that a
second look costs one `stat` a file, also where a later version holds the same file by a second name. They are as
true as the file system's times; `full=True` reads every byte. Deleted, they are made again. Mends nothing.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from store.errors import StoreError
from store.writing import sha256_file, write_bytes_atomic

_MOST_NOTES = 100_000


@dataclass(frozen=True)
class Sealed:
    """A file below a folder as its manifest has it; None = the manifest does not say."""

    path: str
    size_bytes: int | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Damage:
    """What is wrong with one file: it is `missing`, has another `size`, or other `content`."""

    path: str
    kind: str
    reason: str


def find_damage(
    folder: Path, files: Iterable[Sealed], notes: Path | None = None, full: bool = False
) -> list[Damage]:
    """The files of a folder that are not as they were sealed, in the order given; [] = all are whole.

    Args:
        notes: where known hashes are kept (`checksums.json` in a store's cache); None = nowhere.
        full: read every byte, whatever the notes say.
    """
    known = _read(notes)
    fresh: dict[str, str] = {}
    found = [
        damage
        for file in files
        if (damage := _compare(folder / file.path, file, {} if full else known, fresh))
    ]
    if fresh and notes is not None:
        _write(notes, {**known, **fresh})
    return found


def remember(folder: Path, files: Iterable[Sealed], notes: Path) -> None:
    """Note the hashes of files that were hashed just now, so that the first look at them reads nothing."""
    fresh = {_key((folder / file.path).stat()): file.sha256 for file in files if file.sha256 is not None}
    _write(notes, {**_read(notes), **fresh})


def _key(status: os.stat_result) -> str:
    return f"{status.st_dev}:{status.st_ino}:{status.st_size}:{status.st_mtime_ns}"


def _compare(path: Path, file: Sealed, known: dict[str, str], fresh: dict[str, str]) -> Damage | None:
    try:
        status = path.stat()
    except OSError as error:
        return Damage(file.path, "missing", f"{path} is missing ({error.strerror})")
    if not stat.S_ISREG(status.st_mode):
        return Damage(file.path, "missing", f"{path} is no file")
    if file.size_bytes is not None and status.st_size != file.size_bytes:
        return Damage(
            file.path,
            "size",
            f"{path} has {status.st_size} bytes instead of {file.size_bytes}: it was cut or replaced",
        )
    if file.sha256 is None:
        return None
    key = _key(status)
    found = known.get(key)
    if found is None:
        try:
            found = fresh[key] = sha256_file(path)
        except OSError as error:
            return Damage(file.path, "content", f"{path} cannot be read ({error.strerror})")
    if found == file.sha256:
        return None
    return Damage(
        file.path,
        "content",
        f"{path} is not the file that was sealed (its SHA-256 differs): it was damaged or replaced",
    )


def _read(notes: Path | None) -> dict[str, str]:
    """The notes; none where the file is missing or damaged: they are only worth the time they save."""
    with suppress(OSError, ValueError, RecursionError):
        loaded = json.loads(notes.read_bytes()) if notes is not None else {}
        if isinstance(loaded, dict):
            return {key: value for key, value in loaded.items() if isinstance(value, str)}
    return {}


def _write(notes: Path, known: dict[str, str]) -> None:
    latest = dict([*known.items()][-_MOST_NOTES:])
    with suppress(StoreError, OSError):  # a store that can only be read is checked anew each time
        write_bytes_atomic(notes, json.dumps(latest).encode())
