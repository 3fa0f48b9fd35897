"""MP3: frames against the tag of the first one, and the sum of the music that encoders leave there."""

from __future__ import annotations

import binascii
import random
import subprocess
from pathlib import Path

import pytest

from corpora.audio.containers import check_mp3, mp3_info
from corpora.audio.mp3_sum import crc16
from corpora.errors import AudioError


@pytest.fixture
def whole(tmp_path: Path) -> bytes:
    """Five seconds of noise by FFmpeg, which fills in the tag of a file."""
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        "anoisesrc=d=5:r=16000:a=0.1:seed=1",
        "-b:a",
        "32k",
    ]
    subprocess.run([*command, str(tmp_path / "a.mp3")], check=True)
    return (tmp_path / "a.mp3").read_bytes()


FRAME = 144  # bytes of 32 kbit/s at 16 kHz


def frames(data: bytes) -> list[bytes]:
    info = mp3_info(data)
    music = info.start + info.first_bytes
    return [data[info.start : music], *(data[at : at + FRAME] for at in range(music, info.end, FRAME))]


def test_the_sum_is_crc_16() -> None:
    assert crc16(b"123456789") == 0xBB3D  # the check value of CRC-16/ARC
    for size in (0, 1, 127, 128, 129, 5000):
        data = random.Random(size).randbytes(size)
        assert crc16(data) == slow_sum(data)
    assert binascii.crc_hqx(b"123456789", 0) != 0xBB3D  # the other one


def slow_sum(data: bytes) -> int:
    register = 0
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ (0xA001 if register & 1 else 0)
    return register


def test_a_whole_file_is_proved(whole: bytes) -> None:
    info, flags = check_mp3(whole)
    assert (info.frames, flags) == (info.declared, ())
    assert len(frames(whole)) == info.frames + 1


def test_a_changed_byte_of_the_music_is_seen(whole: bytes) -> None:
    for seed in range(20):
        at = random.Random(seed).randrange(mp3_info(whole).start + 400, len(whole) - 10)
        at += 8 if (at - mp3_info(whole).start - mp3_info(whole).first_bytes) % FRAME < 4 else 0
        hurt = whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :]
        with pytest.raises(AudioError, match="do not have the sum"):
            check_mp3(hurt)


@pytest.mark.parametrize("more", [1, 2, 4])
def test_frames_too_many_are_flagged_and_too_few_refused(whole: bytes, more: int) -> None:
    head, music = whole[: mp3_info(whole).start], frames(whole)
    assert check_mp3(head + b"".join(music + music[-more:]))[1] == ("longer_than_stated",)
    with pytest.raises(AudioError, match="cut short"):
        check_mp3(head + b"".join(music[:-more]))


def test_a_count_that_includes_the_tag_is_taken_where_the_sum_proves_it(whole: bytes) -> None:
    at = whole.find(b"Info") + 8
    more = int.from_bytes(whole[at : at + 4], "big") + 1
    hurt = whole[:at] + more.to_bytes(4, "big") + whole[at + 4 :]
    assert check_mp3(hurt)[1] == ()
