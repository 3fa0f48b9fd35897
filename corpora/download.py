"""Fetch a corpus's archives over HTTP: resumable, verified while they arrive, never half under a final name.

    <to>/train-clean-100.tar.gz.part  ->  (size, magic and checksum right, fsync, rename)  ->  <to>/train-clean-100.tar.gz

A broken connection is taken up again by byte range (RFC 9110 §14) with `If-Range`, so that a file that
changed on the server starts anew instead of being glued together. The first bytes must be gzip's: an HTML page
is quoted and refused. What is kept after a failure is only what the same command can go on with. Nothing is
unpacked: `refresh` reads the archives as they are.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from corpora.errors import SourceError
from corpora.free_archives import FreeArchive, free_archives
from store.console import Progress
from store.errors import StoreError, UsageError
from store.shared.places import is_remote
from store.writing import explain_write, fsync_dir

log = logging.getLogger(__name__)
Told = Callable[[int, "int | None"], None]

CHUNK_BYTES = 1 << 20
GZIP_MAGIC = b"\x1f\x8b"
TIMEOUT_S = 60.0
FRUITLESS_ATTEMPTS = 6  # in a row, without one further byte
LONGEST_PAUSE_S = 30.0


@dataclass(frozen=True)
class Fetched:
    """One archive that lies complete in the folder; `status` is downloaded, resumed or present."""

    part: str
    path: str
    size_bytes: int
    digest: str
    verified_by: str
    status: str

    def as_json(self) -> dict[str, Any]:
        """The fields by name."""
        return dict(vars(self))


@dataclass(frozen=True)
class Client:
    """How to reach the server.

    Attributes:
        http: the connection pool.
        pause_s: first pause after a broken connection, doubled up to 30 s while nothing arrives.
        told: called with (bytes so far, bytes in all or None).
    """

    http: httpx.Client
    pause_s: float = 1.0
    told: Told = lambda done, total: None


class _Broken(Exception):
    """The connection ended before the body did; what arrived is kept."""


class _Sum:
    """Checksum and gzip CRC of the bytes so far, in step with the file."""

    def __init__(self, digest: str | None) -> None:
        self.kind = digest.partition(":")[0] if digest else "sha256"
        self._follows_gzip = digest is None
        self.restart()

    def restart(self) -> None:
        """Forget all bytes."""
        self._hash = hashlib.new(self.kind, usedforsecurity=False)
        self._gzip = zlib.decompressobj(wbits=31) if self._follows_gzip else None
        self.damage = ""

    def add(self, data: bytes) -> None:
        """Take further bytes; without a published sum the archive's own CRC is followed too."""
        self._hash.update(data)
        while self._gzip is not None and data and not self.damage:
            if self._gzip.eof:  # gzip files may hold several members
                self._gzip = zlib.decompressobj(wbits=31)
            try:
                self._gzip.decompress(data)
            except zlib.error as error:
                self.damage = str(error)
            data = self._gzip.unused_data

    @property
    def value(self) -> str:
        return f"{self.kind}:{self._hash.hexdigest()}"

    @property
    def complete(self) -> bool:
        """Whether the gzip stream is whole (always true where a published sum decides)."""
        return self._gzip is None or (not self.damage and self._gzip.eof)


@dataclass(frozen=True)
class _Transfer:
    """One archive on its way into its partial file."""

    archive: FreeArchive
    part: Path
    sum_: _Sum
    client: Client


def download_parts(importer: str, parts: Sequence[str], to_dir: Path) -> Iterator[Fetched]:
    """Fetch parts of a free corpus one after the other, with progress and rate on standard error.

    Raises:
        UsageError: the corpus is not free, or has no such part.
        SourceError, StoreError: as `download`.
    """
    archives = free_archives(importer, parts)
    with httpx.Client(timeout=TIMEOUT_S, follow_redirects=True) as http:
        for archive in archives:
            with Progress(archive.part, every_s=10.0) as progress:
                yield download(archive, to_dir, Client(http, told=progress.transferred))


