"""Sources on S3 (or any other place that fsspec knows): a tree below a prefix, or an archive.

    s3://bucket/folder          the objects below it, read one by one
    s3://bucket/archive.tar.gz  copied once into the cache while it is imported, then read as a local file

Credentials, region and endpoint come from the environment, as the libraries define it (AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL …). Nothing is ever written to a source.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from corpora.errors import CorporaError, SourceError, StoreError
from corpora.sources import Member, Reader, is_litter, tree_identity, tree_stamp, unsafe_name
from corpora.utterance import Rejection
from corpora.writing import explain_write

ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst", ".zip")


def is_remote(path: Path | str) -> bool:
    """Whether a source or store is named by a URL."""
    return isinstance(path, str) and "://" in path


def as_place(text: str) -> Path | str:
    """A path, or the URL as it is: `Path` would swallow a slash of it."""
    return text.rstrip("/") if "://" in text else Path(text)


def store_of(given: Path | str | None, needed: bool = True) -> Path:
    """The folder of the store that --store or SPEECHMILL_STORE names; of one on S3 its working copy, brought up to date.

    Args:
        needed: False where the command has no use for a store: nothing is reached then.

    Raises:
        StoreError: it cannot be reached.
    """
    from corpora.store import Store

    named = given or os.environ.get("SPEECHMILL_STORE") or ""
    if "://" not in str(named):
        return Store.open(given).root
    from corpora.working_copy import copies_dir, open_shared

    return open_shared(str(named).rstrip("/")).root if needed else copies_dir() / "none"


@contextmanager
def explain(url: str, error_class: type[SourceError] | type[StoreError] = SourceError) -> Iterator[None]:
    """Turn what the libraries raise into one sentence: missing credentials, bucket or object, no network.

    Raises:
        SourceError or StoreError, as asked for.
    """
    try:
        yield
    except CorporaError:
        raise
    except Exception as error:
        name, said = type(error).__name__, str(error).splitlines()[0] if str(error) else ""
        if "Credential" in name or "credential" in said.lower():
            cause = "no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        elif isinstance(error, FileNotFoundError) or "NoSuchBucket" in said or "NoSuchKey" in said:
            cause = "no such bucket or object; check the name"
        elif isinstance(error, PermissionError) or "Forbidden" in said or "AccessDenied" in said:
            cause = "access denied; check the credentials and the bucket's policy"
        else:
            cause = f"{name}: {said}"
        raise error_class(f"{url} cannot be reached ({cause})") from error


def file_system(url: str) -> tuple[Any, str]:
    """The fsspec file system of a URL, and the path in it. Listings are never cached."""
    import fsspec

    with explain(url):
        found, path = fsspec.core.url_to_fs(url, use_listings_cache=False)
    return found, str(path).rstrip("/")


def open_remote(url: str, label: str, several: bool, spill_dir: Path | None) -> Reader:
    """The reader of a remote source.

    Raises:
        SourceError: it cannot be reached, is empty, or is no archive.
    """
    from corpora.archives import open_reader

    if url.endswith(ARCHIVES):
        return open_reader(fetch_archive(url, spill_dir), label, several, spill_dir)
    return RemoteReader(url, label, f"{label}/" if several else "")


def remote_stamp(url: str) -> str:
    """A cheap mark of a remote source, from names, sizes and ETags."""
    if not url.endswith(ARCHIVES):
        return RemoteReader(url, "", "").stamp()
    files, path = file_system(url)
    with explain(url):
        return _stamp(files.info(path))


def _stamp(info: Mapping[str, Any]) -> str:
    mark = info.get("ETag") or info.get("LastModified") or info.get("mtime") or info.get("created")
    return f"{info['size']}-{mark}".replace('"', "")


def fetch_archive(url: str, spill_dir: Path | None) -> Path:
    """A remote archive as a local file in the cache, copied once and compared with the stated size."""
    files, path = file_system(url)
    with explain(url):
        info = files.info(path)
        folder = (spill_dir or Path(os.environ.get("TMPDIR", "/tmp"))) / "fetched"
        key = hashlib.sha256(f"{url} {_stamp(info)}".encode()).hexdigest()[:24]
        target = folder / key / PurePosixPath(path).name
        if target.is_file() and target.stat().st_size == info["size"]:
            return target
        temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        with files.open(path, "rb") as stream, explain_write(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as out:
                shutil.copyfileobj(stream, out, 8 << 20)
            if temporary.stat().st_size != info["size"]:
                temporary.unlink()
                raise SourceError(f"{url} broke off after a part of its {info['size']} bytes; run it again")
            temporary.replace(target)
    return target


class RemoteReader:
    """The objects below a prefix."""

    def __init__(self, url: str, label: str, prefix: str) -> None:
        self.url, self.label, self.prefix = url, label, prefix
        self.damage: list[Rejection] = []
        self.notes: list[str] = []
        self.litter = 0
        self._files, self._root = file_system(url)
        self._listing: dict[str, Member] | None = None

    def listing(self) -> dict[str, Member]:
        if self._listing is None:
            with explain(self.url):
                found = self._files.find(self._root, detail=True)
            self._listing = {}
            for path, info in sorted(found.items()):
                name = str(path).removeprefix(self._root).lstrip("/")
                reason = unsafe_name(name)
                if reason is not None:
                    self.damage.append(Rejection(self.prefix + name, "unsafe_member", reason))
                elif is_litter(name):
                    self.litter += 1
                else:
                    self._listing[name] = Member(name, int(info["size"]), _stamp(info))
            if not self._listing:
                raise SourceError(f"{self.url} holds no object: a wrong name, or an empty bucket?")
        return self._listing

    def open(self, name: str) -> BinaryIO:
        url = f"{self.url}/{name}"
        with explain(url):
            return io.BytesIO(self._files.cat_file(f"{self._root}/{name}"))

    def path(self, name: str) -> Path | None:
        return None

    def place(self, name: str) -> list[int]:
        return []

    def adopt(self, places: Mapping[str, list[int]]) -> None:
        pass

    def identity(self) -> dict[str, str | int]:
        return tree_identity(self.label, self.listing())

    def stamp(self) -> str:
        return tree_stamp(self.listing())
