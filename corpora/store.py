"""Where everything lies: paths, locks, atomic writes, publishing, and reading what was published.

    corpora/<name>/<version>/{<split>/part-00000.parquet, rejections.parquet, manifest.json} + current
    quarantine/<name>/…  like corpora/, never learnt from
    language_models/<name>/<version>/…  + current      runs/   evaluations/   reports/   settings.toml
    staging/  locks/  cache/             (working places; safe to delete while nothing runs)

A version becomes visible by one rename of its finished folder, `current` (a relative symbolic link) by
another. Nothing half-written ever lies under a final name. This module knows no importer and no rule.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from corpora.errors import NotPublishedError, StoreError
from corpora.locks import hold
from corpora.writing import explain_write, fsync_dir, fsync_tree

if TYPE_CHECKING:  # pyarrow is imported by the methods that read rows: it costs a quarter of a second
    import pyarrow as pa

__all__ = [
    "Corpus", "Store", "canonical_json", "default_store_path", "explain_write", "fsync_dir", "fsync_tree", "is_whole",
    "link_current", "publish_version", "read_json", "sha256_file", "write_bytes_atomic", "write_json_atomic",
]  # fmt: skip

_URL = re.compile(r"[a-z][a-z0-9+]+:/")


def default_store_path() -> Path:
    """$SPEECHMILL_STORE, else var/store under $SPEECHMILL_ROOT, else under this source tree."""
    if os.environ.get("SPEECHMILL_STORE"):
        return Path(os.environ["SPEECHMILL_STORE"])
    root = os.environ.get("SPEECHMILL_ROOT")
    return (Path(root) if root else Path(__file__).resolve().parents[1]) / "var" / "store"


def sha256_file(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_bytes_atomic(path: Path, data: bytes) -> None:
    """Write under a temporary name in the same folder, fsync, rename, fsync the folder.

    Raises:
        StoreError: the write failed; nothing lies under the final name then.
    """
    temporary = path.parent / f".{path.name}.{os.getpid()}.tmp"
    with explain_write(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        fsync_dir(path.parent)


def canonical_json(value: Any) -> bytes:
    """JSON that is the same for the same value: sorted keys, two blanks, final newline."""
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()


def write_json_atomic(path: Path, value: Any) -> None:
    """`write_bytes_atomic` of `canonical_json(value)`."""
    write_bytes_atomic(path, canonical_json(value))


def read_json(path: Path) -> Any:
    """The JSON in a file of the store.

    Raises:
        StoreError: missing or damaged; names the file.
    """
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise StoreError(
            f"{path} is missing: it was moved or deleted by hand; run the refresh again"
        ) from error
    except ValueError as error:
        raise StoreError(
            f"{path} is not readable JSON ({error}): delete its folder and run the refresh again"
        ) from error


def link_current(parent_dir: Path, version: str) -> None:
    """Point `<parent_dir>/current` to a version, by one rename of a relative symbolic link."""
    temporary = parent_dir / f".current.{os.getpid()}.tmp"
    with explain_write(parent_dir):
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(version, target_is_directory=True)
        temporary.replace(parent_dir / "current")
        fsync_dir(parent_dir)


def publish_version(parent_dir: Path, version: str, staged_dir: Path) -> Path:
    """Move a finished folder to `<parent_dir>/<version>` and point `current` to it.

    The staged folder must lie on the same file system and already hold its manifest. If the version is
    there already (its name is derived from its content) the staged folder is dropped, unless files of the
    one that is there are missing or have another size: then the staged one takes its place.

    Returns:
        The folder of the published version.
    """
    target = parent_dir / version
    with explain_write(target):
        parent_dir.mkdir(parents=True, exist_ok=True)
        if target.exists() and is_whole(target, staged_dir):
            shutil.rmtree(staged_dir)
        else:
            fsync_tree(staged_dir)
            if target.exists():
                target.rename(parent_dir / f".damaged-{version}-{os.getpid()}")
            staged_dir.rename(target)
            fsync_dir(parent_dir)
            for damaged in parent_dir.glob(f".damaged-{version}-*"):
                shutil.rmtree(damaged, ignore_errors=True)
    link_current(parent_dir, version)
    return target


def is_whole(there: Path, like: Path) -> bool:
    """Whether every file of `like` is in `there` too, with the same size."""
    for path in like.rglob("*"):
        twin = there / path.relative_to(like)
        if path.is_file() and not _has_size(twin, path.stat().st_size):
            return False
    return True


@dataclass(frozen=True)
class Corpus:
    """One published version of a corpus: its manifest and a way to read its rows."""

    name: str
    version: str
    path: Path

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The manifest as published."""
        loaded: dict[str, Any] = read_json(self.path / "manifest.json")
        return loaded

    @property
    def place(self) -> str:
        """Where it lies, for people: its folder, or its URL in a shared store."""
        return str(self.path)

    def file(self, relative: str) -> Path:
        """A file of this version on this disk; copied here first where the store is shared."""
        return self.path / relative

    def readable(self, relative: str, columns: list[str] | None) -> Path | BinaryIO:
        """A shard to read some columns of (None = all): a file, or a stream where the store is shared."""
        return self.file(relative)

    @property
    def splits(self) -> list[str]:
        """Splits that hold at least one utterance, in the order train, dev, test."""
        from corpora.utterance import SPLITS

        return [split for split in SPLITS if self.manifest["splits"].get(split, {}).get("utterances", 0)]

    def shard_paths(self, split: str | None = None) -> list[Path]:
        """Shards of a split (None = all), in the manifest's order."""
        return [self.file(shard["path"]) for shard in self._shards(split)]

    def _shards(self, split: str | None = None) -> list[dict[str, Any]]:
        return [shard for shard in self.manifest["shards"] if split is None or shard["split"] == split]

    def column_names(self) -> set[str]:
        """Columns of this version's shards; versions of earlier days may have fewer."""
        import pyarrow.parquet as pq

        shards = self._shards()
        return set(pq.read_schema(self.readable(shards[0]["path"], [])).names) if shards else set()

    def missing_files(self) -> list[str]:
        """Shards and tables that are missing or do not have the size the manifest states."""
        tables = [*self.manifest["shards"], self.manifest["rejections"]]
        return [
            entry["path"] for entry in tables if not _has_size(self.path / entry["path"], entry.get("bytes"))
        ]

    def batches(
        self, split: str | None = None, subset: str | None = None, columns: Sequence[str] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Rows in the order of the manifest, one record batch per row group, memory flat.

        Args:
            split, subset: only these; None = all.
            columns: names to read; None = all, the sound included.

        Raises:
            StoreError: a shard is missing or damaged; names it.
        """
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        wanted = None if columns is None else [*columns]
        read = wanted if wanted is None or subset is None or "subset" in wanted else [*wanted, "subset"]
        for entry in self._shards(split):
            path = self.path / entry["path"]
            try:
                with pq.ParquetFile(self.readable(entry["path"], read)) as shard:
                    for group in range(shard.num_row_groups):
                        table = shard.read_row_group(group, columns=read)
                        if subset is not None:
                            table = table.filter(pc.equal(table["subset"], subset))
                        table = table if wanted is None else table.select(wanted)
                        yield from table.combine_chunks().to_batches()
            except (OSError, pa.ArrowInvalid) as error:
                raise StoreError(
                    f"shard {path} cannot be read ({error}); run the refresh of {self.name} again"
                ) from error

    def rejections(self) -> pa.Table:
        """All rejections of this version."""
        import pyarrow.parquet as pq

        return pq.read_table(self.file("rejections.parquet"))


def _has_size(path: Path, size_bytes: int | None) -> bool:
    return path.is_file() and (size_bytes is None or path.stat().st_size == size_bytes)


class Store:
    """The root folder of everything that is published."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def open(cls, root: Path | str | None = None) -> Store:
        """The store at `root`, else at `default_store_path()`; nothing is created by looking.

        Raises:
            StoreError: a URL: only the commands of corpora work on a shared store.
        """
        named = str(root or os.environ.get("SPEECHMILL_STORE") or "")
        if _URL.match(named):
            raise StoreError(
                f"the store {re.sub(':/+', '://', named)} is a URL, and this needs a store on a disk: name one with "
                "--store or SPEECHMILL_STORE, and bring corpora there with python -m corpora pull NAME --from URL"
            )
        path = Path(root).absolute() if root else default_store_path().absolute()
        if (path / "shared.json").is_file():
            from corpora.working_copy import SharedStore

            return SharedStore(path)
        return cls(path)

    @property
    def place(self) -> str:
        """Where it lies, for people: its folder, or the URL of a shared store."""
        return str(self.root)

    def fetch_cached(self, path: Path) -> bool:
        """Whether a file of the cache that is missing here came from a shared store."""
        return False

    def share_file(self, path: Path) -> str:
        """Copy a file of this store to the shared one, if it is the copy of one; answers its place."""
        return str(path)

    @property
    def corpora_dir(self) -> Path:
        return self.root / "corpora"

    @property
    def quarantine_dir(self) -> Path:
        """Corpora that nobody may learn from; see quarantine.py."""
        return self.root / "quarantine"

    @property
    def language_models_dir(self) -> Path:
        return self.root / "language_models"

    @property
    def runs_dir(self) -> Path:
        return self.root / "runs"

    @property
    def evaluations_dir(self) -> Path:
        return self.root / "evaluations"

    @property
    def reports_dir(self) -> Path:
        return self.root / "reports"

    @property
    def cache_dir(self) -> Path:
        return self.root / "cache"

    @property
    def settings_path(self) -> Path:
        """`settings.toml`: which language models to build and what to retrain; optional."""
        return self.root / "settings.toml"

    def _published(self, parent: Path) -> list[str]:
        if not parent.is_dir():
            return []
        return sorted(p.name for p in parent.iterdir() if (p / "current" / "manifest.json").is_file())

    def _version_dir(self, parent: Path, name: str, version: str | None) -> Path:
        path = parent / name / (version or "current")
        if not (path / "manifest.json").is_file():
            there = ", ".join(self._published(parent)) or "none yet"
            what = f"{name} {version}" if version else name
            raise NotPublishedError(f"{what} is not published under {parent}; there are: {there}")
        return path.resolve()

    def corpus_names(self) -> list[str]:
        """Names of all corpora with a current version, sorted."""
        return self._published(self.corpora_dir)

    def corpus(self, name: str, version: str | None = None) -> Corpus:
        """A published corpus, by default its current version.

        Raises:
            NotPublishedError: no such corpus or version.
        """
        path = self._version_dir(self.corpora_dir, name, version)
        return Corpus(name=name, version=path.name, path=path)

    def quarantined_names(self) -> list[str]:
        """Names of all corpora that wait in quarantine, sorted."""
        return self._published(self.quarantine_dir)

    def quarantined(self, name: str, version: str | None = None) -> Corpus:
        """A corpus in quarantine, by default its current version.

        Raises:
            NotPublishedError: no such corpus or version there.
        """
        path = self._version_dir(self.quarantine_dir, name, version)
        return Corpus(name=name, version=path.name, path=path)

    def language_model_names(self) -> list[str]:
        """Names of all language models with a current version, sorted."""
        return self._published(self.language_models_dir)

    def language_model(self, name: str, version: str | None = None) -> Path:
        """The folder of a published language model, by default its current version.

        Raises:
            NotPublishedError: no such language model or version.
        """
        return self._version_dir(self.language_models_dir, name, version)

    def staging_dir(self, label: str) -> Path:
        """A working folder on the store's own file system; created, not emptied."""
        path = self.root / "staging" / label
        with explain_write(path):
            path.mkdir(parents=True, exist_ok=True)
        return path

    def lock(self, label: str, wait_s: float | None = None) -> AbstractContextManager[None]:
        """Hold the lock `label` of this store; see `locks.hold`."""
        return hold(self.root / "locks" / f"{label.replace('/', '~')}.lock", label, wait_s)