def fetch_sources(importer: str, parts: Sequence[str], sources: Sequence[Path | str]) -> list[Path | str]:
    """The sources of a refresh after a download, where parts are asked for.

    Args:
        parts: parts to fetch first; none = nothing is fetched and the sources are answered as they are.
        sources: with parts exactly one folder, into which the archives are downloaded.

    Raises:
        UsageError: parts and not exactly one folder, or as `download_parts`.
        SourceError, StoreError: as `download`.
    """
    if not parts:
        return [*sources]
    folder = Path(sources[0]) if len(sources) == 1 and not is_remote(sources[0]) else None
    if folder is None or folder.is_file():
        raise UsageError(
            f"a download wants one folder of this machine as its source, into which it puts the archives; {len(sources)} "
            f"sources were named ({', '.join(map(str, sources)) or 'none'})"
        )
    return [Path(fetched.path) for fetched in download_parts(importer, parts, folder)]


def download(archive: FreeArchive, to_dir: Path, client: Client) -> Fetched:
    """Fetch one archive into a folder, or verify the one that is there.

    Raises:
        SourceError: the server has no such file, sends something else, or a file with another checksum.
        StoreError: the disk is full, no permission, or another download of the same file is going on.
    """
    target = to_dir / archive.file_name
    with explain_write(to_dir):
        to_dir.mkdir(parents=True, exist_ok=True)
    if target.exists():
        return _present(archive, target, client)
    part = target.with_name(f"{target.name}.part")
    with _exclusive(part):
        had = part.stat().st_size
        sum_ = _arrive(archive, part, client)
        _verify(archive, part, sum_)
        with explain_write(target):
            part.replace(target)
            fsync_dir(to_dir)
    part.with_name(f"{part.name}.etag").unlink(missing_ok=True)
    return _fetched(archive, target, sum_, "resumed" if had else "downloaded")


def _fetched(archive: FreeArchive, path: Path, sum_: _Sum, status: str) -> Fetched:
    verified_by = "published checksum" if archive.digest else "the archive's own CRC (no published checksum)"
    return Fetched(archive.part, str(path), path.stat().st_size, sum_.value, verified_by, status)


def _present(archive: FreeArchive, path: Path, client: Client) -> Fetched:
    sum_ = _Sum(archive.digest)
    _feed(sum_, path, client.told)
    if (archive.digest and sum_.value != archive.digest) or not sum_.complete:
        raise SourceError(
            f"{path} is there but is not {archive.part} ({_difference(archive, sum_)}): "
            "move it away and run the command again"
        )
    return _fetched(archive, path, sum_, "present")


def _feed(sum_: _Sum, path: Path, told: Told) -> None:
    """Read what lies there into the checksum."""
    total, done = path.stat().st_size, 0
    with path.open("rb") as stream:
        while data := stream.read(CHUNK_BYTES):
            sum_.add(data)
            done += len(data)
            told(done, total)


@contextmanager
def _exclusive(part: Path) -> Iterator[None]:
    """Create the partial file if needed and hold it alone."""
    import fcntl

    with explain_write(part):
        stream = part.open("ab")
    with stream:
        try:
            fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreError(
                f"{part} is being written by another download; wait for it or stop it"
            ) from error
        yield


def _arrive(archive: FreeArchive, part: Path, client: Client) -> _Sum:
    """Until the whole body is on disk; answers its checksum."""
    work = _Transfer(archive, part, _Sum(archive.digest), client)
    _feed(work.sum_, part, client.told)
    fruitless, pause_s = 0, client.pause_s
    while True:
        before = part.stat().st_size
        try:
            _attempt(work)
            return work.sum_
        except (httpx.TransportError, _Broken) as error:
            there = part.stat().st_size
            fruitless, pause_s = (0, client.pause_s) if there > before else (fruitless + 1, pause_s * 2)
            said = error or type(error).__name__
            if fruitless >= FRUITLESS_ATTEMPTS:
                raise SourceError(
                    f"{archive.url} cannot be fetched ({said}); {part} keeps what came ({there} bytes): "
                    "check the network and run the command again"
                ) from error
            log.warning("%s: %s after %d bytes; going on", archive.part, said, there)
            time.sleep(min(pause_s, LONGEST_PAUSE_S))


