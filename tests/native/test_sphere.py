"""SPHERE files through Python: known answers, dirt, and the outside checks on real files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import native

RAMP = np.arange(-6, 6, dtype=np.int16).reshape(6, 2) * 3000


def sphere(data: bytes, **fields: str | int) -> bytes:
    lines = "".join(
        f"{name} -i {value}\n" if isinstance(value, int) else f"{name} -s{len(value)} {value}\n"
        for name, value in fields.items()
    )
    return f"NIST_1A\n   1024\n{lines}end_head\n".encode().ljust(1024) + data


def stereo(dtype: str, **more: str | int) -> bytes:
    order = "10" if dtype.startswith(">") else "01"
    return sphere(
        RAMP.astype(dtype).tobytes(), channel_count=2, sample_rate=8000, sample_count=6, sample_n_bytes=2,
        sample_byte_format=order, sample_coding="pcm", **more,
    )  # fmt: skip


@pytest.mark.parametrize("dtype", ["<i2", ">i2"])
def test_both_byte_orders_read_the_same(tmp_path: Path, dtype: str) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(stereo(dtype))
    samples = native.sphere.read(path)
    assert samples.dtype == np.int16
    np.testing.assert_array_equal(samples, RAMP)
    np.testing.assert_array_equal(native.sphere.read(path, 2, 5), RAMP[2:5])
    np.testing.assert_array_equal(native.sphere.read(path.read_bytes(), 4), RAMP[4:])
    info = native.sphere.info(path)
    assert (info["sample_rate_hz"], info["channels"], info["num_samples"]) == (8000, 2, 6)
    assert (info["coding"], info["compression"], info["truncated"], info["flags"]) == (
        "pcm",
        "none",
        False,
        [],
    )
    assert info["duration_s"] == pytest.approx(6 / 8000)


def test_mu_law_follows_its_formula() -> None:
    codes = np.arange(256, dtype=np.uint8)
    u = ~codes.astype(int) & 255
    magnitude = ((2 * (u & 15) + 33) << (((u >> 4) & 7) + 2)) - 132
    expected = np.where(u & 128, -magnitude, magnitude)
    for name in ("ulaw", "mu-law", "mulaw"):
        file = sphere(codes.tobytes(), channel_count=1, sample_rate=8000, sample_coding=name)
        np.testing.assert_array_equal(native.sphere.read(file)[:, 0], expected)


def test_the_checksum_is_the_sum_of_unsigned_words() -> None:
    total = int(RAMP.astype(np.uint16).astype(int).sum() % 65536)
    np.testing.assert_array_equal(native.sphere.read(stereo(">i2", sample_checksum=total)), RAMP)
    with pytest.raises(native.SphereError, match="checksum mismatch"):
        native.sphere.read(stereo(">i2", sample_checksum=total + 1))


@pytest.mark.parametrize("cut", [1, 2, 4, 23])
def test_a_cut_file_is_refused_with_its_counts(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "cut.sph"
    path.write_bytes(stereo("<i2")[:-cut])
    assert native.sphere.info(path)["truncated"]
    with pytest.raises(native.SphereError, match=rf"cut\.sph: truncated: {(24 - cut) // 4} of 6 samples"):
        native.sphere.read(path)


def test_spans_outside_the_file_are_refused() -> None:
    with pytest.raises(native.SphereError, match="2 to 7 were asked of 6"):
        native.sphere.read(stereo("<i2"), 2, 7)
    with pytest.raises(ValueError, match="start and stop"):
        native.sphere.read(stereo("<i2"), 3, 2)


def test_other_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(native.SphereError, match=r"missing\.sph.*No such file"):
        native.sphere.info(tmp_path / "missing.sph")
    with pytest.raises(native.SphereError, match="does not begin with NIST_1A"):
        native.sphere.info(b"RIFF" + bytes(2000))
    with pytest.raises(native.SphereError, match="text mode"):
        native.sphere.info(stereo("<i2").replace(b"\n", b"\r\n"))


def test_real_files_agree_with_libsndfile(real_data: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    for name in ("chan3.sph", "lhotse_stereo.sph"):
        path = real_data / "sphere" / name
        if not path.is_file():
            pytest.skip(f"{path} is not there")
        expected, rate = soundfile.read(path, dtype="int16", always_2d=True)
        np.testing.assert_array_equal(native.sphere.read(path), expected)
        assert native.sphere.info(path)["sample_rate_hz"] == rate
