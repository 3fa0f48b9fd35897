"""Directories, tar and zip archives as one read-only view with safe names.

A member's name is what `source_path` will say: `sub/file.wav` in a directory, `archive.tar!/sub/file.wav`
in an archive, with the folder's own name in front when several sources are given. Names that are absolute
or climb out, links that leave the source and devices are refused and reported, system litter is counted.
Compressed tars are unpacked once into one plain tar under the spill folder, so that any member can be
reached. Nothing is ever written beside a source. This module knows nothing of corpora or of sound.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Protocol

from corpora.errors import SourceError
from corpora.reading import held_path
from corpora.sources.lines import MOST_TEXT_BYTES, TextLine, decode_lines
from corpora.utterance import Rejection
from store.writing import temporary_beside


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside a source. `stamp` changes when its content may have changed."""

    name: str
    size: int
    stamp: str = ""


class Reader(Protocol):
    """One directory or archive behind a `Source`; names without the source's own prefix."""

    label: str
    prefix: str  # what stands before a member's name in `source_path`
    damage: list[Rejection]
    notes: list[str]  # what is odd and costs nothing
    litter: int

    def listing(self) -> dict[str, Member]:
        """Safe members by their name inside."""

    def open(self, name: str) -> BinaryIO:
        """A seekable stream."""

    def path(self, name: str) -> Path | None:
        """Where the member lies as a real file, by its name alone, or None: `open` is what looks before it reads."""

    def identity(self) -> dict[str, str | int]:
        """name, bytes and a hash, for the manifest: no absolute path, no time stamp."""

    def stamp(self) -> str:
        """A cheap mark that changes when the content may have changed."""

    def place(self, name: str) -> list[int]:
        """What `adopt` needs to find a listed member again: nothing, or its span in the archive."""

    def adopt(self, places: Mapping[str, list[int]]) -> None:
        """Know these members, listed before by another process, instead of those adopted earlier."""


def tree_identity(label: str, listing: Mapping[str, Member]) -> dict[str, str | int]:
    """`Reader.identity` of a tree of files: its name, its bytes, and a hash over names and sizes."""
    text = "\n".join(f"{name}\t{member.size}" for name, member in sorted(listing.items()))
    size = sum(member.size for member in listing.values())
    return {"name": label, "bytes": size, "listing_sha256": hashlib.sha256(text.encode()).hexdigest()}


def tree_stamp(listing: Mapping[str, Member]) -> str:
    """`Reader.stamp` of a tree of files: changes with any name or any member's stamp."""
    text = "\n".join(f"{name}\t{member.stamp}" for name, member in sorted(listing.items()))
    return hashlib.sha256(text.encode()).hexdigest()


def _twin(name: str, reader: Reader) -> Rejection:
    reason = f"two names in {reader.label} are one after Unicode normalisation (NFC): rename this one, it is not read"
    return Rejection(name, "name_twice", reason)


