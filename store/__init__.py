"""Where everything lies: paths, locks, atomic writes, publishing, settings. Knows no importer and no rule.

opening.py  which store    store.py  its folders    corpus.py  a published version    versions.py, writing.py  publishing
"""

from __future__ import annotations

import os
from pathlib import Path


def checkout_root() -> Path:
    """Where this checkout lies, with `var/` for all that runs write: $SPEECHMILL_ROOT, else the folder of this package."""
    named = os.environ.get("SPEECHMILL_ROOT")
    return (Path(named) if named else Path(__file__).resolve().parents[1]).absolute()
