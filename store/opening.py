"""Which store a command works on: a folder on this disk, or the working copy of one on S3."""

from __future__ import annotations

import os
from pathlib import Path


def store_of(given: Path | str | None, needed: bool = True) -> Path:
    """The folder of the store that --store or SPEECHMILL_STORE names; of one on S3 its working copy, brought up to date.

    Args:
        needed: False where the command has no use for a store: nothing is reached then.

    Raises:
        StoreError: it cannot be reached.
    """
    from store.store import Store

    named = given or os.environ.get("SPEECHMILL_STORE") or ""
    if "://" not in str(named):
        return Store.open(given).root
    from store.shared.working_copy import copies_dir, open_shared

    return open_shared(str(named).rstrip("/")).root if needed else copies_dir() / "none"
