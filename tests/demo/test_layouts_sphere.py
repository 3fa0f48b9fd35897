"""The SPHERE files of the layouts: mu-law by the book, headers and checksums that the reader verifies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from demo.shorten_writer import shorten_pcm, shorten_ulaw
from demo.sphere_writer import SphereFormat, decode_ulaw, encode_ulaw, sphere_bytes, write_sphere
from native import sphere
from native.errors import SphereError


def g711_by_the_book(sample: int) -> int:
    """One sample to mu-law with shifts and comparisons only."""
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), 32635) + 132
    exponent = 7
    while exponent > 0 and not magnitude & (0x80 << exponent):
        exponent -= 1
    return ~(sign | (exponent << 4) | ((magnitude >> (exponent + 3)) & 15)) & 0xFF


def test_mulaw_encoding_of_every_sample() -> None:
    samples = np.arange(-32768, 32768).astype(np.int16)
    assert encode_ulaw(samples).tolist() == [g711_by_the_book(int(sample)) for sample in samples]


def test_mulaw_decoding_of_known_bytes_and_round_trip() -> None:
    known = np.array([0x00, 0x80, 0xFF, 0x7F], dtype=np.uint8)
    assert decode_ulaw(known).tolist() == [-32124, 32124, 0, 0]
    every = np.arange(256, dtype=np.uint8)
    again = encode_ulaw(decode_ulaw(every))
    assert np.flatnonzero(again != every).tolist() == [0x7F]  # the negative zero becomes the positive one


@pytest.mark.parametrize("form", [SphereFormat(16000), SphereFormat(16000, big_endian=True)])
def test_pcm_comes_back_exactly(form: SphereFormat, tmp_path: Path) -> None:
    samples = np.random.default_rng(1).integers(-32768, 32768, (1000, 2)).astype(np.int16)
    write_sphere(tmp_path / "a.sph", samples, form)
    assert np.array_equal(sphere.read(tmp_path / "a.sph"), samples)
    assert sphere.info(tmp_path / "a.sph")["channels"] == 2


def test_mulaw_comes_back_as_its_own_decoding_and_in_slices(tmp_path: Path) -> None:
    samples = np.random.default_rng(2).integers(-32768, 32768, (1001, 2)).astype(np.int16)
    write_sphere(tmp_path / "a.sph", samples, SphereFormat(8000, "ulaw", fields={"conversation_id": "00001"}))
    heard = sphere.read(tmp_path / "a.sph")
    assert np.array_equal(heard, decode_ulaw(encode_ulaw(samples)))
    assert np.array_equal(sphere.read(tmp_path / "a.sph", 100, 200), heard[100:200])
    assert sphere.info(tmp_path / "a.sph")["fields"]["conversation_id"] == "00001"


def test_a_wrong_sample_or_a_cut_file_is_noticed(tmp_path: Path) -> None:
    data = sphere_bytes(np.arange(1000, dtype=np.int16), SphereFormat(16000))
    flipped = bytearray(data)
    flipped[1500] ^= 1
    for damaged in (bytes(flipped), data[:-200]):
        (tmp_path / "a.sph").write_bytes(damaged)
        with pytest.raises(SphereError):
            sphere.read(tmp_path / "a.sph")


def test_an_overfull_header_and_an_unknown_coding_are_refused() -> None:
    silence = np.zeros(10, dtype=np.int16)
    with pytest.raises(ValueError, match="does not fit"):
        sphere_bytes(silence, SphereFormat(8000, fields={"note": "x" * 1000}))
    with pytest.raises(ValueError, match="alaw"):
        sphere_bytes(silence, SphereFormat(8000, "alaw"))


@pytest.mark.parametrize("frames", range(1000, 1012))
def test_streams_end_with_a_whole_word(frames: int) -> None:
    """Behind mark and version, readers such as sph2pipe take 32 bits at a time, the last ones too."""
    sound = np.random.default_rng(frames).integers(-900, 900, (frames, 2)).astype(np.int16)
    assert len(shorten_pcm(sound)) % 4 == 5 % 4
    assert len(shorten_ulaw(encode_ulaw(sound))) % 4 == 5 % 4
