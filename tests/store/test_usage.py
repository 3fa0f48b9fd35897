"""The room that a store takes: shared files once, older versions apart, a budget that is an exit status."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from store.__main__ import main
from store.opening import open_store
from store.overview import usage

BLOCK = 4096


def write(path: Path, blocks: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(os.urandom(blocks * BLOCK))
    return path


@pytest.fixture
def store(tmp_path: Path) -> Path:
    root = tmp_path / "store"
    shard = write(root / "corpora/talks/v2/train/part-0.parquet", 5)
    write(root / "corpora/talks/v1/train/part-1.parquet", 3)
    os.link(shard, root / "corpora/talks/v1/train/part-0.parquet")
    (root / "corpora/talks/current").symlink_to("v2")
    write(root / "runs/first/checkpoint.npz", 7)
    write(root / "cache/features.bin", 2)
    return root


def test_shared_files_count_once_and_older_versions_apart(store: Path) -> None:
    found = {
        (use.kind, use.name): (use.bytes, use.older, use.older_bytes) for use in usage(open_store(store))
    }
    assert found[("corpora", "talks")] == (5 * BLOCK, 1, 3 * BLOCK)
    assert found[("runs", "first")] == (7 * BLOCK, 0, 0)
    assert found[("cache", "")] == (2 * BLOCK, 0, 0)


def test_more_than_the_budget_is_an_exit_status(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["usage", "--store", str(store), "--budget-gb", "1"]) == 0
    assert "1 older versions" in capsys.readouterr().out
    assert main(["usage", "--store", str(store), "--budget-gb", "0.00001", "--json"]) == 3
    said = json.loads(capsys.readouterr().out)
    assert said["over"] and said["bytes"] == 17 * BLOCK == sum(
        p["bytes"] + p["older_bytes"] for p in said["parts"]
    )
