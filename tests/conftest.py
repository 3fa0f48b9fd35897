"""What every test shares: the root of the tree, a store of its own, the real data where it lies."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
os.environ.setdefault("SPEECHMILL_ROOT", str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root."""
    return ROOT


@pytest.fixture
def store_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty store that $SPEECHMILL_STORE names for the time of one test."""
    path = tmp_path / "store"
    monkeypatch.setenv("SPEECHMILL_STORE", str(path))
    return path


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The directory of real speech data for outside checks; the test is skipped where there is none."""
    path = Path(os.environ.get("SPEECHMILL_REAL_DATA", ROOT.parent / "shared" / "data"))
    if not path.is_dir():
        pytest.skip("no real data here (SPEECHMILL_REAL_DATA names its directory)")
    return path
