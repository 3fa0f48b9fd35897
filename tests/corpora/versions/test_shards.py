"""Shards: the same row groups however rows come in; a group's own file is the shard that copying would make."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpora.refresh import plan as stage
from corpora.refresh import shard_maker as shard_cache
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from corpora.utterance import SCHEMA
from corpora.versions.shards import ROW_GROUP_BYTES, ShardWriter
from demo.layouts import librispeech, tones
from store.writing import place_file


def rows(sizes: list[int]) -> list[dict[str, Any]]:
    """Rows with so many bytes of sound each."""
    return [
        {"utterance_id": f"u{at}", "audio": {"bytes": bytes(size), "path": "x"}, "duration_s": 0.1 * at}
        for at, size in enumerate(sizes)
    ]


@pytest.mark.parametrize("seed", range(6))
def test_tables_and_rows_give_the_same_bytes(seed: int, tmp_path: Path) -> None:
    draw = np.random.default_rng(seed)
    sizes = [int(size) for size in draw.integers(0, ROW_GROUP_BYTES // 3, 40)] + [3 * ROW_GROUP_BYTES, 5]
    given = rows(sizes)
    with ShardWriter(tmp_path / "rows.parquet") as by_row:
        by_row.add_rows(given)
    with ShardWriter(tmp_path / "tables.parquet") as by_table:
        cuts = [0, *sorted(int(cut) for cut in draw.integers(0, len(given), 4)), len(given)]
        for first, last in pairwise(cuts):
            by_table.add_table(pa.Table.from_pylist(given[first:last], schema=SCHEMA))
    assert (tmp_path / "rows.parquet").read_bytes() == (tmp_path / "tables.parquet").read_bytes()
    assert by_row.rows == by_table.rows == len(given)
    groups = pq.ParquetFile(tmp_path / "rows.parquet")
    counts = [
        groups.read_row_group(n, columns=["utterance_id"]).num_rows for n in range(groups.num_row_groups)
    ]
    ends = np.cumsum(sizes) + 512 * np.arange(1, len(sizes) + 1)
    assert counts[0] == int(np.searchsorted(ends, ROW_GROUP_BYTES)) + 1  # cut once a row group is full


def test_a_groups_own_file_is_the_shard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "GROUP_BYTES", 60_000)
    tree = librispeech.write(tmp_path / "source", tones.utterances(speakers_per_split=2, each=3)).path
    copied: list[Path] = []
    real = shard_cache._copy_rows

    def noted(path: Path, *more: Any) -> None:
        copied.append(path)
        real(path, *more)

    monkeypatch.setattr(shard_cache, "_copy_rows", noted)
    linked = refresh(RefreshRequest("librispeech", (tree,), store=tmp_path / "linked"))
    assert copied == []
    monkeypatch.setattr(shard_cache._Piece, "is_whole", lambda piece, split: False)
    written = refresh(RefreshRequest("librispeech", (tree,), store=tmp_path / "written"))
    assert len(copied) >= 3
    assert linked["version"] == written["version"]  # made of the shards' hashes


def test_a_file_is_copied_where_links_are_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, target = tmp_path / "a", tmp_path / "deep" / "b"
    path.write_bytes(b"sound")
    place_file(path, target)
    assert path.samefile(target)
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError("no links here")))
    path.write_bytes(b"other sound")
    place_file(path, target)
    assert target.read_bytes() == b"other sound" and not path.samefile(target)
    assert [entry.name for entry in target.parent.iterdir()] == ["b"]
