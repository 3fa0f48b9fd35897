"""Sources by name: which reader a folder, archive or URL needs, told by magic bytes; several as one source."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Sequence
from pathlib import Path

from corpora.errors import SourceError
from corpora.sources.folder import DirectoryReader
from corpora.sources.folders_of_archives import archives_for_folders
from corpora.sources.names import ARCHIVE
from corpora.sources.packed.shards import RemoteShardReader, ShardFolderReader, are_packed, is_packed
from corpora.sources.s3 import ARCHIVES, RemoteReader, _stamp, fetch_archive
from corpora.sources.source import Reader, Source
from corpora.sources.tar_headers import is_tar
from corpora.sources.tars import TarReader
from corpora.sources.unpacking import UNPACKERS
from corpora.sources.zips import SplitZipReader, ZipReader
from store.shared.places import explain, file_system, is_remote


def open_remote(url: str, label: str, several: bool, spill_dir: Path | None) -> Reader:
    """The reader of a remote source.

    Raises:
        SourceError: it cannot be reached, is empty, or is no archive.
    """
    from corpora.sources.opening import open_reader

    if url.endswith(ARCHIVES):
        return open_reader(fetch_archive(url, spill_dir), label, several, spill_dir)
    plain = RemoteReader(url, label, f"{label}/" if several else "")
    return RemoteShardReader(plain, spill_dir) if are_packed(plain.listing()) else plain


def remote_stamp(url: str) -> str:
    """A cheap mark of a remote source, from names, sizes and ETags."""
    if not url.endswith(ARCHIVES):
        return RemoteReader(url, "", "").stamp()
    files, path = file_system(url, SourceError)
    with explain(url, SourceError):
        return _stamp(files.info(path))


MAX_MEMBERS = 5_000_000


def open_readers(paths: Sequence[Path | str], spill_dir: Path | None = None) -> list[Reader]:
    """A reader for each source; what they hold is not listed yet.

    Raises:
        SourceError: one of them is missing, unreadable or not an archive; names it.
    """
    if not paths:
        raise SourceError("no source was given; name a folder or an archive with --source")
    paths = _in_order(paths)
    names = [_own_name(path) for path in paths]
    readers: list[Reader] = []
    for index, path in enumerate(paths):
        twin = names[:index].count(names[index])
        label = names[index] + (f"~{twin + 1}" if twin else "")
        readers.append(_open(path, label, len(paths) > 1, spill_dir))
    return readers


def _in_order(paths: Sequence[Path | str]) -> list[Path | str]:
    """The sources by their names, so that the order they were given in changes nothing; twins stay as they are."""
    return sorted(archives_for_folders(paths), key=_own_name)


def _own_name(path: Path | str) -> str:
    """The last part of a path or URL."""
    text = str(path)
    return text.rstrip("/").rpartition("/")[2] if is_remote(text) else Path(path).resolve().name


def _open(path: Path | str, label: str, several: bool, spill_dir: Path | None) -> Reader:
    from corpora.sources.opening import open_reader

    if is_remote(str(path)):
        from corpora.sources.opening import open_remote

        return open_remote(str(path), label, several, spill_dir)
    return open_reader(Path(path), label, several, spill_dir)


def open_source(paths: Sequence[Path | str], spill_dir: Path | None = None, light: bool = False) -> Source:
    """Open directories and archives (tar, tar.gz/.bz2/.xz/.zst, zip) as one source.

    Args:
        spill_dir: where compressed tars are unpacked to a plain tar; default the temporary folder.
        light: no sound will be read: of compressed tars only names, texts and the beginnings are unpacked.

    Raises:
        SourceError: one of them is missing, unreadable, empty or not an archive; names it.
        StoreError: the disk has no room for what must be unpacked.
    """
    source = Source(_prepared(open_readers(paths, spill_dir), light), spill_dir)
    if not source.members():
        if source.rejections:
            raise SourceError(f"{source.rejections[0].source_path}: {source.rejections[0].reason}")
        raise SourceError(
            f"{source.label} holds no file at all: an interrupted download or the wrong folder?"
        )
    if all(ARCHIVE.search(member.name) for member in source.members()):
        inside = ", ".join(member.name for member in source.members()[:3])
        raise SourceError(
            f"{source.label} holds nothing but archives ({inside}); archives inside archives are not opened: unpack "
            f"{source.label} and name its folder as the source"
        )
    if len(source.members()) > MAX_MEMBERS:
        raise SourceError(f"{source.label} holds more than {MAX_MEMBERS} files; import it in parts")
    return source


def _prepared(readers: list[Reader], light: bool) -> list[Reader]:
    """Before the first of several archives is unpacked it is known that all of them will fit."""
    from corpora.sources.tars import TarReader
    from corpora.sources.unpacking import require_space

    places = {}
    for reader in readers:
        if isinstance(reader, TarReader):
            reader.light = light
            place = None if light else reader.spill_place()
            if place is not None:
                places[reader.archive] = place.parent
    if places:
        require_space([*places], next(iter(places.values())))
    return readers


def source_stamp(paths: Sequence[Path | str]) -> str:
    """A cheap mark of sources that changes when their content may have changed; unpacks nothing.

    Raises:
        SourceError: one of them is missing, unreadable or not an archive.
    """
    stamps = [f"{_own_name(path)} {_stamp_of(path)}" for path in _in_order(paths)]
    return hashlib.sha256("\n".join(stamps).encode()).hexdigest()


def _stamp_of(path: Path | str) -> str:
    if is_remote(str(path)):
        from corpora.sources.opening import remote_stamp

        return remote_stamp(str(path))
    return _open(path, "", False, None).stamp()


_PROGRAMS = (b"MZ", b"\x7fELF", b"#!")  # what unpacks itself begins so and is a zip behind it
_ELSEWHERE = {b"7z\xbc\xaf\x27\x1c": "7z", b"Rar!\x1a\x07": "RAR"}


def open_reader(path: Path, label: str, several: bool, spill_dir: Path | None) -> Reader:
    """The reader for one folder or archive.

    Raises:
        SourceError: missing, unreadable, empty or of no kind we know; says what it looks like.
    """
    try:
        if path.is_dir() and is_packed(path):
            return ShardFolderReader(path, label, f"{label}/" if several else "")
        if path.is_dir():
            return DirectoryReader(path, label, f"{label}/" if several else "")
        with path.open("rb") as stream:
            head = stream.read(512)
    except FileNotFoundError as error:
        raise SourceError(f"{path} does not exist: a wrong path, or a disk that is not mounted?") from error
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}; check the permissions") from error
    if not head:
        raise SourceError(f"{path} is empty (0 bytes): the download or the copy failed")
    for magic, kind in _ELSEWHERE.items():
        if head.startswith(magic):
            raise SourceError(
                f"{path} is a {kind} archive, which is not read: unpack it, or pack it as zip or tar"
            )
    if head.startswith(b"PK") and path.suffix == ".001":
        return SplitZipReader(path, label)
    if head.startswith((b"PK", *_PROGRAMS)) and zipfile.is_zipfile(path):
        return ZipReader(path, label)
    if head.startswith(b"PK"):
        raise SourceError(
            f"{path} is a zip without its directory: it was cut short; copy or download it again"
        )
    for magic, unpack in UNPACKERS.items():
        if head.startswith(magic):
            return TarReader(path, label, unpack, spill_dir)
    if is_tar(head):
        return TarReader(path, label, None, spill_dir)
    looks = (
        "an HTML page (a server's error, saved under this name)" if b"<html" in head.lower() else "no archive"
    )
    raise SourceError(f"{path} looks like {looks}; wanted: a folder, tar (also gz, bz2, xz, zst) or zip")
