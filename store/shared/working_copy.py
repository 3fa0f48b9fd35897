"""A store on S3 (or any other place that fsspec knows), worked on through a copy of it on this disk.

`--store s3://bucket/prefix` makes a folder with `shared.json` in it, which names the URL; from then on `open_store`
of that folder is a `SharedStore`. Manifests are copied when a command begins, sound when it is read. Whatever
publishes holds the lock of its corpus: when it is taken the corpus is brought to what stands in the shared store,
when it is given back the new version is copied there: files, manifest, `current` last. The copy may be deleted
at any time while nothing runs.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from store import checkout_root
from store.corpus import AREAS, Corpus
from store.errors import StoreError
from store.shared.lock import HeldLock, LockPlace, hold_shared
from store.shared.places import MARK, explain, file_system
from store.shared.push_pull import fetch_file, sizes_below
from store.store import Store
from store.versions import link_current, version_of
from store.writing import read_json, write_bytes_atomic, write_json_atomic

_NOTES = ("withdrawn.json", "curation.jsonl")  # what people decided; everything else is made of the sources
_BLOCK = 1 << 20
_log = logging.getLogger(__name__)


def copies_dir() -> Path:
    """Where working copies lie: $SPEECHMILL_COPIES, else var/shared of the checkout."""
    if os.environ.get("SPEECHMILL_COPIES"):
        return Path(os.environ["SPEECHMILL_COPIES"]).absolute()
    return checkout_root() / "var" / "shared"


def open_shared(url: str) -> SharedStore:
    """The working copy of the store at a URL, with what is published there.

    Raises:
        StoreError: it cannot be reached, or what stands there is damaged.
    """
    place = f"{url} {os.environ.get('AWS_ENDPOINT_URL', '')}"
    name = re.sub(r"[^A-Za-z0-9.]+", "-", url).strip("-")
    root = copies_dir() / f"{name}-{hashlib.sha256(place.encode()).hexdigest()[:8]}"
    if not (root / MARK).is_file():
        write_json_atomic(root / MARK, {"url": url, "copy": uuid.uuid4().hex})
    store = SharedStore(root)
    store.take_in()
    return store


@dataclass(frozen=True)
class SharedCorpus(Corpus):
    """A version whose files come from the shared store when they are read."""

    store: SharedStore | None = None

    @property
    def place(self) -> str:
        return self._shared.url_of(self.path)

    @property
    def _shared(self) -> SharedStore:
        if self.store is None:
            raise StoreError(f"{self.name} {self.version} belongs to no shared store")
        return self.store

    def file(self, relative: str) -> Path:
        path = self.path / relative
        if not path.is_file():
            entries = [*self.manifest["shards"], self.manifest["rejections"]]
            entry = next(entry for entry in entries if entry["path"] == relative)
            twin = self._twin(entry)
            if twin is None:
                self._shared.fetch(path, entry["sha256"])
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.hardlink_to(twin)
        self._prove(relative)
        return path

    def _twin(self, entry: dict[str, Any]) -> Path | None:
        """The same file in another version that is here already."""
        for manifest in self.path.parent.glob("*/manifest.json"):
            if manifest.parent.name in {"current", self.version}:
                continue
            for other in read_json(manifest)["shards"]:
                path: Path = manifest.parent / other["path"]
                if other["sha256"] == entry["sha256"] and path.is_file():
                    return path
        return None

    def readable(self, relative: str, columns: list[str] | None) -> Path | BinaryIO:
        path = self.path / relative
        if path.is_file() or columns is None or "audio" in columns:
            return self.file(relative)
        return self._shared.open_remote(path)

    def is_whole(self) -> bool:
        """Whether all files lie in the shared store in their size, and those that are here are whole."""
        sizes = self._shared.sizes(self.path)
        entries = [*self.manifest["shards"], self.manifest["rejections"]]
        if any(sizes.get(entry["path"]) != entry["bytes"] for entry in entries):
            return False
        return all(damage.kind == "missing" for damage in self.find_damage())


class SharedStore(Store):
    """A working copy; see the module's text."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        mark = read_json(root / MARK)
        self._beside: dict[str, list[Path]] = {}
        self.url: str = mark["url"]
        self._copy: str = mark["copy"]

    @property
    def place(self) -> str:
        return self.url

    def corpus(self, name: str, version: str | None = None) -> Corpus:
        found = super().corpus(name, version)
        return SharedCorpus(found.name, found.version, found.path, self)

    def quarantined(self, name: str, version: str | None = None) -> Corpus:
        found = super().quarantined(name, version)
        return SharedCorpus(found.name, found.version, found.path, self)

    def url_of(self, path: Path) -> str:
        """Where a file or folder of this copy lies in the shared store."""
        return f"{self.url}/{path.relative_to(self.root).as_posix()}"

    def fetch(self, path: Path, sha256: str) -> None:
        """Copy one file here and prove its hash.

        Raises:
            StoreError: it is missing there, or damaged.
        """
        files, root = file_system(self.url)
        fetch_file(files, f"{root}/{path.relative_to(self.root).as_posix()}", path, sha256)

    @property
    def is_shared(self) -> bool:
        return True

    def open_remote(self, path: Path) -> BinaryIO:
        """A file of the shared store, read piece by piece where it lies."""
        files, root = file_system(self.url)
        with explain(self.url_of(path)):
            relative = path.relative_to(self.root).as_posix()
            opened: BinaryIO = files.open(
                f"{root}/{relative}", "rb", block_size=_BLOCK, cache_type="readahead"
            )
        return opened

    def sizes(self, path: Path) -> dict[str, int]:
        """Bytes of every file below a folder of the shared store, by name."""
        files, root = file_system(self.url)
        with explain(self.url):
            return sizes_below(files, f"{root}/{path.relative_to(self.root).as_posix()}")

    def fetch_cached(self, path: Path) -> bool:
        files, root = file_system(self.url)
        remote = f"{root}/{path.relative_to(self.root).as_posix()}"
        with explain(self.url):
            if not files.exists(remote):
                return False
            write_bytes_atomic(path, files.cat_file(remote))
        return True

    def share_with_version(self, name: str, paths: Iterable[Path]) -> None:
        self._beside[name] = [path for path in paths if path.is_file()]

    def share_file(self, path: Path) -> str:
        files, root = file_system(self.url)
        with explain(self.url):
            _put(files, path, f"{root}/{path.relative_to(self.root).as_posix()}")
        return self.url_of(path)

    @contextmanager
    def lock(self, label: str, wait_s: float | None = None) -> Iterator[None]:
        with super().lock(label, wait_s):
            name = label.removeprefix("corpus-")
            if name == label:
                yield
                return
            files, root = file_system(self.url)
            place = LockPlace(
                files, f"{root}/locks/{label}.json", self.url, self._copy, f"{name} in {self.url}"
            )
            with hold_shared(place) as held:
                with explain(self.url):
                    for area in AREAS:
                        self._take_in(f"{area}/{name}", sizes_below(files, f"{root}/{area}/{name}"))
                yield
                with explain(self.url):
                    for area in AREAS:
                        self._give_back(f"{area}/{name}", held)

    def take_in(self) -> None:
        """Bring names, manifests and notes of all corpora to what stands in the shared store."""
        files, root = file_system(self.url)
        with explain(self.url):
            there = {area: _by_name(sizes_below(files, f"{root}/{area}")) for area in AREAS}
            if not any(there.values()) and "s3" in files.protocol:
                files.info(root.partition("/")[0])  # a bucket that does not exist is no empty store
            for area, corpora in there.items():
                known = {path.name for path in (self.root / area).glob("*") if path.is_dir()}
                for name in sorted(known | set(corpora)):
                    with super().lock(f"corpus-{name}"):
                        self._take_in(f"{area}/{name}", corpora.get(name, {}))
            if files.exists(f"{root}/settings.toml"):
                write_bytes_atomic(self.settings_path, files.cat_file(f"{root}/settings.toml"))

    def _take_in(self, relative: str, sizes: dict[str, int]) -> None:
        """One corpus of one area. What this copy alone has (a copying that was cut short) stays, not current."""
        files, root = file_system(self.url)
        here, there = self.root / relative, f"{root}/{relative}"
        versions = [path.partition("/")[0] for path in sizes if path.endswith("/manifest.json")]
        for version in versions:
            manifest = here / version / "manifest.json"
            if not manifest.is_file():
                write_bytes_atomic(manifest, _proven(files, f"{there}/{version}", self.url))
        self._forget(relative, versions)
        for note in (here / name for name in _NOTES):
            if note.name in sizes:
                write_bytes_atomic(note, files.cat_file(f"{there}/{note.name}"))
            else:
                note.unlink(missing_ok=True)
        draft = here / "donation.toml"
        if draft.name in sizes and not draft.is_file():
            write_bytes_atomic(draft, files.cat_file(f"{there}/{draft.name}"))
        current = files.cat_file(f"{there}/current").decode().strip() if "current" in sizes else ""
        if not current:
            (here / "current").unlink(missing_ok=True)
        elif current not in versions:
            raise StoreError(f"{self.url}/{relative}/current names {current}, which has no manifest there")
        elif not (here / "current").is_symlink() or (here / "current").readlink().name != current:
            link_current(here, current)

    def _forget(self, relative: str, versions: list[str]) -> None:
        """Delete what was deleted in the shared store: versions that once were there and are no longer."""
        path = self.cache_dir / "shared" / f"{relative.replace('/', '~')}.json"
        known = set(read_json(path)) if path.is_file() else set()
        for version in sorted(known - set(versions)):
            shutil.rmtree(self.root / relative / version, ignore_errors=True)
        if known != set(versions):
            write_json_atomic(path, sorted(versions))

    def _give_back(self, relative: str, held: HeldLock) -> None:
        """Copy the current version to the shared store and make it current there."""
        files, root = file_system(self.url)
        here, there = self.root / relative, f"{root}/{relative}"
        sizes = sizes_below(files, there)
        for note in (*_NOTES, "donation.toml"):
            if (here / note).is_file():
                _put(files, here / note, f"{there}/{note}")
        if not (here / "current").is_symlink():
            if "current" in sizes:
                held.prove()
                files.rm_file(f"{there}/current")
            return
        version = (here / "current").readlink().name
        was = files.cat_file(f"{there}/current").decode().strip() if "current" in sizes else ""
        _copy_version(files, here / version, f"{there}/{version}", sizes)
        if was != version:
            for path in self._beside.pop(here.name, []) if relative.startswith("corpora/") else []:
                self.share_file(path)
            held.prove()
            files.pipe_file(f"{there}/current", version.encode())
            _log.info("%s %s is current in %s", here.name, version, self.url)
        self._forget(
            relative, sorted({version, *(p.partition("/")[0] for p in sizes if p.endswith("/manifest.json"))})
        )


