"""A recording cut into segments: cuts lie in the quiet, times are kept over hours, and the pieces can be imported."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from corpora.doctor import Aids, examine
from training.runtime.errors import SoundError
from training.runtime.recognizer import Word
from training.transcription.formats import Transcript
from training.transcription.pieces import PieceForm, write_pieces
from training.transcription.segments import Segment

RATE_HZ = 22_050
TONES = [(0.5, 1.5, 300.0), (1.7, 2.6, 500.0), (20.0, 21.0, 700.0)]  # start, end, pitch


def segment(start_s: float, end_s: float, text: str, channel: int | None = None) -> Segment:
    return Segment((Word(text, start_s, end_s, 1.0),), channel)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Three tones in a quiet hiss; the middle ones are parted by 0.2 s."""
    time_s = np.arange(24 * RATE_HZ) / RATE_HZ
    sound = 0.001 * np.random.default_rng(1).standard_normal(len(time_s))
    for start_s, end_s, pitch_hz in TONES:
        inside = (time_s >= start_s) & (time_s < end_s)
        sound[inside] += 0.3 * np.sin(2 * np.pi * pitch_hz * time_s[inside])
    soundfile.write(tmp_path / "long.wav", sound, RATE_HZ, subtype="PCM_16")
    return tmp_path / "long.wav"


def pitch_of(samples: np.ndarray, rate_hz: int) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * rate_hz / len(samples))


@pytest.mark.parametrize("form", ["wav", "flac"])
def test_every_segment_is_a_sound_and_a_text(recording: Path, tmp_path: Path, form: str) -> None:
    said = [segment(0.55, 1.45, "one"), segment(1.75, 2.55, "two"), segment(20.1, 20.9, "three")]
    folder = write_pieces(Transcript(str(recording), 24.0, "m", said), tmp_path / "out", PieceForm(form))
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        f"{number:04d}.{ending}" for number in (1, 2, 3) for ending in (form, "txt")
    )
    for number, (one, (start_s, end_s, pitch_hz)) in enumerate(zip(said, TONES, strict=True), start=1):
        samples, rate_hz = soundfile.read(folder / f"{number:04d}.{form}")
        assert rate_hz == RATE_HZ and samples.ndim == 1
        assert (folder / f"{number:04d}.txt").read_text() == f"{one.text}\n"
        assert pitch_of(samples, rate_hz) == pytest.approx(pitch_hz, abs=3)
        loud = np.flatnonzero(np.abs(samples) > 0.05)
        assert (loud[-1] - loud[0]) / rate_hz == pytest.approx(end_s - start_s, abs=0.02)  # all of it
        assert np.abs(samples[[0, -1]]).max() < 0.001 and len(samples) / rate_hz < end_s - start_s + 0.5


def test_pieces_can_be_imported_and_are_replaced_whole(recording: Path, tmp_path: Path) -> None:
    two = [segment(0.55, 1.45, "one"), segment(20.1, 20.9, "three")]
    write_pieces(Transcript(str(recording), 24.0, "m", two), tmp_path / "out")
    folder = write_pieces(Transcript(str(recording), 24.0, "m", two[1:]), tmp_path / "out")
    assert sorted(path.name for path in folder.iterdir()) == ["0001.txt", "0001.wav"]
    assert [path.name for path in folder.parent.iterdir()] == ["long.wav"]
    donation = tmp_path / "donation.toml"
    donation.write_text('name = "talk"\ndonor = "us"\nlicence = "CC0-1.0"\nlanguage = "en"\n')
    seen = examine([folder], tmp_path / "spill", Aids(donation))
    assert seen["importers"]["donated"]["units"] == 1


def test_channels_are_cut_apart_and_a_lost_file_is_named(tmp_path: Path) -> None:
    time_s = np.arange(2 * RATE_HZ) / RATE_HZ
    both = np.stack([np.sin(2 * np.pi * pitch_hz * time_s) * 0.3 for pitch_hz in (300.0, 900.0)], axis=1)
    soundfile.write(tmp_path / "call.wav", both, RATE_HZ)
    said = [segment(0.5, 1.0, "left", 0), segment(0.6, 1.1, "right", 1)]
    folder = write_pieces(Transcript(str(tmp_path / "call.wav"), 2.0, "m", said), tmp_path / "out")
    pitches = [pitch_of(*soundfile.read(path)) for path in sorted(folder.glob("*.wav"))]
    assert pitches == [pytest.approx(300, abs=3), pytest.approx(900, abs=3)]
    assert (folder / "0002-channel1.txt").read_text() == "right\n"
    (tmp_path / "call.wav").unlink()
    with pytest.raises(SoundError, match="no such file"):
        write_pieces(Transcript(str(tmp_path / "call.wav"), 2.0, "m", said), tmp_path / "out")
    assert len([*folder.iterdir()]) == 4
