"""Each check on a take that is wrong in just that way, and none on takes that are right."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soxr
from collect_sounds import as_int16, voice, wav

from collect.checks.checks import CHECKS, Take, first_hit
from collect.checks.copies import ALIKE, likeness
from collect.checks.decoding import Decoder, kind_of
from collect.checks.figures import RATE_HZ, measure

TEXT = "the sailor sold ten small boats"
Floats = npt.NDArray[np.float64]


def good(**more: float) -> Floats:
    return voice(4, **more).astype(np.float64) / 32768  # type: ignore[arg-type]


def noise(seconds: float, level: float) -> Floats:
    return np.random.default_rng(1).standard_normal(int(seconds * RATE_HZ)) * level


def hum(sound: Floats) -> Floats:
    time_s = np.arange(len(sound)) / RATE_HZ
    return sound + sum(0.02 / k * np.sin(2 * np.pi * 50 * k * time_s) for k in range(1, 6))


def breath(sound: Floats) -> Floats:
    time_s = np.arange(3000) / RATE_HZ
    puff = 1.05 * np.sin(2 * np.pi * 40 * time_s) * np.hanning(len(time_s)) ** 0.25
    for at in (9_000, 18_000, 27_000, 34_000):
        sound[at : at + 3000] = puff
    return sound


WRONG: dict[str, Callable[[], Floats]] = {
    "empty": lambda: good()[:4000],
    "silent": lambda: noise(3, 1e-5),
    "clipped": lambda: np.clip(good() * 8, -1, 1),
    "breath": lambda: breath(good() * 0.8),
    "steady": lambda: noise(3, 0.05),
    "hum": lambda: hum(good() * 0.5),
    "noisy": lambda: good() * 0.6 + noise(len(good()) / RATE_HZ, 0.03)[: len(good())],
    "quiet": lambda: good() * 0.05 + noise(len(good()) / RATE_HZ, 2e-5)[: len(good())],
    "narrow": lambda: soxr.resample(soxr.resample(good(), RATE_HZ, 8000), 8000, RATE_HZ),
    "dc_offset": lambda: good() * 0.6 + 0.05,
    "begin_cut": lambda: good()[8000:],
    "end_cut": lambda: good()[: 3 * RATE_HZ // 2],
    "late": lambda: good(lead_s=6.0),
    "long_tail": lambda: good(tail_s=6.0),
    "pause": lambda: np.concatenate([good(tail_s=2.0), good(lead_s=2.0)]) * 0.9,
    "fast": lambda: good(syllables=4),
    "slow": lambda: good(syllables=90),
}


def test_every_check_is_tried() -> None:
    assert set(WRONG) == {check.name for check in CHECKS}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told_by_its_own_check(name: str) -> None:
    sound = as_int16(WRONG[name]())
    take = Take(measure(sound).figures, TEXT)
    tests = {check.name: check.test(take) for check in CHECKS}
    assert tests[name] is not None, take.figures
    hit = first_hit(take)
    assert hit is not None and (
        hit[0] == name or name in ("breath", "noisy", "begin_cut", "end_cut", "dc_offset")
    )


@pytest.mark.parametrize("seed", range(12))
def test_what_is_right_passes(seed: int) -> None:
    figures = measure(voice(seed + 50)).figures
    assert first_hit(Take(figures, TEXT)) is None, figures


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        ("webm", ["-c:a", "libopus", "-b:a", "96k"]),
        ("ogg", ["-c:a", "libopus"]),
        ("mp4", ["-c:a", "aac", "-b:a", "128k"]),
        ("wav", ["-c:a", "pcm_s16le", "-ar", "48000", "-ac", "2"]),
    ],
)
def test_what_browsers_record_is_decoded(tmp_path: Path, suffix: str, options: list[str]) -> None:
    raw, out = tmp_path / "raw.wav", tmp_path / f"x.{suffix}"
    raw.write_bytes(wav(voice(3)))
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(raw), *options, str(out)], check=True)
    assert kind_of(out.read_bytes()[:64]) is not None
    samples = Decoder(1, 20.0).decode(out)
    assert abs(len(samples) - len(voice(3))) < 0.1 * RATE_HZ
    assert first_hit(Take(measure(samples).figures, TEXT)) is None


def test_silence_and_single_samples_are_measured_too() -> None:
    for samples in (np.zeros(1, np.int16), np.zeros(50_000, np.int16), np.full(16_001, 32767, np.int16)):
        assert first_hit(Take(measure(samples).figures, TEXT)) is not None


def test_a_playback_has_the_course_of_loudness_of_its_clip_and_another_clip_has_not() -> None:
    clip, other = voice(1, syllables=14), voice(2, syllables=14)
    quiet = as_int16(0.4 * np.concatenate([np.zeros(9000), clip / 32768, np.zeros(2000)]))
    noisy = as_int16(quiet / 32768 + 0.004 * np.random.default_rng(1).standard_normal(len(quiet)))
    assert likeness(noisy, clip) > ALIKE > likeness(other, clip)
    assert likeness(np.zeros(1600, np.int16), clip) < ALIKE
