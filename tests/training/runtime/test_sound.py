"""What ffmpeg opens, and what is said of what it does not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from training.network.features import Float
from training.runtime.errors import SoundError
from training.runtime.sound import SoundFacts, at_rate, facts_of, pieces_of, raw_pieces


def heard(path: Path, rate_hz: int = 16000, channel: int | None = None) -> Float:
    return np.concatenate([*pieces_of(path, facts_of(path), rate_hz, channel)])


@pytest.fixture
def stereo(tmp_path: Path) -> Path:
    """Two seconds of two pitches at 44.1 kHz."""
    times = np.arange(2 * 44100) / 44100
    path = tmp_path / "two pitches.wav"
    both = np.stack([0.5 * np.sin(2 * np.pi * 440 * times), 0.25 * np.sin(2 * np.pi * 880 * times)], axis=1)
    soundfile.write(path, both, 44100, subtype="PCM_16")
    return path


def pitch(samples: Float, rate_hz: int = 16000) -> float:
    return float(np.abs(np.fft.rfft(samples)).argmax()) * rate_hz / len(samples)


def test_channels_are_averaged_or_taken_apart(stereo: Path) -> None:
    assert facts_of(stereo) == SoundFacts(44100, 2, 2.0)
    assert len(heard(stereo)) == 32000
    assert pitch(heard(stereo, channel=0)) == pytest.approx(440, abs=1)
    assert pitch(heard(stereo, channel=1)) == pytest.approx(880, abs=1)
    assert np.abs(heard(stereo, channel=0)).max() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("name", ["a.mp3", "a.flac", "a.ogg", "a.m4a", "a.mkv"])
def test_other_containers_sound_alike(stereo: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(stereo), str(path)], check=True)
    samples = heard(path)
    assert len(samples) == pytest.approx(32000, abs=1700)
    assert pitch(samples[4000:28000]) == pytest.approx(440, abs=2)


def test_what_cannot_be_heard_is_said(tmp_path: Path, stereo: Path) -> None:
    with pytest.raises(SoundError, match="no such file"):
        facts_of(tmp_path / "missing.wav")
    text = tmp_path / "text.wav"
    text.write_text("no sound at all\n" * 100)
    with pytest.raises(SoundError, match=r"text\.wav: no sound or film"):
        facts_of(text)
    mute = tmp_path / "mute.mp4"
    source = ["-f", "lavfi", "-i", "color=size=64x64:duration=0.2"]
    subprocess.run(["ffmpeg", "-v", "error", *source, str(mute)], check=True)
    with pytest.raises(SoundError, match="no sound track"):
        facts_of(mute)
    listing = tmp_path / "list.m3u8"
    listing.write_text(f"#EXTM3U\n#EXTINF:2,\n{stereo}\n")
    with pytest.raises(SoundError, match=r"list\.m3u8"):
        facts_of(listing)


def test_a_sound_that_was_cut_or_damaged_is_named_after_what_was_good(stereo: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.wav"
    cut.write_bytes(stereo.read_bytes()[:100_000])
    facts = SoundFacts(44100, 2, 2.0)
    good = []
    with pytest.raises(SoundError, match=r"cut short: 0\.6 s of 2\.0 s"):
        good += list(pieces_of(cut, facts, 16000))
    flac = tmp_path / "a.flac"
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(stereo), str(flac)], check=True)
    data = bytearray(flac.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 400] = bytes(400)
    flac.write_bytes(data)
    with pytest.raises(SoundError, match=r"a\.flac: (damaged|cut short)"):
        heard(flac)


HEADS = {"a.wav": 78, "a.w64": 128}  # bytes before the samples, whole frames of which are kept


@pytest.mark.parametrize("name", ["a.wav", "a.w64", "a.ogg", "a.opus"])
def test_a_cut_file_whose_decoder_says_nothing_is_named_by_its_own_bytes(
    stereo: Path, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(stereo), "-ar", "48000", str(path)], check=True)
    whole = heard(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 16 * 4 + HEADS.get(name, 0) % 4])
    good: list[Float] = []
    with pytest.raises(SoundError, match=rf"a\.{path.suffix[1:]}: .*cut short"):
        good.extend(pieces_of(path, facts_of(path), 16000))
    assert 0.2 < sum(map(len, good)) / len(whole) < 0.95  # what was good was handed over before


def test_a_wav_whose_writer_could_not_know_its_length_is_whole(stereo: Path, tmp_path: Path) -> None:
    with (tmp_path / "piped.wav").open("wb") as out:
        subprocess.run(["ffmpeg", "-v", "error", "-i", str(stereo), "-f", "wav", "-"], check=True, stdout=out)
    assert len(heard(tmp_path / "piped.wav")) == 32000


def test_one_of_several_tracks_is_heard(stereo: Path, tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    two = ["-map", "0:a", "-map", "0:a", "-filter:a:0", "pan=mono|c0=c0", "-filter:a:1", "pan=mono|c0=c1"]
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(stereo), *two, str(film)], check=True)
    assert facts_of(film).tracks == 2
    for track, pitch_hz in enumerate((440, 880)):
        samples = np.concatenate([*pieces_of(film, facts_of(film, track), 16000)])
        assert pitch(samples[4000:28000]) == pytest.approx(pitch_hz, abs=2)
    with pytest.raises(SoundError, match="no sound track 3 in it: it has 2"):
        facts_of(film, 2)


def test_what_is_no_file_is_told_from_a_file_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    for path, says in (
        (tmp_path, "a folder, not a file"),
        (tmp_path / "empty.wav", "it has 0 bytes"),
        (Path("https://example.org/talk.mp3"), "fetch it first"),
    ):
        with pytest.raises(SoundError, match=says):
            facts_of(path)


def test_raw_sound_keeps_its_odd_bytes_together() -> None:
    class Dribble:
        """A pipe that gives what it likes."""

        def __init__(self, data: bytes) -> None:
            self.data = data

        def read(self, size: int) -> bytes:
            piece, self.data = self.data[:3], self.data[3:]
            return piece

    samples = np.arange(-50, 51, dtype="<i2")
    stream = Dribble(samples.tobytes() + b"x")
    got = np.concatenate([*raw_pieces(stream, 0.1, 16000)])  # type: ignore[arg-type]
    np.testing.assert_allclose(got * 32768, samples)
    begun = samples.tobytes()[:5]
    rest = Dribble(samples.tobytes()[5:])
    got = np.concatenate([*raw_pieces(rest, 0.1, 16000, begun)])  # type: ignore[arg-type]
    np.testing.assert_allclose(got * 32768, samples)


def test_a_rate_is_changed_without_seams() -> None:
    sound = np.sin(np.arange(8000) * 0.1).astype(np.float32)
    whole = np.concatenate([*at_rate([sound], 8000, 16000)])
    parts = np.concatenate([*at_rate([sound[:3000], sound[3000:3001], sound[3001:]], 8000, 16000)])
    assert len(whole) == 16000
    np.testing.assert_allclose(parts, whole, atol=1e-6)
