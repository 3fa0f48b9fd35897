"""FLAC too long for memory goes through a file, piece by piece, with the same checks as a short one."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from corpora.audio import decoding, last, long
from corpora.audio.last import open_recording
from corpora.audio.recording import FileSamples, Recording
from corpora.errors import AudioError
from corpora.importer import AudioRef
from corpora.sources.opening import open_source

FRAMES = 50_000

Open = Callable[[bytes], Recording]


def written(subtype: str = "PCM_16", channels: int = 1) -> bytes:
    at = np.arange(FRAMES)[:, None] / 16_000 + np.arange(channels)
    wave = (np.sin(at * 2000) * 2**30 + np.sin(at * 7777) * 2**22).astype(np.int32)
    out = io.BytesIO()
    soundfile.write(out, wave, 16_000, format="FLAC", subtype=subtype)
    return out.getvalue()


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Opens bytes as a recording that is too long for memory."""
    for module in (last, long):
        monkeypatch.setattr(module, "LONG_BYTES", 50_000)
    monkeypatch.setattr(long, "_BLOCK_FRAMES", 9000)

    def open_bytes(data: bytes) -> Recording:
        (tmp_path / "a.flac").write_bytes(data)
        return open_recording(open_source([tmp_path]), AudioRef("a.flac"))

    return open_bytes


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("subtype", ["PCM_S8", "PCM_16", "PCM_24"])
def test_samples_are_those_of_a_short_file(opened: Open, subtype: str, channels: int) -> None:
    data = written(subtype, channels)
    recording = opened(data)
    assert isinstance(recording.samples, FileSamples)
    assert np.array_equal(recording.samples[0:FRAMES], decoding.decode(data).samples)
    assert (recording.sample_rate_hz, recording.flags, recording.flac) == (16_000, (), None)


def test_a_file_without_sum_or_length_is_read_and_flagged(opened: Open) -> None:
    data = bytearray(written())
    data[26:42] = bytes(16)
    data[21:26] = bytes([data[21] & 0xF0, 0, 0, 0, 0])
    recording = opened(bytes(data))
    assert recording.flags == ("no_md5",)
    assert np.array_equal(recording.samples[0:FRAMES], decoding.decode(bytes(data)).samples)
    assert decoding.decode(bytes(data)).flags == ("no_md5",)


@pytest.mark.parametrize("place", ["md5", "frame", "cut"])
def test_damage_is_refused_as_in_a_short_file(opened: Open, place: str) -> None:
    data = bytearray(written())
    if place == "cut":
        data = data[:-200]
    else:
        data[30 if place == "md5" else len(data) // 2] ^= 4
    with pytest.raises(AudioError) as long:
        opened(bytes(data))
    with pytest.raises(AudioError) as short:
        decoding.decode(bytes(data))
    assert (long.value.check, str(long.value)) == (short.value.check, str(short.value))
    assert long.value.check == "audio_corrupt"
