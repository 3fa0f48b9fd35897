"""What an audio file says of itself, read from its bytes: kind, declared length, checksums.

Decoders do not tell the truth about damage: ffmpeg and sox end well on a cut FLAC, libsndfile on a cut WAV
or MP3. So the declared figures are read here and audio.py compares them with what came out. Nothing is
decoded in this module.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass

from corpora.audio.mp3_sum import check_sum
from corpora.errors import AudioError

Bytes = bytes | mmap.mmap  # a file in memory, or mapped

_MP3_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_MP3_KBITS = {
    (3, 3): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (3, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (3, 1): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 3): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 1): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}


@dataclass(frozen=True)
class FlacInfo:
    """STREAMINFO: what the encoder says it wrote. `md5` of the samples, all zero = not computed."""

    sample_rate_hz: int
    channels: int
    bits: int
    frames: int
    md5: bytes


@dataclass(frozen=True)
class Mp3Info:
    """Frames counted by walking them; `declared` from the Xing/Info header, None without one.

    `start` and `end` are the bytes of the first frame and behind the last, `first_bytes` is the first one's size.
    """

    frames: int
    declared: int | None
    samples_per_frame: int
    sample_rate_hz: int
    whole: bool
    start: int
    first_bytes: int
    end: int


def kind_of(data: bytes) -> str:
    """The container by its magic bytes: flac, wav, sphere, mp3, ogg, aiff, au, other.

    Raises:
        AudioError: empty, or a web page under an audio name.
    """
    if not data:
        raise AudioError("audio_empty", "the file has 0 bytes: a failed download or recording")
    head = data[:12]
    if head[:4] == b"fLaC":
        return "flac"
    if head[:4] in {b"RIFF", b"RF64", b"RIFX"} and head[8:12] == b"WAVE":
        return "wav"
    if head[:7] == b"NIST_1A":
        return "sphere"
    if head[:4] == b"OggS":
        return "ogg"
    if head[:4] == b"FORM" and head[8:11] == b"AIF":
        return "aiff"
    if head[:4] == b".snd":
        return "au"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return "other"  # AAC in ADTS frames: the layer bits are zero
    if head[:3] == b"ID3" or (head[0] == 0xFF and len(head) > 1 and head[1] & 0xE0 == 0xE0):
        return "mp3"
    if data[:40].startswith(b"version https://git-lfs.github.com"):
        raise AudioError(
            "audio_unreadable", "a pointer of Git LFS, not sound: fetch the file itself (git lfs pull)"
        )
    if data[:2] == b"\x1f\x8b":
        raise AudioError("audio_unreadable", "packed with gzip under the name of a sound: unpack it")
    if b"<html" in data[:512].lower() or b"<!doctype" in data[:512].lower():
        raise AudioError(
            "audio_unreadable", "an HTML page, not sound: a server's error saved under this name"
        )
    return "other"


def flac_info(data: bytes) -> FlacInfo:
    """STREAMINFO of a FLAC file.

    Raises:
        AudioError: the header itself is cut or damaged.
    """
    if len(data) < 42 or data[4] & 0x7F != 0:
        raise AudioError("audio_corrupt", f"FLAC header is damaged or cut ({len(data)} bytes)")
    packed = int.from_bytes(data[18:26], "big")
    return FlacInfo(
        sample_rate_hz=packed >> 44,
        channels=((packed >> 41) & 7) + 1,
        bits=((packed >> 36) & 31) + 1,
        frames=packed & ((1 << 36) - 1),
        md5=data[26:42],
    )


def check_sized(data: Bytes, kind: str) -> None:
    """AIFF and AU: the declared size must be there.

    Raises:
        AudioError: cut short.
    """
    if kind == "aiff":
        declared = 8 + int.from_bytes(data[4:8], "big")
    else:
        size = int.from_bytes(data[8:12], "big")
        declared = 0 if size == 0xFFFFFFFF else int.from_bytes(data[4:8], "big") + size
    if declared > len(data):
        raise AudioError("audio_truncated", f"{declared} bytes declared, {len(data)} there: cut short")


def _mp3_frame(data: Bytes, at: int) -> tuple[int, int, int, int] | None:
    """(bytes, samples, rate, offset of a Xing header) of the frame at `at`, or None."""
    if at + 4 > len(data) or data[at] != 0xFF or data[at + 1] & 0xE0 != 0xE0:
        return None
    version, layer = (data[at + 1] >> 3) & 3, (data[at + 1] >> 1) & 3
    bitrate, rate = data[at + 2] >> 4, (data[at + 2] >> 2) & 3
    if version == 1 or layer == 0 or bitrate in {0, 15} or rate == 3:
        return None
    rate_hz = _MP3_RATES[version][rate]
    table = _MP3_KBITS[(3, layer)] if version == 3 else _MP3_KBITS[(2, 3 if layer == 3 else 1)]
    bits_per_s, padding = table[bitrate - 1] * 1000, (data[at + 2] >> 1) & 1
    if layer == 3:
        return (12 * bits_per_s // rate_hz + padding) * 4, 384, rate_hz, 0
    samples = 576 if layer == 1 and version != 3 else 1152
    mono = data[at + 3] >> 6 == 3
    side = (17 if mono else 32) if version == 3 else (9 if mono else 17)
    return samples // 8 * bits_per_s // rate_hz + padding, samples, rate_hz, 4 + side


def mp3_info(data: Bytes) -> Mp3Info:
    """Walk the frames of an MP3 and read what its first frame declares.

    Raises:
        AudioError: no MPEG frame in it.
    """
    at = 0
    if data[:3] == b"ID3" and len(data) > 10:
        at = 10 + sum((data[6 + i] & 0x7F) << (21 - 7 * i) for i in range(4))
    while at < len(data) - 4 and not _is_start(data, at):
        at = data.find(b"\xff", at + 1)
        if at < 0:
            break
    first = _mp3_frame(data, at) if 0 <= at < len(data) else None
    if first is None:
        raise AudioError("audio_unreadable", "no MPEG frame found: not an MP3, or its beginning is lost")
    declared = _xing(data, at + first[3])
    start, frames, whole = at, 0, True
    while frame := _mp3_frame(data, at):
        whole = at + frame[0] <= len(data)
        frames += whole
        at += frame[0]
    frames -= declared is not None
    return Mp3Info(frames, declared, first[1], first[2], whole, start, first[0], at)


def _is_start(data: Bytes, at: int) -> bool:
    frame = _mp3_frame(data, at)
    return frame is not None and (at + frame[0] >= len(data) or _mp3_frame(data, at + frame[0]) is not None)


def _xing(data: Bytes, at: int) -> int | None:
    """Frames that the tag in the first frame declares; None without one, and where the file ends inside it."""
    tagged = data[at : at + 4] in {b"Xing", b"Info"} and len(data) >= at + 12
    if not tagged or not data[at + 7] & 1:
        return None
    return int.from_bytes(data[at + 8 : at + 12], "big")


def _refuse_second(data: Bytes, end: int) -> None:
    """Two MP3 files joined by their bytes: decoders read the first and stop at its length."""
    at = end + (128 if data[end : end + 3] == b"TAG" else 0)
    if data[at : at + 3] != b"ID3" or len(data) < at + 10:
        return
    behind = at + 10 + sum((data[at + 6 + i] & 0x7F) << (21 - 7 * i) for i in range(4))
    if _mp3_frame(data, behind) is not None:
        raise AudioError(
            "audio_corrupt",
            f"a further recording begins at byte {at} of the MP3: split the file, or join them by a program",
        )


def check_mp3(data: Bytes) -> tuple[Mp3Info, tuple[str, ...]]:
    """Compare the frames there with those declared, and their bytes with the sum that many encoders leave.

    Returns:
        What was found, and flags: `length_estimated` where one frame less is there than declared, as some writers
        count, `longer_than_stated` where there are more.

    Raises:
        AudioError: frames are missing, the last one is cut, or their bytes were changed.
    """
    info = mp3_info(data)
    _refuse_second(data, info.end)
    missing = 0 if info.declared is None else info.declared - info.frames
    few = f"the MP3 declares {info.declared} frames, {info.frames} are there: cut short"
    if missing > 1:
        raise AudioError("audio_truncated", few)
    if not info.whole:
        raise AudioError(
            "audio_truncated", f"the last MP3 frame (number {info.frames + 1}) is cut: the file is too short"
        )
    proved = check_sum(data, info.start, info.first_bytes, info.end)
    if missing == 1 and proved.length == "shorter":
        raise AudioError("audio_truncated", few)
    flags = set(proved.flags)
    if missing == 1 and proved.length != "exact":
        flags.add("length_estimated")
    return info, tuple(flags | ({"longer_than_stated"} if missing < 0 else set()))
