"""What of the store takes how much room, and what of it only older versions need.

Files that several versions share (second names of one file) are counted once, for the first that has them: the current
version, then the others by name. Nothing is removed here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from store.store import Store


@dataclass(frozen=True)
class Use:
    """The room that one thing takes.

    Attributes:
        kind: the folder of the store it lies in. name: its own; "" for a whole folder.
        bytes: of everything current. older_bytes: what only older versions hold, `older` of them.
    """

    kind: str
    name: str
    bytes: int
    older: int = 0
    older_bytes: int = 0


_VERSIONED = ("corpora", "language_models")


def usage(store: Store) -> list[Use]:
    """Every corpus, language model, run and remaining folder of a store on a disk, the largest first."""
    seen: set[tuple[int, int]] = set()
    found: list[Use] = []
    for folder in sorted(path for path in store.root.iterdir() if path.is_dir()):
        if folder.name in _VERSIONED:
            found += [_versions(folder.name, one, seen) for one in _folders(folder)]
        elif folder.name == "runs":
            found += [Use("runs", one.name, _bytes(one, seen)) for one in _folders(folder)]
        else:
            found.append(Use(folder.name, "", _bytes(folder, seen)))
    return sorted(found, key=lambda use: (-(use.bytes + use.older_bytes), use.kind, use.name))


def _folders(path: Path) -> Iterator[Path]:
    yield from sorted(one for one in path.iterdir() if one.is_dir() and not one.is_symlink())


def _versions(kind: str, path: Path, seen: set[tuple[int, int]]) -> Use:
    current = (path / "current").resolve()
    versions = list(_folders(path))
    now = sum(_bytes(one, seen) for one in versions if one.resolve() == current)
    others = [one for one in versions if one.resolve() != current]
    return Use(kind, path.name, now, len(others), sum(_bytes(one, seen) for one in others))


def _bytes(path: Path, seen: set[tuple[int, int]]) -> int:
    """The room on the disk of every file below a folder that was not counted yet."""
    total, open_folders = 0, [path]
    while open_folders:
        with os.scandir(open_folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    open_folders.append(Path(entry.path))
                elif entry.is_file(follow_symlinks=False):
                    stat = entry.stat(follow_symlinks=False)
                    if (stat.st_dev, stat.st_ino) not in seen:
                        seen.add((stat.st_dev, stat.st_ino))
                        total += stat.st_blocks * 512
    return total
