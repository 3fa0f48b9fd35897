"""Decoding that proves its lengths: damage that a container reveals is refused, good sound is exact."""

from __future__ import annotations

import gzip
import hashlib
import io
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from corpora.audio.clip import cut, encoded
from corpora.audio.decoding import decode, decode_flacs
from corpora.audio.recording import AUTO, MIX, Recording
from corpora.errors import AudioError
from corpora.importer import AudioRef

RATE = 16_000


def tone(seconds: float = 1.0, rate: int = RATE, pitch: float = 440.0) -> np.ndarray:
    at = np.arange(round(seconds * rate)) / rate
    return np.rint(12_000 * np.sin(2 * np.pi * pitch * at) + 300 * np.sin(at * 9999)).astype(np.int16)


def packed(samples: np.ndarray, rate: int = RATE, kind: str = "FLAC", subtype: str = "PCM_16") -> bytes:
    out = io.BytesIO()
    soundfile.write(out, samples, rate, format=kind, subtype=subtype)
    return out.getvalue()


def refused(data: bytes) -> AudioError:
    with pytest.raises(AudioError) as caught:
        decode(data)
    return caught.value


def test_flac_that_is_what_we_store_passes_through() -> None:
    data = packed(tone())
    clip = cut(decode(data), AudioRef("a.flac"))
    assert clip.flac == data
    assert clip.sample_rate_hz == RATE
    assert np.array_equal(clip.samples, tone())
    assert clip.sha256 == hashlib.sha256(tone().tobytes()).hexdigest()


def test_part_of_a_flac_is_cut_exactly() -> None:
    clip = cut(decode(packed(tone())), AudioRef("a.flac", 0, 0.25, 0.5))
    assert np.array_equal(clip.samples, tone()[4000:8000])
    assert clip.flac is None
    (coded,) = encoded([clip])
    stored, rate = soundfile.read(io.BytesIO(coded), dtype="int16")
    assert rate == RATE
    assert np.array_equal(stored, clip.samples)


def test_clips_are_encoded_in_their_order_and_flac_passes_through() -> None:
    data = packed(tone())
    clips = [
        cut(decode(data), ref)
        for ref in (AudioRef("a", 0, 0.0, 0.2), AudioRef("a"), AudioRef("a", 0, 0.5, 0.9))
    ]
    coded = encoded(clips)
    assert coded[1] == data
    for clip, one in zip(clips, coded, strict=True):
        assert np.array_equal(soundfile.read(io.BytesIO(one), dtype="int16")[0], clip.samples)
    assert encoded([]) == []


@pytest.mark.parametrize("rate", [8000, 11025, 16000])
def test_native_rates_up_to_16_khz_are_kept(rate: int) -> None:
    clip = cut(decode(packed(tone(rate=rate), rate, "WAV")), AudioRef("a.wav"))
    assert clip.sample_rate_hz == rate
    assert np.array_equal(clip.samples, tone(rate=rate))


@pytest.mark.parametrize("rate", [22050, 44100, 48000])
def test_higher_rates_come_down_to_16_khz_without_alias(rate: int) -> None:
    both = tone(rate=rate, pitch=1000) // 2 + tone(rate=rate, pitch=9500) // 2
    clip = cut(decode(packed(both, rate, "WAV")), AudioRef("a.wav"))
    assert clip.sample_rate_hz == RATE
    assert abs(clip.duration_s - 1.0) < 1e-3
    spectrum = np.abs(np.fft.rfft(clip.samples[1000:15000] * np.hanning(14000)))
    hz = np.fft.rfftfreq(14000, 1 / RATE)
    assert spectrum[np.abs(hz - 6500) < 50].max() < spectrum[np.abs(hz - 1000) < 50].max() * 1e-3


@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.95, 0.999])
def test_a_cut_flac_is_refused(share: float) -> None:
    data = packed(tone())
    assert refused(data[: int(len(data) * share)]).check in {"audio_corrupt", "audio_truncated"}


def test_a_flac_with_another_md5_is_refused() -> None:
    data = bytearray(packed(tone()))
    data[30] ^= 1
    assert "MD5" in str(refused(bytes(data)))


def test_a_flac_with_more_declared_frames_is_refused() -> None:
    data = bytearray(packed(tone()))
    data[25] ^= 1
    assert refused(bytes(data)).check in {"audio_truncated", "audio_corrupt"}


