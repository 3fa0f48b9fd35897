"""Versions: named by their content, published by one rename, `current` by another."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from store.writing import (
    canonical_json,
    explain_write,
    fsync_dir,
    fsync_tree,
    put_in_place,
    sha256_file,
    temporary_beside,
)


def link_current(parent_dir: Path, version: str) -> None:
    """Point `<parent_dir>/current` to a version, by one rename of a relative symbolic link.

    A folder in its place (a copy that followed links) steps aside under a hidden name; nothing of it is deleted.
    """
    current = parent_dir / "current"
    temporary = temporary_beside(current)
    with explain_write(parent_dir):
        if current.is_dir() and not current.is_symlink():
            current.rename(temporary.with_name(".current-copied" + temporary.suffix))
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(version, target_is_directory=True)
        temporary.replace(current)
        fsync_dir(parent_dir)


def publish_version(parent_dir: Path, version: str, staged_dir: Path) -> Path:
    """Move a finished folder to `<parent_dir>/<version>` and point `current` to it.

    The staged folder must lie on the same file system and already hold its manifest. If the version is
    there already (its name is derived from its content) the staged folder is dropped, unless files of the
    one that is there are missing or hold other bytes: then the staged one takes its place.

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
            put_in_place(staged_dir, target)
    link_current(parent_dir, version)
    return target


def is_whole(there: Path, like: Path) -> bool:
    """Whether every file of `like` is in `there` too, with the same bytes."""
    return all(
        _same_bytes(path, there / path.relative_to(like)) for path in like.rglob("*") if path.is_file()
    )


def _same_bytes(one: Path, other: Path) -> bool:
    """Whether two files are the same or hold the same."""
    if not has_size(other, one.stat().st_size):
        return False
    if one.samefile(other):
        return True
    try:
        return sha256_file(one) == sha256_file(other)
    except OSError:  # the one that is there cannot be read any more
        return False


def unpublish(parent_dir: Path) -> None:
    """Take `current` away: no version is in force any more, and all of them stay where they are."""
    with explain_write(parent_dir):
        (parent_dir / "current").unlink(missing_ok=True)
        fsync_dir(parent_dir)


def has_size(path: Path, size_bytes: int | None) -> bool:
    """Whether a file is there with this size (None = any)."""
    return path.is_file() and (size_bytes is None or path.stat().st_size == size_bytes)


def version_of(manifest: Mapping[str, Any]) -> str:
    """The version a manifest (without `version`) stands for: 16 hex digits."""
    return hashlib.sha256(canonical_json(dict(manifest))).hexdigest()[:16]
