"""A corpus, or one of its versions, is deleted: what goes, what stays, and what was made with it.

Sources, language models, runs, evaluations and the note of who has withdrawn stay: nothing that cannot be made again
from the source is deleted.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from corpora.versions.withdrawals import NOTES, made_with
from store.errors import NotPublishedError, UsageError
from store.store import Store
from store.versions import unpublish
from store.writing import explain_write


def plan_removal(store: Store, name: str, version: str | None = None) -> dict[str, Any]:
    """What removing a corpus (None = all its versions) would delete and leave; deletes nothing.

    Returns:
        corpus, versions, bytes, paths (that go), current (whether nothing of it is published afterwards), withdrawn
        (whether a note of who has withdrawn stays), language_models, runs and evaluations made with these versions.

    Raises:
        NotPublishedError: no such corpus or version. UsageError: a store on S3, or the current version of several.
    """
    if store.is_shared:
        raise UsageError(
            f"{name} lies in {store.place}: delete its folder there; only stores on disks are tidied"
        )
    folder = next((area / name for area in _areas(store) if (area / name).is_dir()), None)
    there = sorted(p.name for p in folder.iterdir() if _is_version(p)) if folder else []
    if folder is None or not there or (version is not None and version not in there):
        known = sorted(
            {p.parent.parent.name for area in _areas(store) for p in area.glob("*/*/manifest.json")}
        )
        what = name if version is None else f"{name} {version}"
        raise NotPublishedError(f"{what} is not in {store.root}; there are: {', '.join(known) or 'none yet'}")
    current = (folder / "current").readlink().name if (folder / "current").is_symlink() else None
    if version is not None and version == current and len(there) > 1:
        raise UsageError(
            f"{name} {version} is the version in force: remove the others, or all of {name} without --version"
        )
    gone = there if version is None else [version]
    paths = [folder / one for one in gone]
    if len(gone) == len(there):
        paths += [path for path in _kept_for(store, name) if path.exists()]
    return {
        "corpus": name,
        "versions": gone,
        "bytes": sum(_size(path) for path in paths),
        "paths": [str(path) for path in paths],
        "current": len(gone) == len(there),
        "withdrawn": any((folder / note).is_file() for note in NOTES),
        **made_with(store, name, set(gone)),
    }


def remove(store: Store, name: str, version: str | None = None) -> dict[str, Any]:
    """Delete what `plan_removal` says, `current` first; answers the same.

    Raises:
        What `plan_removal` raises; StoreError where something cannot be deleted.
    """
    with store.lock(f"corpus-{name}"):
        planned = plan_removal(store, name, version)
        folders = [Path(path) for path in planned["paths"]]
        with explain_write(folders[0]):
            if planned["current"]:
                unpublish(folders[0].parent)
            for folder in folders:
                if folder.is_dir():
                    shutil.rmtree(folder)
                else:
                    folder.unlink(missing_ok=True)
            area = folders[0].parent
            if planned["current"] and not any(area.iterdir()):
                area.rmdir()
    return planned


def _areas(store: Store) -> tuple[Path, Path]:
    return store.corpora_dir, store.quarantine_dir


def _is_version(path: Path) -> bool:
    """A folder that was published, also one whose manifest is gone; not `current`, not what steps aside."""
    return (
        path.is_dir() and not path.is_symlink() and not path.name.startswith(".") and path.name != "current"
    )


def _kept_for(store: Store, name: str) -> list[Path]:
    """What the next refresh of a corpus would have used again."""
    cache = store.cache_dir
    return [
        cache / "groups" / name,
        cache / "shards" / f"{name}.json",
        *sorted((cache / "leakage").glob(f"{name}-*.npz")),
        store.root / "staging" / "corpora" / name,
        store.root / "staging" / "renormalise" / name,
        store.reports_dir / "corpora" / f"{name}.html",
    ]


def _size(path: Path) -> int:
    """Bytes below a path that no other name holds; a file of several versions is freed with its last name."""
    if path.is_file():
        return path.stat().st_size
    files = (one.lstat() for one in path.rglob("*") if not one.is_dir())
    return sum(status.st_size for status in files if status.st_nlink == 1)
