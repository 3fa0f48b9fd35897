"""Where this checkout lies: its own files, and `var/` with all that runs write."""

from __future__ import annotations

import os
from pathlib import Path


def checkout_root() -> Path:
    """$SPEECHMILL_ROOT, else the folder that holds this package."""
    named = os.environ.get("SPEECHMILL_ROOT")
    return (Path(named) if named else Path(__file__).resolve().parents[1]).absolute()