class Source:
    """Several directories and archives as one listing.

    Attributes:
        rejections: members that were refused (unsafe names, damaged archives).
        notes: what is odd about the sources and costs nothing.
        litter: how many system files were passed over.
    """

    def __init__(self, readers: Sequence[Reader], spill_dir: Path | None) -> None:
        self._readers = list(readers)
        self._spill_dir = spill_dir
        self._members: dict[str, tuple[Reader, str, Member]] = {}
        for reader in self._readers:
            for inner, member in reader.listing().items():
                full = unicodedata.normalize("NFC", reader.prefix + inner) if reader.prefix else inner
                if full != inner or not unicodedata.is_normalized("NFC", full):
                    full = unicodedata.normalize("NFC", full)
                    member = Member(full, member.size, member.stamp)
                first = self._members.setdefault(full, (reader, inner, member))
                if first[1] != inner and first[0] is reader:
                    reader.damage.append(_twin(full, reader))
        self._sorted = sorted((entry[2] for entry in self._members.values()), key=lambda m: m.name)
        self.rejections = tuple(r for reader in self._readers for r in reader.damage)
        self.notes = tuple(note for reader in self._readers for note in reader.notes)
        self.litter = sum(reader.litter for reader in self._readers)

    @property
    def label(self) -> str:
        """The sources' own names, for sentences."""
        return ", ".join(reader.label for reader in self._readers)

    def roots(self) -> list[Path]:
        """The folders among the sources (not the archives), for tables that lie one level up."""
        return [root for reader in self._readers if (root := reader.path("")) is not None]

    def archives(self) -> list[Path]:
        """The archive files among the sources, for checksums of whole archives."""
        return [
            path for reader in self._readers if isinstance(path := getattr(reader, "archive", None), Path)
        ]

    def members(self) -> list[Member]:
        """All files, sorted by name (NFC)."""
        return self._sorted

    def names_matching(self, pattern: str | re.Pattern[str]) -> list[str]:
        """Names in which the pattern is found (re.search), sorted."""
        compiled = re.compile(pattern)
        return [m.name for m in self._sorted if compiled.search(m.name)]

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def entries(self, names: Iterable[str]) -> list[list[Any]]:
        """What `PlannedSource` needs to reach these members without a listing; JSON-able."""
        found = []
        for name in names:
            reader, inner, member = self._entry(name)
            at = self._readers.index(reader)
            found.append([name, at, inner, member.size, member.stamp, reader.place(inner)])
        return found

    def _entry(self, name: str) -> tuple[Reader, str, Member]:
        entry = self._members.get(name)
        if entry is None:
            raise SourceError(f"{name} is not in {self.label}")
        return entry

    def member(self, name: str) -> Member:
        """Size and stamp of a member.

        Raises:
            SourceError: it is not there.
        """
        return self._entry(name)[2]

    def open(self, name: str) -> BinaryIO:
        """A seekable binary stream of a member; close it.

        Raises:
            SourceError: it is not there or cannot be read.
        """
        reader, inner, _ = self._entry(name)
        try:
            return reader.open(inner)
        except OSError as error:
            raise SourceError(f"{name} cannot be read: {error.strerror or error}") from error

    def read_bytes(self, name: str) -> bytes:
        """All bytes of a member.

        Raises:
            SourceError: it is not there or cannot be read (also: a damaged zip member).
        """
        try:
            with self.open(name) as stream:
                return stream.read()
        except (OSError, EOFError, ValueError) as error:
            raise SourceError(f"{name} cannot be read: {error}") from error

    def text_lines(self, name: str, encoding: str = "utf-8") -> Iterator[TextLine]:
        """Lines of a text member, numbered from 1; a line that does not decode has text None.

        A byte order mark (UTF-8, UTF-16) is obeyed and dropped; line ends are LF, CRLF or CR LF mixed.

        Raises:
            SourceError: it is not there, cannot be read, or is longer than any transcript.
        """
        size = self.member(name).size
        if size > MOST_TEXT_BYTES:
            raise SourceError(f"{name} holds {size:,} bytes of text, at most {MOST_TEXT_BYTES:,}: split it")
        return decode_lines(self.read_bytes(name), encoding)

    @contextmanager
    def local_file(self, name: str) -> Iterator[Path]:
        """The member as a real file for the time of the block; one of an archive is copied into the spill folder once.

        The path is of the file that was opened and found below its root (`reading.held_path`): a link that is put in its
        place meanwhile is not followed.

        Raises:
            SourceError: it is not there or cannot be read.
        """
        reader, inner, member = self._entry(name)
        path = reader.path(inner)
        if path is None:
            yield self._spilled(name, reader, inner, member)
            return
        try:
            stream = reader.open(inner)
        except OSError as error:
            raise SourceError(f"{name} cannot be read: {error.strerror or error}") from error
        with stream:
            yield held_path(stream.fileno(), path)

    def _spilled(self, name: str, reader: Reader, inner: str, member: Member) -> Path:
        """The copy of an archive's member."""
        folder = self._spill_dir or Path(tempfile.gettempdir())
        key = hashlib.sha256(f"{reader.stamp()}\n{member.name}".encode()).hexdigest()[:24]
        target = folder / f"member-{key}{PurePosixPath(inner).suffix.lower()}"
        if not target.exists():
            folder.mkdir(parents=True, exist_ok=True)
            temporary = temporary_beside(target)
            try:
                with self.open(name) as stream, temporary.open("wb") as out:
                    shutil.copyfileobj(stream, out, 1 << 20)
            except (EOFError, ValueError) as error:
                raise SourceError(f"{name} cannot be read: {error}") from error
            temporary.replace(target)
        return target

    def identities(self) -> list[dict[str, str | int]]:
        """What the manifest says of the sources: name, bytes, hash."""
        return [reader.identity() for reader in self._readers]

    def stamp(self) -> str:
        """A cheap mark of the whole source: changes when anything in it may have changed."""
        return hashlib.sha256("\n".join(f"{r.label} {r.stamp()}" for r in self._readers).encode()).hexdigest()
