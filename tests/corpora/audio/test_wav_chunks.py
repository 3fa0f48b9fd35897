"""WAV: what a length is, chunks as writers leave them, and formats that contradict themselves."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from corpora.audio import long
from corpora.audio.decoding import decode
from corpora.audio.last import open_recording
from corpora.audio.recording import FileSamples
from corpora.errors import AudioError
from corpora.importer import AudioRef
from corpora.sources.opening import open_source

TONE = np.random.default_rng(3).normal(0, 4000, 30_000).astype(np.int16)


def wav(subtype: str = "PCM_16", rate_hz: int = 16_000, kind: str = "WAV") -> bytes:
    out = io.BytesIO()
    samples = (
        TONE / 32768 if subtype in {"FLOAT", "DOUBLE"} else TONE
    )  # libsndfile writes whole numbers as they are
    soundfile.write(out, samples, rate_hz, format=kind, subtype=subtype)
    return out.getvalue()


PLAIN = wav()
PLACEHOLDERS = [0, 0x7FFFF000, 0x80000000, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FFFFFDB, 0xFFFFFFDB, 0xFFFFF000]


def put(data: bytes, at: int, field: bytes) -> bytes:
    return data[:at] + field + data[at + len(field) :]


def undeclared(size: int) -> bytes:
    return put(put(PLAIN, 40, struct.pack("<I", size)), 4, struct.pack("<I", min(size + 36, 0xFFFFFFFF)))


@pytest.mark.parametrize("size", PLACEHOLDERS)
def test_a_placeholder_for_the_length_is_flagged_and_all_is_read(size: int) -> None:
    recording = decode(undeclared(size))
    assert np.array_equal(recording.samples[:, 0], TONE)
    assert recording.flags == ("length_undeclared",)


@pytest.mark.parametrize("size", PLACEHOLDERS)
def test_so_is_one_too_long_for_memory(size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long, "is_long", lambda file, kind: True)
    monkeypatch.setattr("corpora.audio.last.is_long", lambda file, kind: True)
    (tmp_path / "a.wav").write_bytes(undeclared(size))
    recording = open_recording(open_source([tmp_path]), AudioRef("a.wav"))
    assert isinstance(recording.samples, FileSamples)
    assert np.array_equal(recording.samples[0 : len(TONE)][:, 0], TONE)
    assert recording.flags == ("length_undeclared",)


@pytest.mark.parametrize("size", [60_002, 70_000, 0x40000000, 0x7FFE0000])
def test_any_other_length_is_a_promise(size: int) -> None:
    with pytest.raises(AudioError, match="cut short") as caught:
        decode(undeclared(size))
    assert caught.value.check == "audio_truncated"


def test_an_odd_chunk_without_the_byte_that_fills_it_is_read() -> None:
    data = PLAIN[:12] + b"junk" + struct.pack("<I", 3) + b"abc" + PLAIN[12:]
    assert np.array_equal(decode(data).samples[:, 0], TONE)
    padded = PLAIN[:12] + b"junk" + struct.pack("<I", 3) + b"abc\0" + PLAIN[12:]
    assert np.array_equal(decode(padded).samples[:, 0], TONE)


@pytest.mark.parametrize(
    ("at", "field", "words"),
    [
        (24, struct.pack("<I", 16_004), "contradicts itself"),
        (24, struct.pack("<I", 8_000), "contradicts itself"),
        (28, struct.pack("<I", 32_001), "contradicts itself"),
        (22, struct.pack("<H", 2), "contradicts itself"),
        (32, struct.pack("<H", 1), "contradicts itself"),
        (34, struct.pack("<H", 8), "contradicts itself"),
        (34, struct.pack("<H", 48), "cannot have 48 bits"),
        (20, struct.pack("<H", 6), "cannot have 16 bits"),
        (20, struct.pack("<H", 3), "cannot have 16 bits"),
        (24, struct.pack("<I", 0), "no rate"),
    ],
)
def test_a_format_that_contradicts_itself_is_refused(at: int, field: bytes, words: str) -> None:
    with pytest.raises(AudioError, match=words) as caught:
        decode(put(PLAIN, at, field))
    assert caught.value.check == "audio_corrupt"


def test_writers_that_leave_out_the_bytes_per_second_are_flagged() -> None:
    assert decode(put(PLAIN, 28, bytes(4))).flags == ("header_contradicts",)


FORMS = [
    "PCM_U8",
    "PCM_16",
    "PCM_24",
    "PCM_32",
    "FLOAT",
    "DOUBLE",
    "ULAW",
    "ALAW",
    "IMA_ADPCM",
    "MS_ADPCM",
    "GSM610",
]


@pytest.mark.parametrize("subtype", FORMS)
def test_every_form_of_wav_is_read_whole_and_unflagged(subtype: str) -> None:
    recording = decode(wav(subtype, 8_000))
    assert abs(len(recording.samples) - len(TONE)) < 1100  # the last block of packed forms is filled
    assert recording.flags == ()


@pytest.mark.parametrize("kind", ["WAVEX", "RF64", "W64", "AIFF", "AU", "CAF"])
def test_its_relatives_too(kind: str) -> None:
    assert np.array_equal(decode(wav(kind=kind)).samples[0 : len(TONE)][:, 0], TONE)


def test_a_copy_as_text_is_refused_and_other_bytes_behind_are_flagged() -> None:
    with pytest.raises(AudioError, match="copied as text"):
        decode(PLAIN[:44] + PLAIN[44:].replace(b"\n", b"\r\n"))
    assert decode(PLAIN + b"a note of the donor").flags == ("trailing_bytes",)