def _put(files: Any, path: Path, remote: str) -> None:
    files.makedirs(remote.rpartition("/")[0], exist_ok=True)
    files.put_file(str(path), remote)


def _copy_version(files: Any, folder: Path, there: str, sizes: dict[str, int]) -> None:
    """All files of a version that are not there in their size, the manifest last."""
    paths = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
    for path in sorted(paths, key=lambda path: (path.name == "manifest.json", path)):
        relative = path.relative_to(folder).as_posix()
        if sizes.get(f"{folder.name}/{relative}") != path.stat().st_size:
            _put(files, path, f"{there}/{relative}")


def _proven(files: Any, folder: str, url: str) -> bytes:
    """A manifest of the shared store, whose version must be the hash of what it says.

    Raises:
        StoreError: it is damaged.
    """
    data: bytes = files.cat_file(f"{folder}/manifest.json")
    version = folder.rpartition("/")[2]
    try:
        said = json.loads(data)
        whole = version_of({key: value for key, value in said.items() if key != "version"}) == version
    except (ValueError, AttributeError):
        whole = False
    if not whole:
        raise StoreError(f"the manifest of {version} in {url} is damaged: delete that version's folder there")
    return data


def _by_name(sizes: dict[str, int]) -> dict[str, dict[str, int]]:
    """`{name/rest: bytes}` as `{name: {rest: bytes}}`."""
    found: dict[str, dict[str, int]] = {}
    for path, size in sizes.items():
        name, _, rest = path.partition("/")
        if rest:
            found.setdefault(name, {})[rest] = size
    return found
