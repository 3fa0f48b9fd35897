"""Shorten in SPHERE files: streams of our own encoder come back exactly; damage never passes."""

from __future__ import annotations

import random

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import native
from tests.native.shorten_encoder import Encoder, Stream, ulaw_values
from tests.native.test_sphere import sphere


def made(seed: int, frames: int, stream: Stream) -> tuple[bytes, npt.NDArray[np.int16], int]:
    """A random SPHERE file of a stream, its samples, its checksum."""
    generator = np.random.default_rng(seed)
    shape = (frames, stream.channels)
    if stream.type in (0, 8):
        values = ulaw_values(stream)
        codes = generator.choice(sorted(values), size=shape)
        numbers = np.vectorize(values.__getitem__, otypes=[np.int64])(codes)
        u = ~codes & 255
        magnitude = ((2 * (u & 15) + 33) << (((u >> 4) & 7) + 2)) - 132
        samples = np.where(u & 128, -magnitude, magnitude)
        total, coding, width = int(codes.sum()), "ulaw", 1
    else:
        low, high = {1: (-128, 128), 2: (0, 256), 3: (-32768, 32768), 5: (-32768, 32768)}[stream.type]
        walk = generator.normal(scale=(high - low) / 40, size=shape).cumsum(axis=0) + (low + high) / 2
        numbers = np.clip(walk, low, high - 1).astype(np.int64) >> stream.bit_shift
        numbers[frames // 3 : frames // 2] = 0
        stored = numbers << stream.bit_shift
        width = 2 if stream.type in (3, 5) else 1
        total, coding = int((stored % 256**width).sum()), "pcm"
        samples = stored if width == 2 else (stored - (128 if stream.type == 2 else 0)) * 256
    file = sphere(
        Encoder(stream, seed).encode(numbers), channel_count=stream.channels, sample_rate=8000,
        sample_count=frames, sample_n_bytes=width, sample_byte_format="01" if width == 2 else "1",
        sample_coding=f"{coding},embedded-shorten-v{stream.version}.00", sample_checksum=total % 65536,
    )  # fmt: skip
    return file, samples.astype(np.int16), total % 65536


streams = st.builds(
    Stream,
    type=st.sampled_from([0, 1, 2, 3, 5, 8]),
    channels=st.integers(1, 2),
    block=st.sampled_from([1, 2, 5, 64, 256]),
    order=st.integers(0, 8),
    means=st.sampled_from([0, 1, 3, 4]),
    version=st.sampled_from([1, 2]),
    bit_shift=st.integers(0, 3),
)


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), frames=st.integers(0, 600), stream=streams)
def test_every_stream_comes_back_exactly(seed: int, frames: int, stream: Stream) -> None:
    file, samples, total = made(seed, frames, stream)
    info = native.sphere.info(file)
    assert (info["compression"], info["checksum"], info["num_samples"]) == ("shorten", total, frames)
    np.testing.assert_array_equal(native.sphere.read(file), samples)
    np.testing.assert_array_equal(native.sphere.read(file, 0, frames), samples)
    start, stop = sorted((seed % (frames + 1), seed // 7 % (frames + 1)))
    np.testing.assert_array_equal(native.sphere.read(file, start, stop), samples[start:stop])


TELEPHONE = Stream(type=8, channels=2, order=0, means=0)


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), keep=st.floats(0, 0.999))
def test_a_cut_stream_is_refused_with_its_counts(seed: int, keep: float) -> None:
    file, _, _ = made(seed, 1500, TELEPHONE)
    body = file[1024:].rstrip(b"\0")[:-1]  # without the padding and the last command
    with pytest.raises(native.SphereError, match=r"truncated: .* of 1500 samples"):
        native.sphere.read(file[:1024] + body[: 8 + int((len(body) - 8) * keep)])


def test_a_segment_is_decoded_no_further_than_its_end() -> None:
    file, samples, _ = made(3, 4000, TELEPHONE)
    np.testing.assert_array_equal(
        native.sphere.read(file[: 1024 + len(file[1024:]) // 2], 100, 900), samples[100:900]
    )
    with pytest.raises(native.SphereError, match="truncated"):
        native.sphere.read(file[: 1024 + len(file[1024:]) // 2], 100, 3900)


def test_flipped_bits_never_pass_in_silence() -> None:
    file, samples, _ = made(11, 1500, TELEPHONE)
    generator = random.Random(1)
    refused = 0
    for _ in range(300):
        damaged = bytearray(file)
        damaged[generator.randrange(1024, len(file) - 5)] ^= 1 << generator.randrange(8)
        try:
            answer = native.sphere.read(bytes(damaged))
        except native.SphereError:
            refused += 1
        else:
            np.testing.assert_array_equal(answer, samples)
    assert refused > 290


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        (b"sample_count -i 700\n", b"sample_count -i 600\n", "more than the 600"),
        (b"sample_count -i 700\n", b"sample_count -i 800\n", "700 of 800"),
        (b"channel_count -i 2", b"channel_count -i 1", "number of channels 2"),
        (b"ulaw,embedded-shorten-v2.00", b" pcm,embedded-shorten-v2.00"[1:] + b" ", "type 8"),
        (b"ulaw,embedded-shorten-v2.00", b"alaw,embedded-shorten-v2.00", "A-law"),
        (b"ajkg\x02", b"ajkg\x03", "version 3"),
        (b"ajkg", b"ajkh", "ajkg"),
    ],
)
def test_headers_that_disagree_are_refused(old: bytes, new: bytes, part: str) -> None:
    file, _, _ = made(5, 700, TELEPHONE)
    assert old in file
    with pytest.raises(native.SphereError, match=part):
        native.sphere.read(file.replace(old, new, 1))


def test_a_count_over_both_channels_is_understood() -> None:
    file, samples, _ = made(5, 700, TELEPHONE)
    both = file.replace(b"sample_count -i 700\n", b"sample_count -i 1400\n", 1)
    both = both[: both.index(b"end_head\n") + 9].ljust(1024) + file[1024:]
    np.testing.assert_array_equal(native.sphere.read(both), samples)


def test_streams_of_other_kinds_are_named() -> None:
    for kind in (4, 6, 7):
        file, _, _ = made(5, 10, Stream(type=3))
        body = Encoder(Stream(type=kind), 1).encode(np.zeros((10, 1), np.int64))
        with pytest.raises(native.SphereError, match=f"type {kind} is not supported"):
            native.sphere.read(file[:1024] + body)