def _attempt(work: _Transfer) -> None:
    """One request for what is missing; returns when the whole body is there."""
    have = work.part.stat().st_size
    etag_path = work.part.with_name(f"{work.part.name}.etag")
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if etag_path.is_file():
            headers["If-Range"] = etag_path.read_text()
    with work.client.http.stream("GET", work.archive.url, headers=headers) as answer:
        total = _length(answer)
        if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and total == have:
            return
        _refuse_bad_answer(work.archive, answer)
        if answer.status_code != httpx.codes.PARTIAL_CONTENT:
            have = 0  # the server sends it from the start
            work.sum_.restart()
        elif not answer.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            raise _Broken(f"the server answered another range ({answer.headers.get('Content-Range')!r})")
        _check_room(work, (total or work.archive.size_bytes or 0) - have)
        strong = answer.headers.get("ETag", "")
        with explain_write(work.part):
            if strong and not strong.startswith("W/"):
                etag_path.write_text(strong)
            done = _store(work, have, total, answer)
    if total is not None and done < total:
        raise _Broken("the connection ended early")


def _length(answer: httpx.Response) -> int | None:
    """How long the whole file is, as the server says; None if it does not."""
    match = re.fullmatch(r"bytes (?:\d+-\d+|\*)/(\d+)", answer.headers.get("Content-Range", ""))
    if match:
        return int(match[1])
    length = answer.headers.get("Content-Length", "")
    return int(length) if length.isdigit() and answer.status_code == httpx.codes.OK else None


def _refuse_bad_answer(archive: FreeArchive, answer: httpx.Response) -> None:
    status = answer.status_code
    if status in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
        return
    if status >= 500 or status in (408, 429):
        raise _Broken(f"the server is troubled (status {status})")
    said = _plain(next(answer.iter_bytes(4096), b""))
    raise SourceError(f"{archive.url} is not to be had: status {status}, the server says {said!r}")


def _plain(data: bytes) -> str:
    """The words of an error page, at most 200 characters."""
    text = re.sub(r"(?is)<(script|style).*?</\1>|<[^>]*>", " ", data.decode("utf-8", "replace"))
    return " ".join(text.split())[:200]


def _check_room(work: _Transfer, needed: int) -> None:
    folder = work.part.parent
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise StoreError(
            f"{work.archive.part} needs {needed / 1e9:.2f} GB more but {folder} has {free / 1e9:.2f} GB free: "
            "free some space or choose another folder"
        )


def _store(work: _Transfer, done: int, total: int | None, answer: httpx.Response) -> int:
    """Write the body behind the first `done` bytes; answers how many bytes lie there now."""
    with work.part.open("r+b") as stream:
        stream.truncate(done)
        stream.seek(done)
        try:
            for data in answer.iter_raw():  # no chunk size: a buffer would be lost with the connection
                if done == 0 and not GZIP_MAGIC.startswith(data[: len(GZIP_MAGIC)]):
                    raise SourceError(
                        f"{work.archive.url} is no gzip archive: it begins with {_plain(data[:4096])[:120]!r} "
                        "(an error or log-in page of the server or of a proxy?)"
                    )
                stream.write(data)
                work.sum_.add(data)
                done += len(data)
                work.client.told(done, total)
        finally:
            stream.flush()
            os.fsync(stream.fileno())
    return done


def _difference(archive: FreeArchive, sum_: _Sum) -> str:
    if archive.digest and sum_.value != archive.digest:
        return f"expected {archive.digest}, found {sum_.value}"
    return f"the gzip stream is {'damaged: ' + sum_.damage if sum_.damage else 'cut short'}"


def _verify(archive: FreeArchive, part: Path, sum_: _Sum) -> None:
    """The whole file against what was published; a wrong one is not kept, since nothing can be resumed from it."""
    size = part.stat().st_size
    if (archive.digest is None or sum_.value == archive.digest) and sum_.complete:
        if archive.size_bytes not in (None, size):
            log.info("%s has %d bytes, %s by an older list", archive.part, size, archive.size_bytes)
        return
    with suppress(FileNotFoundError):
        part.unlink()
        part.with_name(f"{part.name}.etag").unlink()
    raise SourceError(
        f"{archive.url} arrived whole by the server's count ({size} bytes) but is not {archive.part}: "
        f"{_difference(archive, sum_)}; it was removed. Run the command again, or try another mirror"
    )
