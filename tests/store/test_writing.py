"""Temporary names: one process each, and what the dead left is removed, of this machine at once, of others after a day."""

from __future__ import annotations

import os
import time
from pathlib import Path

from store.writing import drop_leftovers, temporary_beside


def test_leftovers_of_the_dead_go_and_work_of_the_living_stays(tmp_path: Path) -> None:
    living = temporary_beside(tmp_path / "a.npz")
    dead = living.with_name(living.name.replace(f"-{os.getpid()}.", "-999999999."))
    folder = dead.with_name(dead.name.replace("a.npz", "b.npz"))
    elsewhere, forgotten = tmp_path / ".a.npz.other-7.tmp", tmp_path / ".a.npz.1234.tmp"
    others = [tmp_path / "a.npz", dead.with_name(dead.name.replace("a.npz", "a.json"))]
    for path in (living, dead, elsewhere, forgotten, *others):
        path.write_bytes(b"half")
    (folder / "inside").mkdir(parents=True)
    long_ago = time.time() - 2 * 24 * 3600
    os.utime(forgotten, (long_ago, long_ago))
    drop_leftovers(tmp_path, "*.npz")
    assert {path for path in tmp_path.iterdir()} == {living, elsewhere, *others}
    drop_leftovers(tmp_path)
    assert {path for path in tmp_path.iterdir()} == {living, elsewhere, others[0]}
