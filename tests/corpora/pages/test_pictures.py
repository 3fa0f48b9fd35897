"""Pictures of sounds: a loud place is high and bright where it lies, the same sound gives the same bytes."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest

from corpora.pages.pictures import ROWS, WIDTH, picture_of
from native.errors import FlacError
from native.flac import encode


def pixels(address: str) -> np.ndarray:
    from matplotlib.image import imread

    return imread(io.BytesIO(base64.b64decode(address.removeprefix("data:image/png;base64,"))))


def test_a_tone_in_the_second_half_is_seen_where_it_is() -> None:
    time_s = np.arange(16_000) / 16_000
    tone = np.where(time_s < 0.5, 0.0, np.sin(2 * np.pi * 2000 * time_s))
    flac = encode((tone * 20_000).astype(np.int16), 16_000)
    picture = picture_of(flac)
    bright = pixels(picture.spectrum)[:, :, :3].sum(axis=2)
    assert bright.shape == (ROWS, WIDTH)
    row, column = np.unravel_index(bright.argmax(), bright.shape)
    assert column > WIDTH / 2 and abs((ROWS - 1 - row) / ROWS - 2000 / 8000) < 2 / ROWS
    assert bright[:, : WIDTH // 2 - 16].max() < bright.max() / 2
    heights = [
        float(pair.split(",")[1]) for pair in picture.wave.split('d="M')[1].split("Z")[0].split("L")[:WIDTH]
    ]
    assert min(heights[: WIDTH // 2]) == 20.0 and min(heights[WIDTH // 2 :]) < 9
    assert picture_of(flac) == picture


@pytest.mark.parametrize("samples", [1, 100, 511, 513])
def test_the_shortest_sounds_have_a_picture(samples: int) -> None:
    picture = picture_of(encode(np.full(samples, 1000, np.int16), 8000))
    assert pixels(picture.spectrum).shape[:2] == (ROWS, WIDTH) and "<path" in picture.wave


def test_what_is_no_flac_is_refused() -> None:
    with pytest.raises(FlacError):
        picture_of(b"fLaC but not for long")
