"""Where everything lies: paths, locks, atomic writes, publishing, and reading what was published.

    corpora/<name>/<version>/{<split>/part-00000.parquet, rejections.parquet, manifest.json} + current
    quarantine/<name>/…  like corpora/, never learnt from
    language_models/<name>/<version>/…  + current      runs/   evaluations/   reports/   settings.toml
    staging/  locks/  cache/             (working places; safe to delete while nothing runs)

A version becomes visible by one rename of its finished folder, `current` (a relative symbolic link) by
another. Nothing half-written ever lies under a final name. This module knows no importer and no rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from store.corpus import Corpus
from store.errors import NotPublishedError
from store.locks import hold
from store.writing import explain_write


class Store:
    """The root folder of everything that is published."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def is_shared(self) -> bool:
        """Whether this is the working copy of a store that others see."""
        return False

    @property
    def place(self) -> str:
        """Where it lies, for people: its folder, or the URL of a shared store."""
        return str(self.root)

    def fetch_cached(self, path: Path) -> bool:
        """Whether a file of the cache that is missing here came from a shared store."""
        return False

    def share_with_version(self, name: str, paths: Iterable[Path]) -> None:
        """Copy these files of the cache to the shared store with the next version of a corpus, if there is one."""

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
    def checksums_path(self) -> Path:
        """Known hashes of published files; see checksums.py."""
        return self.cache_dir / "checksums.json"

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
