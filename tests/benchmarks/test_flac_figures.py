"""The FLAC benchmark proves its decoders before it times them."""

from __future__ import annotations

import pytest

from benchmarks.flac import measure, prove, utterances


def test_every_way_is_measured() -> None:
    found = measure(minutes=0.2, seed=1)
    assert set(found) == {"hours", "compressed_ratio", "libflac_s", "ours_s", "ours_together_s"}
    assert found["hours"] == pytest.approx(12 / 3600)
    assert 0.2 < found["compressed_ratio"] < 0.8


def test_a_damaged_file_is_no_benchmark() -> None:
    files = utterances(0.2, 1)
    with pytest.raises(ValueError, match="damaged"):
        prove([files[0][:-9]])