def test_a_24_bit_flac_is_verified_and_rounded() -> None:
    wide = tone().astype(np.int32) << 16
    data = packed(wide, subtype="PCM_24")
    recording = decode(data)
    assert np.array_equal(recording.samples[:, 0], tone())
    assert recording.flac is None
    broken = bytearray(data)
    broken[30] ^= 1
    assert "MD5" in str(refused(bytes(broken)))


def test_a_cut_wav_is_refused_with_figures() -> None:
    data = packed(tone(), kind="WAV")
    error = refused(data[: len(data) // 2])
    assert error.check == "audio_truncated"
    assert "32000 bytes" in str(error)


def test_a_wav_of_open_length_is_kept_and_flagged() -> None:
    data = bytearray(packed(tone(), kind="WAV"))
    at = data.index(b"data") + 4
    data[at : at + 4] = struct.pack("<I", 0xFFFFFFFF)
    recording = decode(bytes(data))
    assert recording.flags == ("length_undeclared",)
    assert len(recording.samples) == RATE


def test_not_a_number_is_refused() -> None:
    real = tone().astype(np.float32) / 32768
    real[7] = np.nan
    assert refused(packed(real, kind="WAV", subtype="FLOAT")).check == "audio_not_finite"


@pytest.mark.parametrize("value", [3e38, -65.0, 20_000.0])
def test_samples_beyond_any_loudness_are_refused_and_a_loud_mix_is_not(value: float) -> None:
    real = tone().astype(np.float32) / 32768
    assert len(decode(packed(real * 20, kind="WAV", subtype="FLOAT")).samples) == len(real)
    real[7] = value
    error = refused(packed(real, kind="WAV", subtype="FLOAT"))
    assert error.check == "audio_out_of_range"
    assert f"1 of {len(real)} samples" in str(error) and "dividing by 32768" in str(error)


def test_two_files_joined_by_their_bytes_are_refused() -> None:
    wav = packed(tone(), kind="WAV")
    second = wav + b"LIST\x04\x00\x00\x00INFOdata" + struct.pack("<I", 1000) + bytes(1000)
    error = refused(second)
    assert error.check == "audio_corrupt" and f"second chunk of sound begins at byte {len(wav) + 12}" in str(
        error
    )
    mp3 = packed(tone(), kind="MP3", subtype="MPEG_LAYER_III")
    tag = b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10)
    for between in (b"", b"TAG" + bytes(125)):
        assert "a further recording begins at byte" in str(refused(tag + mp3 + between + tag + mp3))
    assert len(decode(tag + mp3 + b"TAG" + bytes(125)).samples)


def test_what_is_no_sound_at_all_is_named() -> None:
    assert "git lfs pull" in str(refused(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n"))
    assert "unpack it" in str(refused(gzip.compress(packed(tone(), kind="WAV"))))


def test_float_wav_is_scaled() -> None:
    data = packed((tone() / 32768).astype(np.float32), kind="WAV", subtype="FLOAT")
    assert np.array_equal(decode(data).samples[:, 0], tone())


@pytest.mark.parametrize("kind", ["OGG", "MP3", "AIFF", "AU"])
@pytest.mark.parametrize("share", [0.4, 0.97])
def test_other_forms_cut_short_are_refused(kind: str, share: float) -> None:
    subtype = {"OGG": "VORBIS", "MP3": "MPEG_LAYER_III"}.get(kind, "PCM_16")
    data = packed(tone(2.0), kind=kind, subtype=subtype)
    assert abs(decode(data).duration_s - 2.0) < 0.12
    assert refused(data[: int(len(data) * share)]).check in {"audio_truncated", "audio_corrupt"}


@pytest.mark.parametrize(
    ("data", "check"),
    [(b"", "audio_empty"), (b"<!DOCTYPE html><html>404", "audio_unreadable"),
     (b"fLaC" + b"\0" * 9, "audio_corrupt"),
     (b"RIFF\x24\0\0\0WAVEfmt ", "audio_truncated"), (b"ID3\4\0\0\0\0\0\0" + b"x" * 99, "audio_unreadable"),
     (b"NIST_1A\n   1024\n", "audio_truncated"), (b"\1\2\3" * 99, "audio_unreadable")],
)  # fmt: skip
def test_what_is_not_sound_says_so(data: bytes, check: str) -> None:
    error = refused(data)
    assert error.check in {check, "audio_corrupt"}
    assert str(error)


def test_containers_go_through_ffmpeg_and_are_measured(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(packed(tone(2.0), kind="WAV"))
    command = ["ffmpeg", "-v", "error", "-i", "a.wav", "-c:a", "aac", "a.m4a"]
    subprocess.run(command, cwd=tmp_path, check=True)
    recording = decode((tmp_path / "a.m4a").read_bytes())
    assert abs(recording.duration_s - 2.0) < 0.1
    assert recording.sample_rate_hz == RATE


def stereo(left: np.ndarray, right: np.ndarray) -> Recording:
    return Recording(np.stack([left, right], axis=1), RATE)


def test_channels() -> None:
    left, right, quiet = tone(), tone(pitch=700), np.zeros(RATE, dtype=np.int16)
    both = stereo(left, right)
    assert np.array_equal(cut(both, AudioRef("x", 1)).samples, right)
    mixed = cut(both, AudioRef("x", MIX)).samples.astype(int)
    assert np.abs(mixed * 2 - (left.astype(int) + right)).max() <= 1
    assert np.array_equal(cut(stereo(quiet, right), AudioRef("x", AUTO)).samples, right)
    assert np.array_equal(cut(stereo(left, left), AudioRef("x", AUTO)).samples, left)
    for reference, check in ((AudioRef("x", AUTO), "channels_differ"), (AudioRef("x", 2), "channel_missing")):
        with pytest.raises(AudioError) as caught:
            cut(both, reference)
        assert caught.value.check == check


@pytest.mark.parametrize(
    ("start", "end", "check"),
    [(0.5, 0.5, "bad_times"), (0.6, 0.5, "bad_times"), (-0.1, 0.5, "bad_times"), (1.0, 1.05, "span_past_end"),
     (0.5, 1.2, "span_past_end")],
)  # fmt: skip
def test_impossible_spans_are_refused(start: float, end: float, check: str) -> None:
    with pytest.raises(AudioError) as caught:
        cut(Recording(tone()[:, None], RATE), AudioRef("x", 0, start, end))
    assert caught.value.check == check


def test_an_end_just_past_the_file_is_trimmed_and_flagged() -> None:
    clip = cut(Recording(tone()[:, None], RATE), AudioRef("x", 0, 0.5, 1.05))
    assert len(clip.samples) == 8000
    assert clip.flags == ("end_trimmed",)


def test_a_length_the_release_states_is_compared() -> None:
    recording = decode(packed(tone(1.0)))
    assert cut(recording, AudioRef("a.mp3", stated_s=1.04)).flags == ()
    assert cut(recording, AudioRef("a.mp3", stated_s=0.9)).flags == ("longer_than_stated",)
    with pytest.raises(
        AudioError, match=r"1\.000 s decoded, the release states 2\.000 s: cut short"
    ) as caught:
        cut(recording, AudioRef("a.mp3", stated_s=2.0))
    assert caught.value.check == "audio_truncated"


def test_an_mp3_cut_anywhere_in_its_beginning_is_refused() -> None:
    out = io.BytesIO()
    soundfile.write(out, np.arange(8000, dtype=np.int16), 16_000, format="MP3")
    whole = out.getvalue()
    assert b"Xing" in whole[:200] or b"Info" in whole[:200]
    for length in range(1, 300):
        with pytest.raises(AudioError):
            decode(whole[:length])


@pytest.mark.parametrize(
    "behind", [b"a note of the donor", packed(tone(0.5, pitch=300.0)), bytes(3000) + b"\1"]
)
def test_bytes_behind_the_last_frame_of_a_flac_are_flagged_and_not_stored(behind: bytes) -> None:
    data = packed(tone())
    clip = cut(decode(data + behind), AudioRef("a.flac"))
    assert (clip.flac, clip.flags) == (data, ("trailing_bytes",))
    ahead = decode_flacs([data + behind, data])
    assert [(r.flac, r.flags) for r in ahead if r] == [(data, ("trailing_bytes",)), (data, ())]


def test_zeros_behind_a_flac_are_not_stored_either() -> None:
    data = packed(tone())
    assert (decode(data + bytes(512)).flac, decode(data + bytes(512)).flags) == (data, ())


@pytest.mark.parametrize("channel", [-3, -9, 2])
def test_a_channel_that_is_none_is_refused(channel: int) -> None:
    with pytest.raises(AudioError, match=f"channel {channel}"):
        cut(Recording(np.stack([tone(), tone()], axis=1), RATE), AudioRef("a.wav", channel))
