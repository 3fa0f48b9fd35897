"""The FLAC encoder against other people's decoders: what they read back is what went in, sample by sample."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from hypothesis import example, given
from hypothesis import strategies as st

from native import _core, flac

Samples = npt.NDArray[np.int16]
RATE_HZ = 16_000


def read_back(data: bytes) -> tuple[Samples, int]:
    samples, rate_hz = soundfile.read(io.BytesIO(data), dtype="int16")
    return samples, rate_hz


def check(samples: Samples, rate_hz: int = RATE_HZ) -> bytes:
    """Encode, decode with libFLAC, compare samples, rate and MD5; the file."""
    data = flac.encode(samples, rate_hz)
    again, stated_hz = read_back(data)
    np.testing.assert_array_equal(again, samples)
    assert stated_hz == rate_hz
    assert data[26:42] == hashlib.md5(samples.tobytes(), usedforsecurity=False).digest()
    assert int.from_bytes(data[21:26], "big") & 0xFFFFFFFFF == len(samples)
    return data


def noise(count: int, level: float, seed: int = 0) -> Samples:
    drawn = np.random.default_rng(seed).normal(0.0, level, count)
    return np.clip(np.rint(drawn), -32768, 32767).astype(np.int16)


def speech_like(count: int, seed: int = 0) -> Samples:
    """Noise through a resonance, its loudness rising and falling."""
    drawn = np.random.default_rng(seed).normal(0.0, 300.0, count)
    loud = drawn * (0.05 + np.abs(np.sin(np.arange(count) / 4000.0)))
    out = np.zeros(count)
    for at in range(2, count):
        out[at] = loud[at] + 1.6 * out[at - 1] - 0.8 * out[at - 2]
    return np.clip(np.rint(out), -32768, 32767).astype(np.int16)


def test_every_kind_of_sound_comes_back() -> None:
    time = np.arange(5000)
    square = np.where(time % 100 < 50, 32767, -32768).astype(np.int16)
    impulses = np.zeros(5000, np.int16)
    impulses[::777] = np.int16(-32768)
    sounds = {
        "silence": np.zeros(5000, np.int16),
        "constant": np.full(5000, -32768, np.int16),
        "full scale": np.where(time % 2 == 0, 32767, -32768).astype(np.int16),
        "square": square,
        "impulses": impulses,
        "sine": np.rint(32767 * np.sin(time / 7.0)).astype(np.int16),
        "quiet sine": np.rint(3 * np.sin(time / 40.0)).astype(np.int16),
        "ramp": time.astype(np.int16),
        "steps": (time // 1024).astype(np.int16),
        "loud noise": noise(5000, 20_000.0),
        "noise of one bit": noise(5000, 0.5),
        "speech-like": speech_like(5000),
    }
    for name, samples in sounds.items():
        data = check(samples)
        assert len(data) < 2.03 * len(samples) + 60, name
    assert len(flac.encode(sounds["silence"], RATE_HZ)) < 150


@pytest.mark.parametrize("count", [*range(1, 18), 31, 63, 64, 65, 255, 256, 257, 1023, 1024, 1025, 3073])
def test_every_length_comes_back(count: int) -> None:
    for level in (2.0, 500.0, 30_000.0):
        check(noise(count, level, count))
    check(speech_like(count))


@pytest.mark.parametrize("zeros", [1, 2, 3, 8, 14, 15])
def test_low_zero_bits_are_left_out(zeros: int) -> None:
    full = noise(8000, 6000.0)
    cut = (full >> zeros << zeros).astype(np.int16)
    data = check(cut)
    if zeros <= 8:
        assert len(data) < len(flac.encode(full, RATE_HZ)) - 0.9 * zeros * len(cut) / 8


@given(
    st.lists(st.tuples(st.integers(1, 1300), st.integers(0, 15), st.integers(0, 2**32 - 1)), min_size=1, max_size=5),
    st.integers(0, 15),
)  # fmt: skip
@example([(1024, 15, 0), (1024, 0, 1), (1024, 15, 2)], 0)
@example([(1024, 1, 0), (1, 15, 1)], 4)
def test_any_samples_come_back(stretches: list[tuple[int, int, int]], zeros: int) -> None:
    """Stretches of flat noise of any level, side by side: predictors and codes meet what they do not expect."""
    parts = [
        np.random.default_rng(seed).integers(-(1 << level), 1 << level, count, endpoint=level < 15)
        for count, level, seed in stretches
    ]
    samples = (np.concatenate(parts).astype(np.int16) >> zeros << zeros).astype(np.int16)
    assert check(samples) == _core.flac_encode(samples, RATE_HZ, portable=True)


@pytest.mark.parametrize(
    "rate_hz", [1, 7350, 8000, 11_025, 16_000, 44_100, 65_535, 65_540, 88_200, 192_000, 200_001, 254_000, 655_350]
)  # fmt: skip
def test_every_rate_is_stated(rate_hz: int) -> None:
    check(speech_like(2000), rate_hz)


def test_header_states_the_frames_as_they_are() -> None:
    samples = speech_like(70_000)
    data = check(samples)
    block = int.from_bytes(data[8:10], "big"), int.from_bytes(data[10:12], "big")
    assert block == (_core.FLAC_BLOCK, _core.FLAC_BLOCK)
    smallest, largest = int.from_bytes(data[12:15], "big"), int.from_bytes(data[15:18], "big")
    frames = -(-len(samples) // _core.FLAC_BLOCK)
    assert 0 < smallest <= (len(data) - 42) / frames <= largest <= len(data) - 42


def test_damage_is_seen() -> None:
    """The CRC of every frame is right, so a reader notices a flipped bit."""
    data = bytearray(flac.encode(speech_like(4000), RATE_HZ))
    data[len(data) // 2] ^= 4
    with pytest.raises(soundfile.LibsndfileError):
        read_back(bytes(data))


def test_bytes_are_the_same_for_ever() -> None:
    """Whoever changes the bytes counts FLAC_ENCODER_VERSION up: caches are keyed by it."""
    state, values = 12345, []
    for at in range(6000):
        state = (1103515245 * state + 12345) % 2**31
        values.append(((state >> 16) - 16384) // (1 + (at // 500) ** 3) + (at % 90 - 45) * 100)
    samples = np.array(values, np.int16)
    digest = hashlib.sha256(flac.encode(samples, RATE_HZ)).hexdigest()
    assert (flac.ENCODER_VERSION, digest[:16]) == (1, "d1505bc322edeedf")


def test_threads_give_the_same_bytes() -> None:
    sounds = [speech_like(6000, seed) for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda samples: flac.encode(samples, RATE_HZ), sounds))
    assert together == [flac.encode(samples, RATE_HZ) for samples in sounds]


@pytest.mark.parametrize("count", [0, 1, 3, 8, 19])
def test_many_are_as_one_by_one(count: int) -> None:
    sounds = [(speech_like(1 + 700 * at, at), 8000 + at) for at in range(count)]
    assert flac.encode_many(sounds) == [flac.encode(samples, rate_hz) for samples, rate_hz in sounds]
    with pytest.raises(ValueError, match="no samples"):
        flac.encode_many([*sounds, (noise(1, 1.0)[:0], RATE_HZ)])
    with pytest.raises(TypeError, match="float64"):
        flac.encode_many([*sounds, (np.zeros(5), RATE_HZ)])  # type: ignore[list-item]


def test_nonsense_is_refused() -> None:
    samples = noise(100, 100.0)
    with pytest.raises(ValueError, match="no samples"):
        flac.encode(samples[:0], RATE_HZ)
    for rate_hz in (0, -1, 655_351, 2**40):
        with pytest.raises(ValueError, match=str(rate_hz)):
            flac.encode(samples, rate_hz)
    with pytest.raises(ValueError, match="side by side"):
        flac.encode(samples[::2], RATE_HZ)
    with pytest.raises(TypeError, match="float32"):
        flac.encode(samples.astype(np.float32), RATE_HZ)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="2 axes"):
        flac.encode(samples.reshape(50, 2), RATE_HZ)


def test_no_larger_than_libflac(real_data: Path) -> None:
    """Real speech: at most 2 % more bytes than libFLAC at level 5."""
    paths = sorted((real_data / "librispeech").rglob("*.flac"))
    if not paths:
        pytest.skip("no real speech here")
    ours = theirs = 0
    for path in paths:
        samples, rate_hz = soundfile.read(path, dtype="int16")
        out = io.BytesIO()
        soundfile.write(out, samples, rate_hz, format="FLAC", subtype="PCM_16", compression_level=0.625)
        ours += len(check(samples, rate_hz))
        theirs += len(out.getvalue())
    assert ours <= 1.02 * theirs


@pytest.mark.parametrize("count", [1, 15, 4000])
def test_ffmpeg_agrees(tmp_path: Path, count: int) -> None:
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    samples = speech_like(count)
    path = tmp_path / "x.flac"
    path.write_bytes(flac.encode(samples, RATE_HZ))
    ran = subprocess.run(
        ["ffmpeg", "-v", "error", "-xerror", "-i", str(path), "-f", "s16le", "-"],
        capture_output=True,
        check=True,
    )
    assert ran.stderr == b""
    np.testing.assert_array_equal(np.frombuffer(ran.stdout, "<i2"), samples)
