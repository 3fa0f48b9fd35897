"""Rejections are written as they come and sorted by pieces: the order, the counts and the bytes of a plain sort."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from corpora.utterance import Rejection
from corpora.versions import rejections
from corpora.versions.rejections import Refusals, pieces, write_sorted
from store.errors import StoreError


def some(count: int, seed: int) -> list[Rejection]:
    chance = random.Random(seed)
    return [
        Rejection(
            chance.choice(["b.stm", "a.stm", "ä.stm", ""]),
            chance.choice(["bad_line", "bad_times", "empty_text"]),
            f"reason {number} of {seed}",
            chance.choice([None, "u1", "u2", "u10", ""]),
            chance.choice([None, 0, 3, 20]),
            chance.choice([None, -1.0, 0.0, 2.5]),
        )
        for number in range(count)
    ]


def place(row: dict[str, Any]) -> tuple[str, int, str, str, float]:
    start_s = -1.0 if row["start_s"] is None else row["start_s"]
    return row["source_path"] or "", row["line"] or 0, row["utterance_id"] or "", row["check"], start_s


@pytest.mark.parametrize("together", [7, 1 << 13])
def test_pieces_are_joined_as_a_plain_sort_joins_them(
    together: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rejections, "_TOGETHER", together)
    monkeypatch.setattr(rejections, "_SORTED_TOGETHER", 50)
    parts = {tmp_path / f"{seed}.part": some(count, seed) for seed, count in enumerate([90, 0, 1, 60])}
    for path, given in parts.items():
        with Refusals(path, "odd") as refusals:
            for rejection in given:
                refusals.append(rejection)
        assert refusals.rows == len(given)
    counts = write_sorted(tmp_path / "all.parquet", [*parts])
    rows = [rejection.row("odd") for given in parts.values() for rejection in given]
    assert pq.read_table(tmp_path / "all.parquet").to_pylist() == sorted(rows, key=place)
    assert counts == dict(sorted(Counter(row["check"] for row in rows).items()))
    assert pq.ParquetFile(tmp_path / "all.parquet").metadata.num_row_groups == 4
    assert sum(len(piece) for piece in pieces([*parts], ["check"])) == len(rows)


def test_rows_are_on_disk_long_before_the_last_one_comes(tmp_path: Path) -> None:
    with Refusals(tmp_path / "many.parquet", "odd") as refusals:
        for rejection in some(20_000, 1):
            refusals.append(rejection)
        assert not (tmp_path / "many.parquet").exists()
    groups = pq.ParquetFile(tmp_path / "many.parquet").metadata
    assert [groups.row_group(i).num_rows for i in range(groups.num_row_groups)] == [8192, 8192, 3616]


def test_nothing_has_a_name_where_the_writing_ends_early(tmp_path: Path) -> None:
    with pytest.raises(KeyError), Refusals(tmp_path / "many.parquet", "odd") as refusals:
        refusals.append(some(1, 1)[0])
        raise KeyError
    assert [*tmp_path.iterdir()] == []
    with pytest.raises(StoreError, match="File exists"):
        (tmp_path / "file").write_text("")
        Refusals(tmp_path / "file" / "many.parquet", "odd")


def test_no_rejection_at_all_is_an_empty_table(tmp_path: Path) -> None:
    with Refusals(tmp_path / "none", "odd"):
        pass
    assert write_sorted(tmp_path / "all.parquet", [tmp_path / "none"]) == {}
    assert pq.read_table(tmp_path / "all.parquet").num_rows == 0
