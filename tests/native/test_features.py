"""The front end in C++: pieces, batches, threads and processors change no bit; odd input is refused by name."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

import native
from native.features import FrontEnd, FrontEndOptions

WIDE = FrontEndOptions(16_000, 512, 320, 40, 20.0, 26)
NARROW = FrontEndOptions(8_000, 200, 80, 23, 100.0, 13)
OPTIONS = [
    WIDE,
    NARROW,
    replace(WIDE, window=400, hop=160),
    replace(WIDE, window=4, hop=4, filters=2, coefficients=1),
]


def speech(seconds: float, rate_hz: int = 16_000, seed: int = 1) -> np.ndarray:
    """Noise whose loudness and colour change, as int16."""
    random = np.random.default_rng(seed)
    count = round(seconds * rate_hz)
    if not count:
        return np.zeros(0, np.int16)
    loud = 10.0 ** random.uniform(0.5, 4.0, count // 400 + 1).repeat(400)[:count]
    return (
        (np.convolve(random.standard_normal(count), [0.5, 0.3, 0.2], "same") * loud)
        .clip(-32768, 32767)
        .astype(np.int16)
    )


@pytest.mark.parametrize("options", OPTIONS)
def test_integers_floats_and_portable_code_give_the_same_bits(options: FrontEndOptions) -> None:
    samples = speech(3.0)
    found = FrontEnd(options).cepstra(samples)
    assert found.shape == (FrontEnd(options).frames(len(samples)), options.coefficients)
    assert found.dtype == np.float32 and np.isfinite(found).all()
    floats = samples.astype(np.float32) / 32768
    np.testing.assert_array_equal(found, FrontEnd(options).cepstra(floats))
    np.testing.assert_array_equal(found, FrontEnd(options, portable=True).cepstra(samples))
    np.testing.assert_array_equal(found, FrontEnd(options, portable=True).cepstra(floats))


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("piece", [1, 7, 320, 4_000])
def test_pieces_give_the_frames_of_the_whole(options: FrontEndOptions, piece: int) -> None:
    samples = speech(0.7).astype(np.float32) / 32768
    stream = FrontEnd(options).stream()
    found = [stream.feed(samples[at : at + piece]) for at in range(0, len(samples), piece)]
    np.testing.assert_array_equal(np.concatenate(found), FrontEnd(options).cepstra(samples))


def test_one_call_for_many_gives_what_each_gives() -> None:
    front_end = FrontEnd(WIDE)
    sounds = [speech(seconds, seed=seed) for seed, seconds in enumerate((0.0, 0.031, 0.032, 0.5, 2.0))]
    many = front_end.cepstra_many([*sounds, sounds[4].astype(np.float32) / 32768])
    for found, samples in zip(many, [*sounds, sounds[4]], strict=True):
        np.testing.assert_array_equal(found, front_end.cepstra(samples))
    assert [len(found) for found in many[:3]] == [0, 0, 1]
    assert front_end.cepstra_many([]) == []


def test_threads_change_nothing() -> None:
    front_end = FrontEnd(WIDE)
    sounds = [speech(4.0, seed=seed) for seed in range(4)]
    expected = front_end.cepstra_many(sounds)
    found: dict[int, list[np.ndarray]] = {}

    def ask(place: int) -> None:
        found[place] = front_end.cepstra_many(sounds)

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for answer in found.values():
        for one, other in zip(answer, expected, strict=True):
            np.testing.assert_array_equal(one, other)


def test_what_is_not_finite_stays_in_its_frames() -> None:
    samples = speech(1.0).astype(np.float32) / 32768
    good = FrontEnd(WIDE).cepstra(samples)
    samples[5_000] = np.nan
    found = FrontEnd(WIDE).cepstra(samples)
    touched = [frame for frame in range(len(found)) if 320 * frame <= 5_000 < 320 * frame + 512]
    assert np.isnan(found[touched]).all()
    rest = np.delete(np.arange(len(found)), touched)
    np.testing.assert_array_equal(found[rest], good[rest])


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"sample_rate_hz": 0}, "sample_rate_hz = 0"),
        ({"window": 3}, "window = 3"),
        ({"window": 70_000}, "window = 70000"),
        ({"hop": 0}, "hop = 0"),
        ({"filters": 513}, "filters = 513"),
        ({"coefficients": 41}, "coefficients = 41"),
        ({"low_hz": 8_000.0}, "low_hz = 8000"),
        ({"low_hz": float("nan")}, "low_hz"),
    ],
)
def test_an_option_outside_its_range_is_named(changed: dict[str, int], name: str) -> None:
    with pytest.raises(ValueError, match=name):
        FrontEnd(replace(WIDE, **changed))


def test_what_is_no_mono_sound_is_refused() -> None:
    front_end = FrontEnd(WIDE)
    with pytest.raises(TypeError, match="float64"):
        front_end.cepstra(np.zeros(600))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="strided"):
        front_end.cepstra(np.zeros(1_200, np.int16)[::2])
    with pytest.raises(ValueError, match="2"):
        front_end.cepstra(np.zeros((600, 1), np.int16))
    with pytest.raises(TypeError, match="float32"):
        front_end.stream().feed(np.zeros(600, np.int16))  # type: ignore[arg-type]
    assert native.features.FrontEnd is FrontEnd
