"""Where everything lies: paths, locks, atomic writes, publishing, and reading what was published.

    corpora/<name>/<version>/{<split>/part-00000.parquet, rejections.parquet, manifest.json} + current
    quarantine/<name>/…  like corpora/, never learnt from
    alphabets/<language>.txt
    language_models/<name>/<version>/…  + current      runs/   evaluations/   reports/   settings.toml
    staging/  locks/  cache/             (working places; safe to delete while nothing runs)

A version becomes visible by one rename of its finished folder, `current` (a relative symbolic link) by
another. Nothing half-written ever lies under a final name. This module knows no importer and no rule.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path

from store.corpus import Corpus
from store.current import corpus_at, trouble_of, version_dir
from store.errors import NotPublishedError
from store.locks import hold
from store.writing import explain_write

ALPHABETS = "alphabets"
_log = logging.getLogger(__name__)


@cache
def _tell_once(name: str, reason: str) -> None:
    """One warning a process and reason, however often the names are asked for."""
    _log.warning("%s is passed over: %s", name, reason)


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
    def alphabets_dir(self) -> Path:
        """Alphabets of languages that have none here, or another: `<language>.txt`."""
        return self.root / ALPHABETS

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
            why = None if version else trouble_of(parent / name)
            raise NotPublishedError(
                f"{what} is not published under {parent}{f' ({why})' if why else ''}; there are: {there}"
            )
        return version_dir(path)

    def corpus_names(self) -> list[str]:
        """Names of all corpora with a current version, sorted; one that cannot be read is told and passed over."""
        return self._sound(self.corpora_dir)

    def _sound(self, parent: Path) -> list[str]:
        troubles = self._troubles(parent)
        for name, reason in troubles.items():
            _tell_once(name, reason)
        return [name for name in self._published(parent) if name not in troubles]

    def _troubles(self, parent: Path) -> dict[str, str]:
        """Names below a folder whose current version cannot be read, each with the reason."""
        if not parent.is_dir():
            return {}
        found = {path.name: trouble_of(path) for path in sorted(parent.iterdir()) if path.is_dir()}
        return {name: reason for name, reason in found.items() if reason is not None}

    def corpus_troubles(self) -> dict[str, str]:
        """Corpora, also those in quarantine, whose current version cannot be read, each with the reason."""
        return {**self._troubles(self.quarantine_dir), **self._troubles(self.corpora_dir)}

    def corpus(self, name: str, version: str | None = None) -> Corpus:
        """A published corpus, by default its current version.

        Raises:
            NotPublishedError: no such corpus or version.
        """
        return corpus_at(name, self._version_dir(self.corpora_dir, name, version))

    def quarantined_names(self) -> list[str]:
        """Names of all corpora that wait in quarantine, sorted; one that cannot be read is told and passed over."""
        return self._sound(self.quarantine_dir)

    def quarantined(self, name: str, version: str | None = None) -> Corpus:
        """A corpus in quarantine, by default its current version.

        Raises:
            NotPublishedError: no such corpus or version there.
        """
        return corpus_at(name, self._version_dir(self.quarantine_dir, name, version))

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
