"""Figures of sound: the C++ against plain numpy, whatever the rate, the length and the registers."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from native import sound
from tests.native import sound_reference

RATES_HZ = (8000, 11025, 16_000)
COPY_BITS = 2  # a bit of the fingerprint may hang on the last digits of two energies


def invented(seed: int, seconds: float, rate_hz: int) -> np.ndarray:
    """Sounds of many kinds: noise bursts, tones, an offset, clipping, silence; int16."""
    chance = np.random.default_rng(seed)
    count = max(1, round(seconds * rate_hz))
    at = np.arange(count) / rate_hz
    loud = chance.choice([0.0, 0.001, 0.3, 1.0], size=round(seconds * 10) + 1)[(at * 10).astype(int)]
    hum = np.sin(2 * np.pi * np.cumsum(chance.uniform(100, rate_hz / 3, 1) + 50 * np.sin(at)) / rate_hz)
    signal = loud * (chance.normal(size=count) * chance.uniform(0, 0.5) + hum * chance.uniform(0, 1))
    signal = signal * 10 ** chance.uniform(-3, 0.5) + chance.choice([0.0, 0.0, 0.05])
    return np.clip(np.rint(signal * 32768), -32768, 32767).astype(np.int16)


SOUNDS = [
    *((invented(seed, seconds, rate), rate) for seed, seconds in enumerate((0.01, 0.1, 0.3, 2.0, 15.0, 31.0))
      for rate in RATES_HZ),
    *((np.zeros(count, np.int16), rate) for count in (1, 40_000) for rate in RATES_HZ),
    (np.full(1, -32768, np.int16), 16_000),
    (np.full(9000, 32767, np.int16), 16_000),
    (np.full(9000, 300, np.int16), 8000),
    (np.random.default_rng(9).choice(np.array([32767, -32768], np.int16), 40_000), 16_000),
]  # fmt: skip


@pytest.mark.parametrize(("samples", "rate_hz"), SOUNDS)
def test_figures_are_those_of_plain_numpy(samples: np.ndarray, rate_hz: int) -> None:
    found, expected = sound.figures(samples, rate_hz)._asdict(), sound_reference.figures(samples, rate_hz)
    differ = (int(found.pop("fingerprint"), 16) ^ int(expected.pop("fingerprint"), 16)).bit_count()
    assert differ <= COPY_BITS
    bin_hz = rate_hz / sound_reference.frame_width(rate_hz)
    assert found.pop("bandwidth_hz") == pytest.approx(expected.pop("bandwidth_hz"), abs=bin_hz)
    assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("samples", "rate_hz"), SOUNDS)
def test_vector_registers_change_no_bit(samples: np.ndarray, rate_hz: int) -> None:
    assert sound.figures(samples, rate_hz) == sound.figures(samples, rate_hz, portable=True)


def test_threads_and_places_in_memory_change_nothing() -> None:
    samples = invented(3, 20.0, 16_000)
    expected = sound.figures(samples, 16_000)
    room = np.zeros(len(samples) + 7, np.int16)
    found = []

    def ask(shift: int) -> None:
        found.append(sound.figures(room[shift : shift + len(samples)], 16_000))

    for shift in range(7):
        room[shift : shift + len(samples)] = samples
        ask(shift)
    threads = [threading.Thread(target=ask, args=(6,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 11


def test_what_is_not_mono_int16_is_refused() -> None:
    with pytest.raises(TypeError, match="float64"):
        sound.figures(np.zeros(5), 16_000)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="strided"):
        sound.figures(np.zeros(10, np.int16)[::2], 16_000)
    with pytest.raises(ValueError, match="2 dimensions"):
        sound.figures(np.zeros((5, 1), np.int16), 16_000)
    with pytest.raises(ValueError, match="no samples"):
        sound.figures(np.zeros(0, np.int16), 16_000)
    with pytest.raises(ValueError, match="rate of 0 Hz"):
        sound.figures(np.zeros(5, np.int16), 0)


def test_energies_of_two_channels_are_exact() -> None:
    pairs = np.random.default_rng(1).integers(-32768, 32768, (40_003, 2)).astype(np.int16)
    for count in (0, 1, 3, 4, 40_003):
        part = pairs[:count].astype(np.int64)
        assert sound.channel_energies(pairs[:count]) == tuple((part * part).sum(axis=0).tolist())
    with pytest.raises(ValueError, match="3 channels"):
        sound.channel_energies(np.zeros((5, 3), np.int16))
