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
    mark = info.get("ETag") or info.get("LastModified") or info.get("mtime") or info.get("created")
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
    """The objects below a prefix."""

    def __init__(self, url: str, label: str, prefix: str) -> None:
        self.url, self.label, self.prefix = url, label, prefix
        self.damage: list[Rejection] = []
        self.notes: list[str] = []
        self.litter = 0
        self._files, self._root = file_system(url, SourceError)
        self._listing: dict[str, Member] | None = None

    def listing(self) -> dict[str, Member]:
        if self._listing is None:
            with explain(self.url, SourceError):
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
        with explain(url, SourceError):
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
