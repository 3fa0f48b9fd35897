"""Pictures for the documentation."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from launcher.screenshots import shrink


def test_a_picture_gets_small_stays_like_it_was_and_the_same_gives_the_same(tmp_path: Path) -> None:
    from PIL import Image

    across, down = np.meshgrid(np.arange(600), np.arange(400))
    drawn = np.stack([across * 255 // 600, down * 255 // 400, (across + down) % 256], axis=-1).astype(
        np.uint8
    )
    paths = [tmp_path / "one.png", tmp_path / "two.png"]
    for path in paths:
        Image.fromarray(drawn).save(path)
        before = path.stat().st_size
        shrink(path)
        assert path.stat().st_size < 0.6 * before
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with Image.open(paths[0]) as small:
        assert small.mode == "P" and small.size == (600, 400)
        seen = np.asarray(small.convert("RGB")).astype(int)
    assert np.abs(seen - drawn).mean() < 12
