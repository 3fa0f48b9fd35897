"""The reader of a folder and everything below it, behind a `Source`. Nothing is opened while it lists."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from corpora.sources import Member, is_litter, tree_identity, tree_stamp, unsafe_name
from corpora.utterance import Rejection


def file_stamp(status: os.stat_result) -> str:
    """Changes whenever the content may have changed: size, time of change, inode."""
    return f"{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}-{status.st_ino}"


class DirectoryReader:
    """A folder and everything below it; links are followed while they stay inside."""

    def __init__(self, root: Path, label: str, prefix: str) -> None:
        self.root, self.label, self.prefix = root, label, prefix
        self.damage: list[Rejection] = []
        self.litter = 0
        self._listing: dict[str, Member] | None = None

    def listing(self) -> dict[str, Member]:
        if self._listing is None:
            self._listing = {}
            inside = self.root.resolve()
            for folder, folders, names in os.walk(self.root, followlinks=True, onerror=self._unreadable):
                here = Path(folder)
                folders[:] = [d for d in sorted(folders) if self._enter(here / d, inside)]
                for name in names:
                    self._add(here / name, inside)
        return self._listing

    def _unreadable(self, error: OSError) -> None:
        where = self.prefix + Path(error.filename).relative_to(self.root).as_posix()
        self.damage.append(Rejection(where, "source_unreadable", f"folder cannot be read: {error.strerror}"))

    def _enter(self, path: Path, inside: Path) -> bool:
        relative = path.relative_to(self.root).as_posix()
        if is_litter(relative + "/"):
            self.litter += 1
            return False
        if not path.is_symlink():
            return True
        target = path.resolve()
        ok = target.is_relative_to(inside) and not path.absolute().is_relative_to(target)
        if not ok:
            self.damage.append(
                Rejection(self.prefix + relative, "unsafe_member", "link that leaves the source")
            )
        return ok

    def _add(self, path: Path, inside: Path) -> None:
        relative = path.relative_to(self.root).as_posix()
        reason = unsafe_name(relative)
        if path.is_symlink() and not path.resolve().is_relative_to(inside):
            reason = "link that leaves the source"
        elif reason is None and not path.is_file():
            reason = "not a regular file (broken link, device or socket)"
        if reason is not None:
            self.damage.append(Rejection(self.prefix + relative, "unsafe_member", reason))
        elif is_litter(relative):
            self.litter += 1
        elif self._listing is not None:
            status = path.stat()
            self._listing[relative] = Member(relative, status.st_size, file_stamp(status))

    def open(self, name: str) -> BinaryIO:
        return (self.root / name).open("rb")

    def path(self, name: str) -> Path | None:
        return self.root / name

    def place(self, name: str) -> list[int]:
        return []

    def adopt(self, places: Mapping[str, list[int]]) -> None:
        pass

    def identity(self) -> dict[str, str | int]:
        return tree_identity(self.label, self.listing())

    def stamp(self) -> str:
        return tree_stamp(self.listing())
