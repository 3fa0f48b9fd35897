"""Which store a command works on: a folder on this disk, or the working copy of one on S3."""

from __future__ import annotations

import os
import re
from pathlib import Path

from store import checkout_root
from store.errors import UsageError
from store.shared.places import MARK, is_remote
from store.store import Store

_URL = re.compile(r"[a-z][a-z0-9+]+:/")


def default_store_path() -> Path:
    """$SPEECHMILL_STORE, else var/store of the checkout."""
    named = os.environ.get("SPEECHMILL_STORE")
    return Path(named) if named else checkout_root() / "var" / "store"


def open_store(root: Path | str | None = None) -> Store:
    """The store at `root`, else at `default_store_path()`; nothing is created by looking.

    Raises:
        UsageError: a URL: only the commands of corpora work on a shared store.
    """
    named = str(root or os.environ.get("SPEECHMILL_STORE") or "")
    if _URL.match(named):
        raise UsageError(
            f"the store {re.sub(':/+', '://', named)} is a URL, and this needs a store on a disk: name one with "
            "--store or SPEECHMILL_STORE, and bring corpora there with python -m corpora pull NAME --from URL"
        )
    path = (Path(root) if root else default_store_path()).absolute()
    if not (path / MARK).is_file():
        return Store(path)
    from store.shared.working_copy import SharedStore

    return SharedStore(path)


def store_of(given: Path | str | None, needed: bool = True) -> Path:
    """The folder of the store that --store or SPEECHMILL_STORE names; of one on S3 its working copy, brought up to date.

    Args:
        needed: False where the command has no use for a store: nothing is reached then.

    Raises:
        StoreError: it cannot be reached.
    """
    named = str(given or os.environ.get("SPEECHMILL_STORE") or "")
    if not is_remote(named):
        return open_store(given).root
    from store.shared.working_copy import copies_dir, open_shared

    return open_shared(named.rstrip("/")).root if needed else copies_dir() / "none"
