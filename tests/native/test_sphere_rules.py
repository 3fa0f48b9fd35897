"""SPHERE and shorten, point by point. Streams are made by our own encoders; nobody's recording is in here."""

from __future__ import annotations

import contextlib
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import native
from corpora.audio.decoding import decode
from corpora.errors import AudioError
from demo.shorten_writer import BLOCK
from demo.sphere_writer import Samples, SphereFormat, decode_ulaw, encode_ulaw, sphere_bytes
from tests.corpora.calls import call_bytes, publish, tree, two_tones
from tests.native.shorten_encoder import Encoder, Stream
from tests.native.test_shorten import made
from tests.native.test_sphere import sphere, stereo

NOISE = np.random.default_rng(3).integers(-32768, 32768, (3000, 2)).astype(np.int16)


def wave(frames: int = 5000, channels: int = 2, seed: int = 1) -> Samples:
    """A walk with a silent stretch, so that every order of prediction is worth it somewhere."""
    walk = np.random.default_rng(seed).normal(scale=200, size=(frames, channels)).cumsum(axis=0)
    walk[frames // 3 : frames // 2] = 0
    return np.clip(walk, -32768, 32767).astype(np.int16)


def with_line(data: bytes, old: bytes, new: bytes) -> bytes:
    """The file with a header line changed; its length stays."""
    head, body = data[:1024].replace(old, new), data[1024:]
    assert head != data[:1024]
    return head[: head.index(b"end_head\n") + 9].ljust(1024) + body


def test_sphere_two_channel_ulaw_shorten_decodes_to_the_byte_and_its_sum_is_proved() -> None:
    samples = wave()
    codes = encode_ulaw(np.ascontiguousarray(samples))
    data = sphere_bytes(samples, SphereFormat(8000, "ulaw", shorten=True))
    assert b"ulaw,embedded-shorten-v2.00" in data
    info = native.sphere.info(data)
    assert (info["compression"], info["channels"], info["num_samples"]) == ("shorten", 2, 5000)
    assert info["checksum"] == int(codes.sum(dtype=np.int64)) % 65536
    np.testing.assert_array_equal(native.sphere.read(data), decode_ulaw(codes))
    assert decode(data).flags == ()
    bare = with_line(data, b"sample_checksum -i %d\n" % info["checksum"], b"")
    assert decode(bare).flags == ("no_checksum",)


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("shorten", [False, True])
def test_sphere_pcm_in_both_byte_orders(big_endian: bool, channels: int, shorten: bool) -> None:
    for samples in (wave(channels=channels), NOISE[:, :channels]):
        data = sphere_bytes(samples, SphereFormat(16000, "pcm", big_endian, shorten))
        np.testing.assert_array_equal(native.sphere.read(data), samples)
        assert native.sphere.info(data)["channels"] == channels


@pytest.mark.parametrize("kind", [0, 3, 5, 8])
@pytest.mark.parametrize("shift", [0, 1, 2, 3])
@pytest.mark.parametrize("version", [1, 2])
def test_sphere_every_command_every_shift_and_a_short_last_block(kind: int, shift: int, version: int) -> None:
    stream = Stream(kind, channels=2, block=256, order=6, means=4 if kind < 8 else 0, version=version)
    stream.bit_shift = shift
    for seed in range(3):  # the encoder picks DIFF0 to DIFF3 and QLPC by the seed, ZERO in silence
        file, samples, _ = made(seed, 256 * 6 + 77, stream)
        np.testing.assert_array_equal(native.sphere.read(file), samples)


def test_sphere_a_cut_stream_is_an_error_with_both_counts(tmp_path: Path) -> None:
    data = sphere_bytes(wave(), SphereFormat(8000, "ulaw", shorten=True))
    path = tmp_path / "cut.sph"
    for keep in (1030, 1200, len(data) // 2, len(data) - 100):
        path.write_bytes(data[:keep])
        with pytest.raises(native.SphereError, match=r"cut\.sph: truncated: .* after \d+ of 5000 samples"):
            native.sphere.read(path)
    with pytest.raises(AudioError) as caught:
        decode(data[: len(data) // 2])
    assert caught.value.check == "audio_truncated"


@pytest.mark.parametrize("shorten", [False, True])
def test_sphere_a_wrong_sum_refuses_the_rows_unless_told_otherwise(shorten: bool, tmp_path: Path) -> None:
    data = call_bytes(shorten=shorten)
    right = int(native.sphere.info(data)["checksum"])
    wrong = with_line(
        data, b"sample_checksum -i %d\n" % right, b"sample_checksum -i %d\n" % ((right + 1) % 65536)
    )
    with pytest.raises(native.SphereChecksumError, match=f"sum to {right}, the header says"):
        native.sphere.read(wrong)
    np.testing.assert_array_equal(native.sphere.read(wrong, verify=False), native.sphere.read(data))
    lines = "0.50 2.00 A: so the topic is\n2.10 3.90 B: oh\n"
    source = tree(
        tmp_path / "in",
        {"fe_03_00007.sph": wrong, "fe_03_00007.txt": lines, "fe_03_00008.txt": "1 2 A: yes\n"},
    )
    tree(source, {"fe_03_00008.sph": call_bytes(seed=1)})
    refused = publish("fisher", tmp_path / "a", source)
    assert refused.manifest["rejected"] == {"checksum_mismatch": 2}
    kept = publish("fisher", tmp_path / "b", source, accept_checksum_mismatch="yes")
    flags = {row["recording_id"]: "checksum_mismatch" in row["flags"] for row in kept.rows}
    assert flags == {"fe_03_00007": True, "fe_03_00008": False}
    assert kept.manifest["options"] == {"accept_checksum_mismatch": "yes"}


def test_sphere_a_header_of_2048_bytes() -> None:
    plain = stereo("<i2")
    long = plain[:1024].replace(b"   1024\n", b"   2048\n") + b" " * 1024 + plain[1024:]
    np.testing.assert_array_equal(native.sphere.read(long), native.sphere.read(plain))
    assert native.sphere.info(long)["header_bytes"] == 2048


def test_sphere_a_header_copied_in_text_mode_is_refused() -> None:
    with pytest.raises(native.SphereError, match="CR LF line ends: it was copied in text mode"):
        native.sphere.read(stereo("<i2").replace(b"\n", b"\r\n"))


def test_sphere_without_sample_coding_it_is_pcm() -> None:
    data = with_line(stereo("<i2"), b"sample_coding -s3 pcm\n", b"")
    assert native.sphere.info(data)["flags"] == ["coding_assumed"]
    np.testing.assert_array_equal(native.sphere.read(data), native.sphere.read(stereo("<i2")))


def test_sphere_other_spellings_of_mu_law() -> None:
    codes = bytes(range(256))
    expected = decode_ulaw(np.frombuffer(codes, np.uint8))
    for name in ("ulaw", "mu-law", "mulaw"):
        file = sphere(codes, channel_count=1, sample_rate=8000, sample_coding=name)
        np.testing.assert_array_equal(native.sphere.read(file)[:, 0], expected)


def test_sphere_an_odd_trailing_byte_is_dropped_and_flagged() -> None:
    data = stereo("<i2") + b"\x07"
    assert native.sphere.info(data)["flags"] == ["trailing_bytes"]
    np.testing.assert_array_equal(native.sphere.read(data), native.sphere.read(stereo("<i2")))


@pytest.mark.parametrize(
    ("count", "flag"), [(5, "sample_count_mismatch"), (12, "sample_count_total"), (9, "truncated")]
)
def test_sphere_a_wrong_sample_count(count: int, flag: str) -> None:
    data = with_line(stereo("<i2"), b"sample_count -i 6\n", b"sample_count -i %d\n" % count)
    assert native.sphere.info(data)["flags"] == [flag]
    if flag == "truncated":
        with pytest.raises(native.SphereError, match="6 of 9 samples per channel"):
            native.sphere.read(data)
    else:
        np.testing.assert_array_equal(native.sphere.read(data), native.sphere.read(stereo("<i2")))
        assert flag in decode(data).flags


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"channel_count": 0}, "channel_count 0 is outside 1 to 8"),
        ({"channel_count": 9}, "channel_count 9"),
        ({"channel_count": 2**62}, "channel_count"),
        ({"sample_rate": -8000}, "sample_rate -8000"),
        ({"sample_count": -1}, "sample_count -1 is negative"),
        ({"sample_count": 2**62}, "truncated"),
        ({"sample_n_bytes": 4}, "sample_n_bytes 4"),
        ({"sample_coding": "pcm,embedded-shortpack-v0"}, "shortpack"),
        ({"sample_coding": "pcm,embedded-wavpack"}, "wavpack"),
        ({"sample_coding": "vorbis"}, '"vorbis" is unknown'),
        ({"sample_coding": "pcm,embedded-shorten-v2.00"}, "do not begin with shorten's mark"),
        ({"sample_byte_format": "0123"}, '"0123" is unknown'),
        ({"sample_checksum": 65536}, "outside 0 to 65535"),
    ],
)
def test_sphere_hostile_headers_are_refused_by_name(fields: dict[str, str | int], part: str) -> None:
    known: dict[str, str | int] = {"channel_count": 2, "sample_rate": 8000, "sample_coding": "pcm"}
    with pytest.raises(native.SphereError, match=part):
        native.sphere.read(sphere(bytes(64), **{**known, **fields}))


