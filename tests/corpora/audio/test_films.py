"""Films: the film's clock, what a length is, and every word of ffmpeg."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from corpora.audio import films
from corpora.audio.decoding import decode
from corpora.audio.films import decode_film
from corpora.errors import AudioError

RATE_HZ = 16_000
PICTURES = ["-f", "lavfi", "-i", "testsrc=s=32x32:r=10:d="]


def ffmpeg(*arguments: str) -> None:
    subprocess.run(["ffmpeg", "-nostdin", "-y", "-v", "error", *arguments], check=True, timeout=120)


def noise(folder: Path, seconds: float, seed: int = 1) -> Path:
    path = folder / f"noise-{seed}.wav"
    soundfile.write(path, np.random.default_rng(seed).normal(0, 0.1, round(seconds * RATE_HZ)), RATE_HZ)
    return path


def film(folder: Path, suffix: str, late_s: float = 0.0, *more: str, film_s: float = 6.0) -> Path:
    """Pictures with a sound of four seconds that begins late."""
    out = folder / f"film.{suffix}"
    sound = ["-itsoffset", str(late_s), "-i", str(noise(folder, 4.0))]
    form = ["-c:v", "mpeg2video", "-r", "25"] if suffix in {"ts", "mpg"} else ["-c:v", "mpeg4"]
    ffmpeg(*PICTURES[:3], f"{PICTURES[3]}{film_s}", *sound, *form, *(more or ("-c:a", "aac")), str(out))
    return out


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov", "ts"])
def test_a_sound_that_begins_late_stands_where_it_is_in_the_film(tmp_path: Path, suffix: str) -> None:
    path = film(tmp_path, suffix, 2.4)
    recording = decode_film(path)
    samples = np.abs(recording.samples[0 : len(recording.samples)][:, 0].astype(int))
    first_s = int(np.flatnonzero(samples > 500)[0]) / recording.sample_rate_hz
    assert first_s == pytest.approx(2.4, abs=0.06)
    assert recording.flags == ("sound_starts_late",)
    assert recording.duration_s == pytest.approx(6.4, abs=0.15)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov", "ts", "avi"])
def test_a_sound_that_begins_with_the_film_and_ends_before_it_is_whole(tmp_path: Path, suffix: str) -> None:
    recording = decode_film(film(tmp_path, suffix))
    assert recording.flags == ()
    assert recording.duration_s == pytest.approx(4.0, abs=0.15)


def test_a_clock_beyond_belief_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(films, "_LATEST_S", 2.0)
    with pytest.raises(AudioError, match="its clock cannot be believed") as caught:
        decode_film(film(tmp_path, "mkv", 2.4))
    assert caught.value.check == "audio_clock"


def test_a_hole_between_packets_is_filled_and_flagged(tmp_path: Path) -> None:
    holed, move = tmp_path / "holed.mka", "asetpts='if(gt(T,3),PTS+2/TB,PTS)'"
    ffmpeg("-i", str(noise(tmp_path, 5.0)), "-af", move, "-c:a", "pcm_s16le", str(holed))
    recording = decode_film(holed)
    assert recording.flags == ("sound_has_gaps",)
    assert recording.duration_s == pytest.approx(7.0, abs=0.2)


@pytest.mark.parametrize(
    ("suffix", "form", "flags"),
    [
        ("aac", ("-c:a", "aac", "-b:a", "24k"), ("length_estimated",)),
        ("ac3", ("-c:a", "ac3", "-ar", "48000"), ("length_estimated",)),
        ("m4a", ("-c:a", "aac"), ()),
        ("webm", ("-c:a", "libopus"), ()),
        ("wma", ("-c:a", "wmav2"), ()),
        ("tta", ("-c:a", "tta"), ()),
        ("wv", ("-c:a", "wavpack"), ()),
        ("w64", ("-c:a", "pcm_s16le"), ()),
        ("spx", ("-c:a", "libspeex"), ()),
        ("oga", ("-c:a", "flac"), ()),
    ],
)
def test_whole_files_of_other_programs_are_read(
    tmp_path: Path, suffix: str, form: tuple[str, ...], flags: tuple[str, ...]
) -> None:
    ffmpeg("-i", str(noise(tmp_path, 5.0)), *form, str(tmp_path / f"a.{suffix}"))
    recording = decode((tmp_path / f"a.{suffix}").read_bytes())
    assert recording.flags == flags
    assert recording.duration_s == pytest.approx(5.0, abs=0.2)


def test_a_film_without_a_length_is_flagged(tmp_path: Path) -> None:
    with (tmp_path / "live.webm").open("wb") as out:
        command = ["ffmpeg", "-v", "error", "-i", str(noise(tmp_path, 4.0)), "-c:a", "libopus"]
        subprocess.run([*command, "-f", "webm", "-live", "1", "pipe:1"], stdout=out, check=True)
    recording = decode_film(tmp_path / "live.webm")
    assert recording.flags == ("length_undeclared",)
    assert recording.duration_s == pytest.approx(4.0, abs=0.1)


@pytest.mark.parametrize("suffix", ["m4a", "mka", "ts", "ac3", "mp4"])
def test_damaged_packets_are_refused(tmp_path: Path, suffix: str) -> None:
    form = ("-c:a", "ac3", "-ar", "48000") if suffix in {"ac3", "ts"} else ("-c:a", "aac")
    ffmpeg("-i", str(noise(tmp_path, 5.0)), *form, str(tmp_path / f"a.{suffix}"))
    data = bytearray((tmp_path / f"a.{suffix}").read_bytes())
    chance = random.Random(3)
    for at in (len(data) // 3, len(data) // 2):
        data[at : at + 300] = chance.randbytes(300)
    (tmp_path / f"b.{suffix}").write_bytes(data)
    with pytest.raises(AudioError):
        decode_film(tmp_path / f"b.{suffix}")


@pytest.mark.parametrize("suffix", ["m4a", "mka", "webm"])
def test_a_file_cut_short_is_refused(tmp_path: Path, suffix: str) -> None:
    form = ("-c:a", "libopus") if suffix == "webm" else ("-c:a", "aac", "-movflags", "faststart")
    ffmpeg(
        "-i", str(noise(tmp_path, 5.0)), *form[: 4 if suffix == "m4a" else 2], str(tmp_path / f"a.{suffix}")
    )
    data = (tmp_path / f"a.{suffix}").read_bytes()
    for share in (0.5, 0.9):
        (tmp_path / f"b.{suffix}").write_bytes(data[: int(len(data) * share)])
        with pytest.raises(AudioError):
            decode_film(tmp_path / f"b.{suffix}")
