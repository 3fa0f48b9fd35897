"""Published corpora on S3 (or any other place that fsspec knows): pushed after publishing, pulled to be used.

    <url>/corpora/<name>/<version>/…   the files of the version; manifest.json is written after all others
    <url>/corpora/<name>/current       an object whose text is the version; written last

A reader therefore never sees half a version. `push` and `pull` take no lock between machines: of two pushes at
once the last `current` wins, and both versions are whole. Stores that are worked on where they lie, with a lock
between machines, are in working_copy.py.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from store.corpus import Corpus
from store.errors import NotPublishedError, StoreError
from store.shared.places import explain, file_system
from store.store import Store
from store.versions import publish_version
from store.writing import explain_write, sha256_file, temporary_beside

_CHUNK = 8 << 20


def push(corpus: Corpus, url: str) -> dict[str, Any]:
    """Copy a published version to a shared store and make it the current one there.

    Returns:
        corpus, version, url, copied (files), bytes; what is there already, with its size, is not copied again.

    Raises:
        StoreError: the place cannot be reached or written, or a local file does not have its hash.
    """
    files, root = _shared(url, corpus.name)
    base, copied, total = f"{root}/{corpus.version}", 0, 0
    with explain(url):
        for entry in [*corpus.manifest["shards"], corpus.manifest["rejections"]]:
            local, remote = corpus.file(entry["path"]), f"{base}/{entry['path']}"
            if files.exists(remote) and files.info(remote)["size"] == local.stat().st_size:
                continue
            if sha256_file(local) != entry["sha256"]:
                raise StoreError(f"{local} does not have the hash of its manifest; run the refresh again")
            files.makedirs(remote.rpartition("/")[0], exist_ok=True)
            files.put_file(str(local), remote)
            copied, total = copied + 1, total + local.stat().st_size
        files.pipe_file(f"{base}/manifest.json", (corpus.path / "manifest.json").read_bytes())
        files.pipe_file(f"{root}/current", corpus.version.encode())
    return {"corpus": corpus.name, "version": corpus.version, "url": url, "copied": copied, "bytes": total}


def pull(store: Store, url: str, name: str, version: str | None = None) -> Corpus:
    """Copy a version (None = the current one) from a shared store, prove its hashes and publish it here.

    Raises:
        NotPublishedError: it is not there. StoreError: the place cannot be reached, or a file is damaged.
    """
    files, root = _shared(url, name)
    with explain(url):
        if version is None and not files.exists(f"{root}/current"):
            raise NotPublishedError(f"{name} is not published under {url}")
        wanted = version or files.cat_file(f"{root}/current").decode().strip()
        if not files.exists(f"{root}/{wanted}/manifest.json"):
            raise NotPublishedError(f"{name} {wanted} is not published under {url}")
        data = files.cat_file(f"{root}/{wanted}/manifest.json")
        manifest = json.loads(data)
    staged = store.staging_dir(f"pull/{name}-{wanted}")
    for entry in [*manifest["shards"], manifest["rejections"]]:
        fetch_file(files, f"{root}/{wanted}/{entry['path']}", staged / entry["path"], entry["sha256"])
    with explain_write(staged):
        (staged / "manifest.json").write_bytes(data)
    with store.lock(f"corpus-{name}"):
        publish_version(store.corpora_dir / name, wanted, staged)
    return store.corpus(name, wanted)


def sizes_below(files: Any, folder: str) -> dict[str, int]:
    """Bytes of every file below a folder of a file system, by its name in the folder; {} where there is none."""
    try:
        found = files.find(folder, detail=True)
    except FileNotFoundError:
        return {}
    return {
        path.removeprefix(f"{folder}/"): int(info["size"])
        for path, info in found.items()
        if info["size"] is not None
    }


def _shared(url: str, name: str) -> tuple[Any, str]:
    with explain(url):
        files, path = file_system(url)
    return files, f"{path}/corpora/{name}"


def fetch_file(files: Any, remote: str, target: Path, sha256: str) -> None:
    """Copy one file here and prove its hash; one that is here already with that hash stays.

    Raises:
        StoreError: it is missing there, or damaged.
    """
    if target.is_file() and sha256_file(target) == sha256:
        return
    digest = hashlib.sha256()
    with explain_write(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_beside(target)
    with explain(remote), files.open(remote, "rb") as stream, temporary.open("wb") as out:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            out.write(chunk)
    if digest.hexdigest() != sha256:
        temporary.unlink()
        raise StoreError(f"{remote} does not have the hash its manifest states: damaged on the way or there")
    with explain_write(target):
        shutil.move(temporary, target)
