"""The one error of the launcher, and private files: written under a temporary name, mode 0600, renamed."""

from __future__ import annotations

import os
from pathlib import Path

from store.writing import temporary_beside


class LaunchError(Exception):
    """Airflow cannot be started, stopped or kept; the text says why and what mends it."""


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 0600 under a temporary name and rename it."""
    temporary = temporary_beside(path)
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
