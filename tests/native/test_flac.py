"""native.flac against libFLAC (through soundfile) and against an encoder of our own for what libFLAC never writes."""

from __future__ import annotations

import io
import mmap
import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from native import FlacError, flac
from tests.native.flac_writer import Coding, Stream, encode, frame

SUBTYPES = {8: "PCM_S8", 16: "PCM_16", 24: "PCM_24"}


def sound(shape: str, frames: int, channels: int, seed: int = 1) -> np.ndarray:
    """int32 `[frames, channels]` that fills 32 bits."""
    rng = np.random.default_rng(seed)
    if shape == "silence":
        return np.zeros((frames, channels), np.int32)
    if shape == "noise":
        return rng.integers(-(2**31), 2**31, (frames, channels), dtype=np.int64).astype(np.int32)
    if shape == "full":
        return np.where(rng.random((frames, channels)) < 0.5, -(2**31), 2**31 - 1).astype(np.int32)
    time = np.arange(frames)[:, None] / 50.0 + np.arange(channels) / 3.0
    real = np.sin(time) * 0.4 + np.sin(time * 3.7) * 0.2 + rng.normal(0, 0.01, (frames, channels))
    wave = (real * 2**30).astype(np.int32)
    return wave & ~0xFFFFFFF if shape == "coarse" else wave


def written(samples: np.ndarray, bits: int = 16, level: float = 0.625, rate: int = 16000) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, samples, rate, format="FLAC", subtype=SUBTYPES[bits], compression_level=level)
    return out.getvalue()


def by_libflac(data: bytes, bits: int) -> np.ndarray:
    dtype = "int16" if bits <= 16 else "int32"
    return soundfile.read(io.BytesIO(data), dtype=dtype, always_2d=True)[0]


def refusal(data: bytes) -> FlacError:
    with pytest.raises(FlacError) as caught:
        flac.decode(data)
    return caught.value


@settings(max_examples=60, deadline=None)
@given(
    shape=st.sampled_from(["wave", "coarse", "noise", "full", "silence"]),
    frames=st.integers(1, 9000),
    channels=st.sampled_from([1, 1, 2, 2, 3, 8]),
    bits=st.sampled_from([8, 16, 16, 24]),
    level=st.integers(0, 8),
)
def test_what_libflac_writes_comes_back_as_libflac_reads_it(
    shape: str, frames: int, channels: int, bits: int, level: int
) -> None:
    data = written(sound(shape, frames, channels, frames), bits, level / 8)
    decoded = flac.decode(data)
    assert np.array_equal(decoded.samples, by_libflac(data, bits))
    assert (decoded.sample_rate_hz, decoded.bits, decoded.md5) == (16000, bits, "ok")


def scaled(samples: np.ndarray, bits: int) -> np.ndarray:
    """Samples of `bits` as they are delivered."""
    return samples.astype(np.int16) << (16 - bits) if bits <= 16 else samples.astype(np.int32) << (32 - bits)


def waves(bits: int, channels: int, frames: int = 300) -> np.ndarray:
    """int64 samples of `bits` bits; the first and the last are the extremes."""
    samples = sound("wave", frames, channels).astype(np.int64) >> (32 - bits)
    samples[0], samples[-1] = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    return samples


CODINGS = {
    "verbatim": Coding(),
    **{f"fixed {order}": Coding("fixed", order, parameter=6) for order in range(5)},
    **{
        f"linear {order}": Coding(
            "linear", order, tuple([1800, -900, 60, 40] * 8)[:order], 12, 10, parameter=7
        )
        for order in range(1, 33)
    },
    "wasted": Coding("fixed", 2, wasted=3),
    "plain residuals": Coding("fixed", 1, parameter=None, plain_bits=20),
    "partitions": Coding("linear", 3, (2000, -1000, 30), 12, 10, partition_order=2),
    "long parameters": Coding("fixed", 1, parameter=17, long_parameters=True, partition_order=1),
    "plain behind long parameters": Coding("fixed", 1, parameter=None, long_parameters=True),
    "no shift": Coding("linear", 2, (1, -1), 3, 0),
    "long codes": Coding("fixed", 2, parameter=0),
}


@pytest.mark.parametrize("name", CODINGS)
@pytest.mark.parametrize("bits", [4, 7, 8, 12, 16])
def test_every_coding_comes_back(name: str, bits: int) -> None:
    samples = waves(bits, 1, 200 if name == "long codes" else 300)
    if name == "long codes":
        samples >>= max(0, bits - 8)
    if CODINGS[name].wasted:
        samples = samples >> 3 << 3
    stream = Stream(bits=bits, block=100)
    decoded = flac.decode(encode(stream, samples, [CODINGS[name]]))
    assert np.array_equal(decoded.samples, scaled(samples, bits))
    assert decoded.md5 == "ok"


