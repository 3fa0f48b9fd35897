"""Speech by espeak-ng and noise by sox: the same samples every time, noise at the level asked for."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from demo import speech
from demo.voices import READERS, speakers

pytestmark = pytest.mark.skipif(
    not (shutil.which("espeak-ng") and shutil.which("sox")),
    reason="espeak-ng or sox is not installed (make demo installs them)",
)
VOICE = speakers(READERS["train"], 1, "reader", "seed")[0]
LINE = speech.Line("the old knight knew two sailors", VOICE, (20.0, 20.0), "one")


@pytest.fixture(scope="module")
def beds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, speech.FloatSamples]:
    return speech.load_noise_beds(speech.make_noise_beds(tmp_path_factory.mktemp("noise")))


def test_a_line_gives_the_same_samples_every_time(beds: dict[str, speech.FloatSamples]) -> None:
    first, second = speech.speak(LINE, beds), speech.speak(LINE, beds)
    assert first.dtype == np.int16
    assert np.array_equal(first, second)
    assert 1.0 < len(first) / speech.RATE_HZ < 6.0
    assert 0.2 < np.max(np.abs(first.astype(float))) / 32768 < 0.75


def test_another_seed_gives_other_samples(beds: dict[str, speech.FloatSamples]) -> None:
    other = speech.speak(dataclasses.replace(LINE, seed="two"), beds)
    assert not np.array_equal(speech.speak(LINE, beds)[: len(other)], other)


def test_noise_beds_are_the_same_on_every_run(tmp_path: Path) -> None:
    first = speech.make_noise_beds(tmp_path / "a")
    second = speech.make_noise_beds(tmp_path / "b")
    assert sorted(first) == sorted(speech.NOISE_BEDS)
    assert [path.read_bytes() for path in first.values()] == [path.read_bytes() for path in second.values()]
    assert len({path.read_bytes() for path in first.values()}) == len(first)


def test_more_noise_where_it_is_asked_for(beds: dict[str, speech.FloatSamples]) -> None:
    def quiet_share(snr_db: float) -> float:
        samples = speech.speak(dataclasses.replace(LINE, snr_db=(snr_db, snr_db)), beds).astype(float)
        frames = samples[: len(samples) // 160 * 160].reshape(-1, 160)
        power = np.sort(np.mean(frames**2, axis=1))
        return float(np.mean(power[: len(power) // 10]) / np.mean(power))

    assert quiet_share(0.0) > 10 * quiet_share(40.0)


def test_a_missing_program_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(speech.SpeechError, match="espeak-ng is not installed"):
        speech.speak(LINE, {"room": np.ones(100, np.float32)})
