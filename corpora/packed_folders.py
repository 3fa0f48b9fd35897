"""A folder full of archives, as a download leaves it, and what archives and litter are by their names."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

LITTER = re.compile(
    r"(^|/)(__MACOSX/|\._|\.DS_Store$|Thumbs\.db$|desktop\.ini$|\.complete(d)?$|\.git/)", re.IGNORECASE
)
ARCHIVE = re.compile(r"\.(?:tar|tgz|tbz2?|txz|tar\.(?:gz|bz2|xz|zst)|zip|zip\.001)$", re.IGNORECASE)
_LATER_PART = re.compile(r"\.zip\.(?!001)\d{3}$", re.IGNORECASE)
_SUMS = re.compile(r"(?:\.(?:md5|sha1|sha256)|(?:md5|sha1|sha256)sums?(?:\.txt)?)$", re.IGNORECASE)


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
