"""Sources on S3 (or any other place that fsspec knows): a tree below a prefix, or an archive.

    s3://bucket/folder          the objects below it, read one by one
    s3://bucket/archive.tar.gz  copied once into the cache while it is imported, then read as a local file
    hf://datasets/who/what      shards of Parquet, read in stretches where they lie (packed/shards.py)

Credentials, region and endpoint come from the environment, as the libraries define it (AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL …). Nothing is ever written to a source.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from corpora.errors import SourceError
from corpora.sources.names import is_litter, unsafe_name
from corpora.sources.source import Member, tree_identity, tree_stamp
from corpora.utterance import Rejection
from store.shared.places import explain, file_system
from store.writing import explain_write, temporary_beside

ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst", ".zip")


def _stamp(info: Mapping[str, Any]) -> str:
    marks = ("ETag", "LastModified", "blob_id", "mtime", "created", "last_commit")
    mark = next((info[name] for name in marks if info.get(name)), None)
    return f"{info['size']}-{mark}".replace('"', "")


def fetch_archive(url: str, spill_dir: Path | None) -> Path:
    """A remote archive as a local file in the cache, copied once and compared with the stated size."""
    files, path = file_system(url, SourceError)
    with explain(url, SourceError):
        info = files.info(path)
        folder = (spill_dir or Path(os.environ.get("TMPDIR", "/tmp"))) / "fetched"
        key = hashlib.sha256(f"{url} {_stamp(info)}".encode()).hexdigest()[:24]
        target = folder / key / PurePosixPath(path).name
        if target.is_file() and target.stat().st_size == info["size"]:
            return target
        temporary = temporary_beside(target)
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
    """The objects below a prefix, or the one object that a URL names with `.parquet`."""

    def __init__(self, url: str, label: str, prefix: str) -> None:
        self.url, self.label, self.prefix = url, label, prefix
        self.damage: list[Rejection] = []
        self.notes: list[str] = []
        self.litter = 0
        self._files, self._root = file_system(url, SourceError)
        self._alone = ""
        if self._root.endswith(".parquet"):
            self._root, _, self._alone = self._root.rpartition("/")
        self._listing: dict[str, Member] | None = None

    def listing(self) -> dict[str, Member]:
        if self._listing is None:
            self._listing = {}
            for path, info in sorted(self._found().items()):
                name = str(path).removeprefix(self._root).lstrip("/")
                reason = unsafe_name(name)
                if reason is not None:
                    self.damage.append(Rejection(self.prefix + name, "unsafe_member", reason))
                elif is_litter(name):
                    self.litter += 1
                else:
                    self._listing[name] = self._member(name, info)
            if not self._listing:
                raise SourceError(f"{self.url} holds no object: a wrong name, or an empty bucket?")
        return self._listing

    def _found(self) -> Mapping[str, Mapping[str, Any]]:
        with explain(self.url, SourceError):
            if self._alone:
                return {self._path(self._alone): self._files.info(self._path(self._alone))}
            found: Mapping[str, Mapping[str, Any]] = self._files.find(self._root, detail=True)
            return found

    def _member(self, name: str, info: Mapping[str, Any]) -> Member:
        if info.get("size") is None:  # a page of links says names only
            with explain(self.url_of(name), SourceError):
                info = self._files.info(self._path(name))
        if info.get("size") is None:
            raise SourceError(f"{self.url_of(name)} has no stated size: copy it to this machine first")
        return Member(name, int(info["size"]), _stamp(info))

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def url_of(self, name: str) -> str:
        """The URL of an object."""
        return f"{self.url.rpartition('/')[0] if self._alone else self.url}/{name}"

    def stream(self, name: str) -> BinaryIO:
        """An object as a seekable stream that reads the stretches it is asked for.

        Raises:
            SourceError: it cannot be reached.
        """
        with explain(self.url_of(name), SourceError):
            found: BinaryIO = self._files.open(self._path(name), "rb")
            return found

    def open(self, name: str) -> BinaryIO:
        with explain(self.url_of(name), SourceError):
            return io.BytesIO(self._files.cat_file(self._path(name)))

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