def test_sphere_hostile_streams_cost_no_memory_and_never_crash() -> None:
    chance = np.random.default_rng(1)
    file, _, _ = made(1, 600, Stream(8, channels=2, order=0, means=0))
    for _ in range(3000):
        damaged = bytearray(file)
        for at in chance.integers(1024, len(file), 4):
            damaged[int(at)] = int(chance.integers(0, 256))
        cut = bytes(damaged[: int(chance.integers(1024, len(file) + 1))])
        with contextlib.suppress(native.SphereError):
            assert native.sphere.read(cut).shape == (600, 2)
    for length in (2**31, 2**40):  # a count that nobody holds is not made room for
        huge = file.replace(b"sample_count -i 600\n", b"sample_count -i %d\n" % length)
        huge = huge[: huge.index(b"end_head\n") + 9].ljust(1024) + file[1024:]
        with pytest.raises(native.SphereError, match=f"600 of {length}"):
            native.sphere.read(huge)
    for number in (
        Stream(8, channels=3),
        Stream(8, channels=2, block=65536),
        Stream(8, channels=2, order=65),
    ):
        body = Encoder(number, 1).encode(np.zeros((0, number.channels), np.int64))
        with pytest.raises(native.SphereError, match="is outside"):
            native.sphere.read(file[:1024] + body)


