"""The reader of a folder and everything below it, behind a `Source`. Nothing is opened while it lists."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from corpora.reading import open_below
from corpora.sources.encodings_of_names import readable_names
from corpora.sources.names import is_litter, unsafe_name
from corpora.sources.source import Member, tree_identity, tree_stamp
from corpora.utterance import Rejection

_ADVICE = ": name the folder that it leads to as a source of its own, or copy it into this one"


def file_stamp(status: os.stat_result) -> str:
    """Changes whenever the content may have changed: size, time of change, inode."""
    return f"{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}-{status.st_ino}"


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _regular(entry: os.DirEntry[str]) -> os.stat_result | None:
    """What the system says of a regular file, or of the one a link leads to; None where it is none."""
    try:
        status = entry.stat()
    except OSError:
        return None
    return status if stat.S_ISREG(status.st_mode) else None


def _leads_inside(link: Path, inside: Path) -> bool:
    try:
        return link.resolve().is_relative_to(inside)
    except (OSError, RuntimeError):  # a link to itself
        return False


class DirectoryReader:
    """A folder and everything below it; links are followed while they stay inside."""

    def __init__(self, root: Path, label: str, prefix: str) -> None:
        self.root, self.label, self.prefix = root, label, prefix
        self._real_root = root.resolve()
        self.damage: list[Rejection] = []
        self.notes: list[str] = []
        self.litter = 0
        self._listing: dict[str, Member] | None = None
        self._on_disk: dict[str, str] = {}  # names whose bytes are no UTF-8, as the disk has them

    def listing(self) -> dict[str, Member]:
        if self._listing is None:
            self._listing = {}
            inside = self._real_root
            waiting = [""]
            while waiting:
                waiting += reversed([*self._list(waiting.pop(), inside)])
            for name, better in readable_names(self._listing).items():
                known = self._listing.pop(name)
                self._listing[better] = Member(better, known.size, known.stamp)
                self._on_disk[better] = name
        return self._listing

    def _refuse(self, name: str, check: str, reason: str) -> None:
        self.damage.append(Rejection(self.prefix + readable_names([name]).get(name, name), check, reason))

    def _list(self, folder: str, inside: Path) -> Iterator[str]:
        """Note the files of a folder (`""` or `…/`); answers the folders in it to go on with."""
        try:
            with os.scandir(self.root / folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            where = folder.rstrip("/") or "."
            self._refuse(where, "source_unreadable", f"folder cannot be read: {error.strerror}")
            return
        for entry in entries:
            relative = folder + entry.name
            if not _is_folder(entry):
                self._add(entry, relative, inside)
            elif self._enter(entry, relative, inside):
                yield relative + "/"

    def _enter(self, entry: os.DirEntry[str], relative: str, inside: Path) -> bool:
        if is_litter(relative + "/"):
            self.litter += 1
            return False
        if not entry.is_symlink():
            return True
        path = Path(entry.path)
        ok = _leads_inside(path, inside) and not path.absolute().is_relative_to(path.resolve())
        if not ok:
            self._refuse(relative, "unsafe_member", f"link that leaves the source{_ADVICE}")
        return ok

    def _add(self, entry: os.DirEntry[str], relative: str, inside: Path) -> None:
        reason = unsafe_name(relative)
        status = None
        if entry.is_symlink() and not _leads_inside(Path(entry.path), inside):
            reason = f"link that leaves the source, or goes round for ever{_ADVICE}"
        elif reason is None:
            status = _regular(entry)
            reason = None if status else "not a regular file (broken link, device or socket)"
        if reason is not None:
            self._refuse(relative, "unsafe_member", reason)
        elif is_litter(relative):
            self.litter += 1
        elif self._listing is not None and status is not None:
            self._listing[relative] = Member(relative, status.st_size, file_stamp(status))

    def open(self, name: str) -> BinaryIO:
        return open_below(self._real_root, self._on_disk.get(name, name))

    def path(self, name: str) -> Path | None:
        return self._path(name) if name else self.root

    def _path(self, name: str) -> Path:
        return self.root / self._on_disk.get(name, name)

    def place(self, name: str) -> list[int]:
        return [*os.fsencode(self._on_disk[name])] if name in self._on_disk else []

    def adopt(self, places: Mapping[str, list[int]]) -> None:
        if self._listing is None:
            self._on_disk = {name: os.fsdecode(bytes(raw)) for name, raw in places.items() if raw}

    def identity(self) -> dict[str, str | int]:
        return tree_identity(self.label, self.listing())

    def stamp(self) -> str:
        return tree_stamp(self.listing())
