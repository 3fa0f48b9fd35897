"""Ogg: every page is proved by its sum and its number; whatever is lost, changed or doubled is refused."""

from __future__ import annotations

import io
import random
from collections.abc import Callable

import numpy as np
import pytest
import soundfile

from corpora.audio.decoding import decode
from corpora.audio.ogg_pages import check_ogg
from corpora.errors import AudioError


def ogg(seconds: float = 12.0, seed: int = 1, subtype: str = "VORBIS") -> bytes:
    noise = np.random.default_rng(seed).normal(0, 0.1, round(seconds * 16_000))
    out = io.BytesIO()
    soundfile.write(out, noise, 16_000, format="OGG", subtype=subtype)
    return out.getvalue()


WHOLE = ogg()


def pages(data: bytes) -> list[bytes]:
    starts = [at for at in range(len(data)) if data.startswith(b"OggS", at)]
    return [data[a:b] for a, b in zip(starts, [*starts[1:], len(data)], strict=True)]


def without(number: int) -> bytes:
    found = pages(WHOLE)
    return b"".join(found[:number] + found[number + 1 :])


def exchanged() -> bytes:
    found = pages(WHOLE)
    found[3], found[4] = found[4], found[3]
    return b"".join(found)


def one_bit(data: bytes) -> bytes:
    at = random.Random(5).randrange(len(data) // 3, len(data))
    return data[:at] + bytes([data[at] ^ 8]) + data[at + 1 :]


DAMAGES: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "page lost": (lambda: without(4), "audio_corrupt", "pages are missing"),
    "first page lost": (lambda: without(0), "audio_corrupt", "beginning of its stream is missing"),
    "last page lost": (lambda: without(len(pages(WHOLE)) - 1), "audio_truncated", "no last page"),
    "page twice": (lambda: WHOLE.replace(p := pages(WHOLE)[3], p + p), "audio_corrupt", "should come"),
    "pages exchanged": (exchanged, "audio_corrupt", "should come"),
    "a bit": (lambda: one_bit(WHOLE), "audio_corrupt", "checksum"),
    "a hole": (
        lambda: WHOLE[:9000] + bytes(400) + WHOLE[9400:], "audio_corrupt", "checksum"),
    "capture pattern": (
        lambda: WHOLE.replace(p := pages(WHOLE)[3], b"OgXS" + p[4:]), "audio_corrupt", "no Ogg page"),
    "bytes put in": (lambda: WHOLE[:9000] + b"xyz" + WHOLE[9000:], "audio_corrupt", "Ogg"),
    "cut": (lambda: WHOLE[:-50], "audio_truncated", "not whole"),
    "two joined": (lambda: WHOLE + ogg(seed=2), "audio_corrupt", "further recording"),
}  # fmt: skip


@pytest.mark.parametrize("what", DAMAGES)
def test_damage_is_refused_and_said(what: str) -> None:
    hurt, check, words = DAMAGES[what]
    with pytest.raises(AudioError, match=words) as caught:
        decode(hurt())
    assert caught.value.check == check


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_whole_files_are_read(subtype: str) -> None:
    data = ogg(5.0, subtype=subtype)
    assert check_ogg(data) == ()
    assert decode(data).duration_s == 5.0


def test_foreign_bytes_behind_the_last_page_are_flagged() -> None:
    assert decode(WHOLE + b"TAG" + bytes(125)).flags == ("foreign_bytes_at_end",)
