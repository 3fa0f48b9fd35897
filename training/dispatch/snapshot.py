"""The code of a job as it was when the job was handed over: whoever edits the checkout does not change queued jobs.

    cache/code/<hash>/     our packages without C++, and `build`, a link to the built library

Snapshots are named by their content, made once, and removed a day after the last run that names them is gone. An
installed wheel is not copied: it does not change. Runs nothing.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from pathlib import Path

from store.errors import StoreError
from store.store import Store
from store.writing import read_json, temporary_beside

_ROOT = Path(__file__).resolve().parents[2]
_PACKAGES = ("native", "store", "corpora", "lm", "scoring", "training")
_ENDINGS = {".py", ".pyi", ".toml", ".json", ".txt", ".tsv", ".html", ".css", ".js", ".glm"}
_DAY_S = 86400.0


def code_of_job(store: Store, root: Path = _ROOT) -> Path:
    """Where a job of now finds its code: a snapshot, or the installed packages themselves."""
    if not (root / "requirements.lock").is_file():
        return root
    files = _files(root)
    digest = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root)}\0{len(content)}\n".encode() + content)
    target = store.cache_dir / "code" / digest.hexdigest()[:16]
    if not target.is_dir():
        _drop_old(store, target.parent)
        _copy(files, root, target)
    return target


def _files(root: Path) -> list[Path]:
    found = [path for package in _PACKAGES for path in (root / package).rglob("*") if path.suffix in _ENDINGS]
    return sorted(path for path in found if "__pycache__" not in path.parts and path.is_file())


def _copy(files: list[Path], root: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    staged = temporary_beside(target)
    try:
        for path in files:
            place = staged / path.relative_to(root)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
        (staged / "build").symlink_to(root / "build")
        staged.rename(target)
    except FileExistsError:
        pass  # another process made the same one meanwhile
    except OSError as error:
        if not target.is_dir():
            raise StoreError(f"{target}: the code of the job cannot be kept there: {error}") from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _drop_old(store: Store, folder: Path) -> None:
    """Snapshots that no run names any more."""
    named = set()
    for ticket in store.runs_dir.glob("*/job.json"):
        try:
            named.add(read_json(ticket).get("code"))
        except StoreError:
            return  # it may name any of them
    for path in folder.glob("*"):
        if path.name not in named and time.time() - path.stat().st_mtime > _DAY_S:
            shutil.rmtree(path, ignore_errors=True)