def test_sphere_it_is_known_by_its_first_bytes_not_by_its_name(tmp_path: Path) -> None:
    source = tree(tmp_path / "in", {"fe_03_00007.wav": call_bytes(), "fe_03_00007.txt": "1 2 A: yes\n"})
    assert [row["text"] for row in publish("fisher", tmp_path / "store", source).rows] == ["yes"]
    with pytest.raises(AudioError) as caught:
        decode(b"NIST_1A\r\n" + bytes(3000))
    assert caught.value.check == "audio_corrupt"


def test_sphere_a_stretch_decodes_no_further_than_its_end() -> None:
    samples, form = two_tones(4.0), SphereFormat(8000, "ulaw", shorten=True)
    data = sphere_bytes(samples, form)
    whole = native.sphere.read(data)
    for start, stop in ((0, 1), (100, 900), (5000, 5120), (31000, 31999)):
        blocks = -(-stop // BLOCK)
        needed = len(sphere_bytes(samples[: blocks * BLOCK], form))  # up to the block that holds the end
        for rest in (b"", b"\x00" * 5000, b"\xff" * 5000):  # what follows is gone or damaged
            np.testing.assert_array_equal(
                native.sphere.read(data[:needed] + rest, start, stop), whole[start:stop]
            )
        with pytest.raises(native.SphereError, match="truncated"):
            native.sphere.read(data[: needed - 40], start, stop)


def bytes_read() -> int:
    """Bytes this thread has read so far."""
    lines = Path("/proc/thread-self/io").read_text().split()
    return int(lines[lines.index("rchar:") + 1])


def test_sphere_a_stretch_reads_no_more_of_the_file_than_it_may_need(tmp_path: Path) -> None:
    path = tmp_path / "long.sph"
    path.write_bytes(sphere_bytes(two_tones(120.0), SphereFormat(8000, "ulaw", shorten=True)))
    size = path.stat().st_size
    before = bytes_read()
    part = native.sphere.read(path, 1000, 9000)
    between = bytes_read()
    whole = native.sphere.read(path)
    np.testing.assert_array_equal(part, whole[1000:9000])
    assert between - before < 120_000 < size <= bytes_read() - between


def test_sphere_the_interpreter_is_released_while_it_decodes() -> None:
    data = sphere_bytes(two_tones(30.0), SphereFormat(8000, "ulaw", shorten=True))
    go, ran = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: go.wait(60) and ran.set())
    thread.start()
    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(1000.0)  # now another thread runs only when this one lets go of its own accord
    released = False
    try:
        go.set()
        for _ in range(500):
            native.sphere.read(data)
            released = ran.is_set()
            if released:
                break
    finally:
        sys.setswitchinterval(interval_s)
        thread.join(60)
    assert released


def test_sphere_real_plain_files_agree_with_libsndfile(real_data: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    read = 0
    for path in sorted((real_data / "sphere").glob("*.sph")):
        try:
            expected, _ = soundfile.read(path, dtype="int16", always_2d=True)
        except soundfile.LibsndfileError:
            continue
        np.testing.assert_array_equal(native.sphere.read(path), expected)
        read += 1
    assert read or not list((real_data / "sphere").glob("*.sph"))
