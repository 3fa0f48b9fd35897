"""A folder full of archives, as a download leaves it, and what archives and litter are by their names."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from corpora.sources.names import _LATER_PART, _SUMS, ARCHIVE, LITTER


def archives_for_folders(paths: Sequence[Path | str]) -> list[Path | str]:
    """A folder that holds nothing but archives (and their sums) stands for these archives."""
    found: list[Path | str] = []
    for path in paths:
        inside = _archives_in(Path(path)) if "://" not in str(path) else []
        found += inside or [path]
    return found


def _archives_in(root: Path) -> list[Path]:
    """The archives of a folder, sorted, where it holds nothing else; [] at the first other file."""
    found: list[Path] = []
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder) / name
            relative = path.relative_to(root).as_posix()
            if LITTER.search(relative) or _SUMS.search(name) or _LATER_PART.search(name):
                continue
            if not ARCHIVE.search(name) or path.is_symlink():
                return []
            found.append(path)
    return sorted(found)
