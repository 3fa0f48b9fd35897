"""Finished groups, kept for the next refresh: `<store>/cache/groups/<corpus>/<key>/`.

A group's folder is named by a key over everything it was made from: the content of its files, the units, the
importer, the rules and the writers. Reading all files for every refresh would be dear, so a note per cheap
mark (sizes, times of change) says which key they had when they were read last. What stands under a key is
whole, for it got there by one rename. After publishing only the rows without sound are kept; the sound is
in the shards. The whole cache may be deleted at any time: what is missing is made again.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from corpora.errors import SourceError
from corpora.sources.planned import PlannedSource
from store.writing import (
    canonical_json,
    drop_leftovers,
    explain_write,
    fsync_dir,
    fsync_tree,
    read_cached,
    sha256_file,
    temporary_beside,
)

KEPT_S = 60 * 24 * 3600  # groups that no refresh has used for so long are dropped
_DEAD_S = 24 * 3600
_PARTS, ROWS, _SUMS = ("counts.json", "index.parquet", "rejections.parquet"), "rows.parquet", "sums.json"
_KEY = re.compile(r"[0-9a-f]{32}")
_MOST_SUMS = 3 * 4096
_known_sums: dict[tuple[int, int, int, int], str] = {}  # device, inode, size, time of change → SHA-256


def cache_dir(plan: Mapping[str, Any]) -> Path:
    """Where all groups of the plan's corpus lie."""
    return Path(plan["store"]) / "cache" / "groups" / str(plan["name"])


def _note(plan: Mapping[str, Any], index: int) -> Path:
    return cache_dir(plan) / "marks" / str(plan["groups"][index]["key"])


def find_group(plan: Mapping[str, Any], index: int, with_sound: bool = False) -> Path | None:
    """The folder of a finished group, or None where it must be made.

    Args:
        with_sound: only if its `rows.parquet` is there too.
    """
    try:
        key = _note(plan, index).read_text()
    except (OSError, ValueError):
        return None
    folder = cache_dir(plan) / key
    return folder if _KEY.fullmatch(key) and is_finished(folder, with_sound) else None


def is_finished(folder: Path, with_sound: bool = False) -> bool:
    """Whether a group's folder holds what it must, byte for byte as it was made; a damaged group is made again."""
    sums = sums_of(folder)
    return all(_has_sum(folder / name, sums.get(name)) for name in (*_PARTS, *([ROWS] if with_sound else [])))


def sums_of(folder: Path) -> dict[str, str]:
    """SHA-256 of each file of a group as it was made; {} where nobody can say."""
    found = read_cached(folder / _SUMS)
    return found if isinstance(found, dict) else {}


def _has_sum(path: Path, sha256: str | None) -> bool:
    with suppress(OSError):
        return sha256 is not None and _hashed(path) == sha256
    return False


def _hashed(path: Path) -> str:
    """A file's hash, computed once by each process as long as the file stays the same, whatever its name.

    Raises:
        OSError: it cannot be read.
    """
    status = path.stat()
    key = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    if key not in _known_sums:
        if len(_known_sums) >= _MOST_SUMS:
            _known_sums.clear()
        _known_sums[key] = sha256_file(path)
    return _known_sums[key]


def content_key(mark: str, source: PlannedSource, members: Iterable[str]) -> str:
    """The key of a group's folder: its mark where its files are unknown, else with a hash of their bytes.

    Args:
        mark: hash of everything else the group is made from.
    """
    names = dict.fromkeys(members)  # a table is a member of many units
    parts = [[name, _digest(source, name)] for name in names]
    return hashlib.sha256(json.dumps([mark, parts]).encode()).hexdigest()[:32]


def _digest(source: PlannedSource, name: str) -> str:
    """The hash of a member's bytes, or that of why they cannot be read."""
    digest = hashlib.sha256()
    try:
        for piece in source.pieces(name):
            digest.update(piece)
    except (SourceError, OSError, EOFError, ValueError) as error:
        digest.update(f"unreadable: {error}".encode())
    return digest.hexdigest()


def staging_place(folder: Path) -> Path:
    """An empty folder beside a group's own, of this process alone; what dead processes left is removed."""
    drop_leftovers(folder.parent, folder.name)
    staged = temporary_beside(folder)
    with explain_write(staged):
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir(parents=True)
    return staged


def keep_group(staged: Path, folder: Path) -> None:
    """Give a finished group its final name."""
    with explain_write(folder):
        sums = {name: _hashed(staged / name) for name in (*_PARTS, ROWS)}
        (staged / _SUMS).write_bytes(canonical_json(sums))
        fsync_tree(staged)
        if is_finished(folder):  # made for its sound only
            (staged / ROWS).replace(folder / ROWS)
            shutil.rmtree(staged)
        else:
            shutil.rmtree(folder, ignore_errors=True)
            staged.rename(folder)
        fsync_dir(folder.parent)


def note_group(plan: Mapping[str, Any], index: int, folder: Path) -> None:
    """Remember which folder the group's mark stands for, and that it was used now."""
    path = _note(plan, index)
    temporary = temporary_beside(path)
    with explain_write(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(folder.name)
        temporary.replace(path)
        os.utime(folder)


def drop_sound(plan: Mapping[str, Any]) -> None:
    """After publishing: keep of every group only what the next seal needs."""
    for index in range(len(plan["groups"])):
        folder = find_group(plan, index)
        if folder is not None:
            (folder / ROWS).unlink(missing_ok=True)


def prune(plan: Mapping[str, Any]) -> None:
    """Remove groups and marks that no refresh has used for long, and what dead processes left."""
    now_s = time.time()
    root = cache_dir(plan)
    for path in [*root.glob("*"), *root.glob(".*.tmp"), *root.glob("marks/*")]:
        with suppress(OSError):
            age_s = now_s - path.stat().st_mtime
            if path.name == "marks" or age_s < (_DEAD_S if path.name.startswith(".") else KEPT_S):
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
