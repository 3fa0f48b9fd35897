"""The set that the audit is measured on: the same for the same seed, no two sounds alike, splits by speaker."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from benchmarks.audit import RATE_HZ, UTTERANCE_S, speech_like, write_set
from native import flac


def test_the_set_is_the_same_again_and_holds_no_copies(tmp_path: Path) -> None:
    places = [write_set(tmp_path / name, 0.15, 7) for name in ("a", "b")]
    files = [sorted(place.rglob("*.*")) for place in places]
    assert [path.read_bytes() for path in files[0]] == [path.read_bytes() for path in files[1]]
    assert write_set(tmp_path / "a", 0.15, 7) == places[0]
    rows = {path.name[:4]: pq.read_table(path).to_pylist() for path in (places[0] / "data").iterdir()}
    assert {name: len(found) for name, found in rows.items()} == {"trai": 41, "vali": 2, "test": 2}
    every = [row for found in rows.values() for row in found]
    assert len({row["audio"]["bytes"] for row in every}) == len({row["text"] for row in every}) == 45
    sound = flac.decode(every[0]["audio"]["bytes"])
    assert (len(sound.samples), sound.sample_rate_hz) == (UTTERANCE_S * RATE_HZ, RATE_HZ)


def test_sounds_are_loud_enough_and_have_pauses() -> None:
    one, other = speech_like(1).astype(float), speech_like(2).astype(float)
    assert 1000 < np.abs(one).max() < 20_000
    assert np.mean(np.abs(one) < 60) > 0.05  # pauses, but for their noise
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.2
