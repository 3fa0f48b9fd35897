"""Pictures for the documentation."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from launcher.screenshots import shrink


def test_a_picture_gets_small_stays_like_it_was_and_the_same_gives_the_same(
    tmp_path: Path, root: Path
) -> None:
    from PIL import Image

    with Image.open(root / "docs/images/speech.png") as page:
        drawn = page.convert("RGB")
    paths = [tmp_path / "one.png", tmp_path / "two.png"]
    for path in paths:
        drawn.save(path)
        before = path.stat().st_size
        shrink(path)
        assert path.stat().st_size < 0.6 * before
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with Image.open(paths[0]) as small:
        assert small.mode == "P" and small.size == drawn.size
        seen = np.asarray(small.convert("RGB")).astype(int)
    assert np.abs(seen - np.asarray(drawn)).mean() < 1