@pytest.mark.parametrize("bits", [17, 20, 24, 31, 32])
@pytest.mark.parametrize("stereo", ["independent", "left_side", "side_right", "mid_side"])
@pytest.mark.parametrize("name", ["verbatim", "fixed 2", "fixed 4", "linear 1", "linear 8", "linear 32"])
def test_deep_samples_come_back(bits: int, stereo: str, name: str) -> None:
    samples = waves(bits, 2, 160)
    samples[5], samples[6] = (samples.min(), samples.max()), (samples.max(), samples.min())
    coding = CODINGS[name]
    if (
        coding.kind != "verbatim"
    ):  # residuals of at most 32 bits: only gentle sound can be predicted at 32 bits
        samples = (samples // 64) if bits > 24 else samples
        parameter = bits - 4 if name == "linear 32" else bits - 8
        coding = Coding(
            coding.kind, coding.order, coding.coefficients, 12, 10, parameter=parameter, long_parameters=True
        )
    decoded = flac.decode(encode(Stream(channels=2, bits=bits, block=80), samples, [coding] * 2, stereo))
    assert np.array_equal(decoded.samples, scaled(samples, bits))


@pytest.mark.parametrize("stereo", ["left_side", "side_right", "mid_side"])
def test_stereo_of_16_bits_comes_back(stereo: str) -> None:
    samples = waves(16, 2)
    samples[3], samples[4] = (-32768, 32767), (32767, -32768)
    decoded = flac.decode(encode(Stream(channels=2), samples, [CODINGS["fixed 2"]] * 2, stereo))
    assert np.array_equal(decoded.samples, samples)


def test_constants_of_every_channel_come_back() -> None:
    samples = np.tile(np.array([[-5, 0, 7, 32767, -32768, 1, 2, 3]]), (64, 1))
    decoded = flac.decode(encode(Stream(channels=8), samples, [Coding("constant")] * 8))
    assert np.array_equal(decoded.samples, samples)


@pytest.mark.parametrize("block", [16, 191, 4608, 65535])
@pytest.mark.parametrize("variable", [False, True])
def test_block_sizes_and_numbering(block: int, variable: bool) -> None:
    samples = np.tile(np.arange(-900, 900)[:, None], (100, 1))[: max(3 * block, 140 * 16)]
    decoded = flac.decode(encode(Stream(block=block, variable=variable), samples, [Coding("fixed", 1)]))
    assert np.array_equal(decoded.samples, samples)


@pytest.mark.parametrize(
    ("rate", "header"),
    [
        (8000, {}),
        (11025, {}),
        (96000, {"rate": 11}),
        (12000, {"rate": 12, "rate_bytes": 12}),
        (11025, {"rate": 13, "rate_bytes": 11025}),
        (352800, {"rate": 14, "rate_bytes": 35280}),
    ],
)
def test_sample_rates(rate: int, header: dict[str, int]) -> None:
    samples = waves(16, 1)
    decoded = flac.decode(encode(Stream(rate, header=header), samples, [Coding()]))
    assert decoded.sample_rate_hz == rate


@pytest.mark.parametrize(
    ("data", "kind", "told"),
    [
        (Stream(header={"reserved": 1}), "corrupt", "no frame begins here"),
        (Stream(header={"last": 1}), "corrupt", "reserved"),
        (Stream(header={"block": 0}), "corrupt", "block size is a reserved"),
        (Stream(header={"rate": 15}), "corrupt", "rate is a reserved"),
        (Stream(header={"rate": 4}), "corrupt", "sample rate: 8000, but the file's header says 16000"),
        (Stream(header={"channels": 11}), "corrupt", "channels are a reserved"),
        (Stream(header={"channels": 1}), "corrupt", "channels: 2"),
        (Stream(header={"depth": 3}), "corrupt", "sample size is a reserved"),
        (Stream(header={"depth": 1}), "corrupt", "bits per sample: 8"),
        (Stream(header={"number": 9}), "corrupt", "number 9, 0 was expected"),
        (Coding(type_code=2), "corrupt", "kind of a channel"),
        (Coding(type_code=13), "corrupt", "kind of a channel"),
        (Coding(type_code=64), "corrupt", "first bit"),
        (Coding("fixed", 1, method=2), "corrupt", "coding of its residuals"),
        (Coding("fixed", 1, partition_order=7), "corrupt", "partitions"),
        (Coding("linear", 1, (1,), 16, 0), "corrupt", "precision"),
        (Coding("linear", 1, (1,), 15, -1), "corrupt", "shift"),
        (Coding("constant", wasted=16), "corrupt", "wastes"),
    ],
)
def test_what_the_format_forbids_is_refused(data: Stream | Coding, kind: str, told: str) -> None:
    stream, coding = (data, Coding()) if isinstance(data, Stream) else (Stream(), data)
    error = refusal(encode(stream, waves(16, 1), [coding]))
    assert error.kind == kind
    assert told in str(error)
    assert "frame 0 (byte 42 of" in str(error)


def test_samples_outside_their_depth_are_refused() -> None:
    stream = Stream(bits=8)
    samples = np.full((64, 1), 100)
    samples[9] = 200
    error = refusal(encode(stream, samples, [Coding("fixed", 1)]))
    assert "samples outside of 8 bits" in str(error)


def test_every_bit_flip_is_seen_or_harmless() -> None:
    truth = sound("wave", 3 * 4096 + 77, 1) >> 16
    data = written(truth.astype(np.int16))
    expected = truth.astype(np.int16)
    rng = np.random.default_rng(20)
    kinds: dict[str, int] = {}
    places = [*range(4, 42), *rng.integers(42, len(data), 700)]
    for place in places:
        damaged = bytearray(data)
        damaged[place] ^= 1 << int(rng.integers(8))
        try:
            assert np.array_equal(flac.decode(bytes(damaged)).samples, expected)
            kinds["harmless"] = kinds.get("harmless", 0) + 1
        except FlacError as error:
            kinds[error.kind] = kinds.get(error.kind, 0) + 1
    assert kinds["corrupt"] > 600
    assert kinds["md5"] >= 16
    assert kinds["harmless"] < 80  # metadata that says nothing of the samples


def test_bit_flips_without_md5_are_seen_too() -> None:
    truth = (sound("wave", 9000, 2) >> 16).astype(np.int16)
    data = bytearray(written(truth))
    data[26:42] = bytes(16)
    first = data.find(b"\xff\xf8", 42)
    rng = np.random.default_rng(21)
    for place in rng.integers(first, len(data), 300):
        damaged = bytearray(data)
        damaged[place] ^= 1 << int(rng.integers(8))
        assert refusal(bytes(damaged)).kind == "corrupt"


def test_every_cut_is_refused() -> None:
    data = written((sound("wave", 9000, 1) >> 16).astype(np.int16))
    for size in [*range(60), *range(60, len(data), 97), len(data) - 1]:
        assert refusal(data[:size]).kind in {"corrupt", "truncated"}


def blocks(count: int, md5: bool = True, total: bool = True) -> tuple[bytes, list[bytes]]:
    """Metadata and the frames of a file of `count` blocks."""
    stream, samples = Stream(), waves(16, 1, count * 64)
    whole = encode(stream, samples, [CODINGS["fixed 2"]])
    parts = [frame(stream, samples[64 * i :][:64], i, [CODINGS["fixed 2"]]) for i in range(count)]
    head = bytearray(whole[:42])
    assert whole == bytes(head) + b"".join(parts)
    head[26:42] = head[26:42] if md5 else bytes(16)
    head[22:26] = head[22:26] if total else bytes(4)
    return bytes(head), parts


def test_holes_and_disorder_are_refused() -> None:
    head, parts = blocks(4, md5=False)
    for order in ([0, 2, 3], [1, 2, 3], [0, 1, 1, 2, 3], [0, 2, 1, 3], [0, 1, 2, 3, 3]):
        error = refusal(head + b"".join(parts[i] for i in order))
        assert error.kind == "corrupt"
    error = refusal(head + b"".join(parts[:3]))
    assert error.kind == "truncated"
    assert "192 frames decoded of 256 declared" in str(error)
    more = Stream(), waves(16, 1, 64)
    error = refusal(head + b"".join(parts) + frame(*more, 4, [Coding()]))
    assert "follows behind the 256 samples" in str(error)


def test_a_file_of_unknown_length_is_read_to_its_end() -> None:
    head, parts = blocks(4, total=False)
    whole = flac.decode(head + b"".join(parts))
    assert len(whole.samples) == 256
    assert refusal(head + b"".join(parts[:3])).kind == "md5"
    assert "byte" in str(refusal(head + b"".join(parts) + b"junk"))
    tagged = flac.decode(head + b"".join(parts) + b"TAG" + b"x" * 125)
    assert np.array_equal(tagged.samples, whole.samples)
    head, parts = blocks(4, md5=False, total=False)
    assert len(flac.decode(head + b"".join(parts[2:])).samples) == 128  # the middle of a recorded stream


def test_a_longer_or_second_short_block_is_refused() -> None:
    stream, samples = Stream(), waves(16, 1, 192)
    head = encode(stream, samples, [Coding()])[:26] + bytes(16)
    first, rest = frame(stream, samples[:64], 0, [Coding()]), frame(stream, samples[64:], 1, [Coding()])
    assert "a block of 128 samples; the header allows 64" in str(refusal(head + first + rest))
    short = [frame(stream, samples[:40], i, [Coding()]) for i in range(3)]
    assert refusal(head + b"".join(short)).kind == "corrupt"
    broken = first + frame(stream, samples[:40], 1, [Coding()]) + frame(stream, samples[:64], 2, [Coding()])
    assert "shorter" in str(refusal(head + broken))


def test_what_follows_the_declared_end_and_unknown_metadata_do_not_matter() -> None:
    head, parts = blocks(3)
    expected = flac.decode(head + b"".join(parts)).samples
    assert np.array_equal(flac.decode(head + b"".join(parts) + b"TAGjunk" * 9).samples, expected)
    opened = head[:4] + b"\0" + head[5:]
    block = bytes([0x80 | 100, 0, 0, 5]) + b"hello"
    assert np.array_equal(flac.decode(opened + block + b"".join(parts)).samples, expected)
    assert "ends behind" in str(refusal(opened + b"\x81\xff\xff\xff" + b"".join(parts)))
    assert "127" in str(refusal(opened + b"\xff\0\0\0" + b"".join(parts)))


def test_a_header_that_lies_about_the_length_costs_no_memory() -> None:
    data = bytearray(written((sound("wave", 5000, 1) >> 16).astype(np.int16)))
    data[21] |= 0x0F
    assert refusal(bytes(data)).kind == "truncated"
    constant = encode(Stream(block=60000), np.full((600_000, 1), 7), [Coding("constant")])
    assert len(constant) < 300
    assert len(flac.decode(constant).samples) == 600_000
    with pytest.raises(FlacError, match="split the recording") as caught:
        flac.decode(constant, most_bytes=1_000_000)
    assert caught.value.kind == "too_big"


def test_several_files_at_once_are_as_each_alone() -> None:
    files = [written((sound("wave", 3000 + 700 * i, 1 + i % 2, i) >> 16).astype(np.int16)) for i in range(19)]
    files += [written(sound("wave", 3000, 1), 24), written(sound("noise", 50, 2), 8)]
    wrong = bytearray(files[3])
    wrong[30] ^= 1
    files[3], files[7], files[9] = bytes(wrong), files[7][:-9], b""
    together = flac.decode_many(files)
    for one, data in zip(together, files, strict=True):
        if isinstance(one, FlacError):
            assert (str(one), one.kind) == (str(refusal(data)), refusal(data).kind)
        else:
            assert np.array_equal(one.samples, flac.decode(data).samples)
    assert [i for i, one in enumerate(together) if isinstance(one, FlacError)] == [3, 7, 9]
    assert flac.decode_many([]) == []


@pytest.mark.parametrize("bits", [8, 16, 24])
def test_a_file_in_pieces_is_the_same(bits: int, tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    path.write_bytes(written(sound("wave", 100_000, 2), bits))
    with path.open("rb") as stream:
        data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    pieces = flac.Pieces(data)
    parts = list(pieces.read(10_000))
    assert len(parts) > 3
    assert all(10_000 <= len(part) < 60_000 for part in parts[:-1])
    assert np.array_equal(np.concatenate(parts), flac.decode(path.read_bytes()).samples)
    assert (pieces.sample_rate_hz, pieces.channels, pieces.bits, pieces.md5) == (16000, 2, bits, "ok")


def test_damage_in_a_piece_is_an_error() -> None:
    data = written((sound("wave", 60_000, 1) >> 16).astype(np.int16))
    with pytest.raises(FlacError, match="byte"):
        list(flac.Pieces(data[:-10]).read(5000))
    wrong = bytearray(data)
    wrong[30] ^= 1
    with pytest.raises(FlacError, match="MD5"):
        list(flac.Pieces(wrong).read(5000))


def test_real_files_come_back_as_libflac_reads_them(real_data: Path) -> None:
    files = [path.read_bytes() for path in sorted(real_data.rglob("*.flac"))[:50]]
    if not files:
        pytest.skip("no FLAC in the real data")
    for data, together in zip(files, flac.decode_many(files), strict=True):
        alone = flac.decode(data)
        assert isinstance(together, flac.FlacSound)
        assert np.array_equal(alone.samples, by_libflac(data, alone.bits))
        assert np.array_equal(together.samples, alone.samples)


def test_an_error_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(FlacError("cut", "truncated")))
    assert (str(error), error.kind) == ("cut", "truncated")


def test_only_rows_of_bytes_are_taken() -> None:
    with pytest.raises(TypeError, match="contiguous"):
        flac.decode(memoryview(b"fLaC" * 20)[::2])
