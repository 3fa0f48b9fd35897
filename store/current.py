"""Which version of a name is in force, and what keeps it from being read.

`current` is a relative link to a version. It may dangle (a version was deleted by hand) or be a folder (a copy
that followed links); one such name never costs another one. Nothing is mended here: publishing does that.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from store.corpus import Corpus
from store.errors import StoreError
from store.manifests import MANIFEST, read_manifest


def version_dir(path: Path) -> Path:
    """The folder of a version, given as itself or as `current`; of a copied `current` the version it is a copy of."""
    found = path.resolve()
    if found.name != "current":
        return found
    twin = found.with_name(_stated_version(found))
    return twin if (twin / MANIFEST).is_file() else found


def corpus_at(name: str, folder: Path) -> Corpus:
    """The corpus of a version's folder."""
    version = folder.name if folder.name != "current" else _stated_version(folder)
    return Corpus(name=name, version=version, path=folder)


def _stated_version(folder: Path) -> str:
    """What the manifest of a copied folder says it is; `current` where it says nothing."""
    try:
        stated = json.loads((folder / MANIFEST).read_bytes())["version"]
    except (OSError, ValueError, RecursionError, TypeError, KeyError):
        return "current"
    return (
        stated if isinstance(stated, str) and stated and "/" not in stated and stated[0] != "." else "current"
    )


def trouble_of(folder: Path) -> str | None:
    """Why the current version of a corpus cannot be read; None where it can or where nothing is current."""
    current = folder / "current"
    try:
        status = (current / MANIFEST).stat()
    except OSError:
        if current.is_symlink():
            return (
                f"{current} names {current.readlink()}, which is not there or not whole: the next refresh of "
                f"{folder.name} publishes it again"
            )
        if current.is_dir():
            return f"{current} holds no {MANIFEST}: the next refresh of {folder.name} publishes it again"
        return None
    found = version_dir(current)
    return _manifest_trouble(found, corpus_at(folder.name, found).version, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=1024)
def _manifest_trouble(folder: Path, version: str, changed_ns: int, size_bytes: int) -> str | None:
    """What is wrong with a manifest; asked again when the file has changed."""
    try:
        read_manifest(folder, version)
    except StoreError as error:
        return str(error)
    return None
