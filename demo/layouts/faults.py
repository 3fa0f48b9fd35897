"""Damage that a file can betray, by name and by chance: what the fault campaigns do to archives.

Only faults are here that some length, header, CRC, MD5 or checksum reveals. What betrays nothing is left out on
purpose: a flipped bit in the sound of WAV, MP3, or SPHERE without a checksum, another sample rate in a header.
All functions take a file's bytes and a random generator and answer other bytes (None = the file is gone).
"""

from __future__ import annotations

import io
import random
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

Fault = Callable[[bytes, random.Random], "bytes | None"]
SPHERE_HEADER = 1024
FLAC_FRAMES = 8192  # the metadata of libsndfile's FLAC ends before


def sound_start(data: bytes) -> int:
    """Where the bytes begin that stand under a checksum."""
    return SPHERE_HEADER if data.startswith(b"NIST_1A") else min(FLAC_FRAMES, len(data) // 2)


def cut(data: bytes, chance: random.Random) -> bytes:
    """Ends anywhere."""
    return data[: chance.randrange(1, len(data) - 1)]


def cut_a_little(data: bytes, chance: random.Random) -> bytes:
    """The last few bytes are missing."""
    return data[: -chance.randrange(2, 40)]


def cut_in_header(data: bytes, chance: random.Random) -> bytes:
    """Hardly more than the magic bytes."""
    return data[: chance.randrange(1, 30)]


def emptied(data: bytes, chance: random.Random) -> bytes:
    """No byte left."""
    return b""


def web_page(data: bytes, chance: random.Random) -> bytes:
    """A server's error under the file's name."""
    return b"<!DOCTYPE html><html><body>404 Not Found</body></html>"


def gone(data: bytes, chance: random.Random) -> None:
    """The file is not there."""


def zeros(data: bytes, chance: random.Random) -> bytes:
    """As long as before, but nothing written: a crashed copy."""
    return bytes(len(data))


def noise(data: bytes, chance: random.Random) -> bytes:
    """Random bytes of the same length."""
    return chance.randbytes(len(data))


def first_bytes_lost(data: bytes, chance: random.Random) -> bytes:
    """The beginning is missing."""
    return data[chance.randrange(1, 200) :]


def hole(data: bytes, chance: random.Random) -> bytes:
    """Zeros over a stretch of the sound that was not silent before."""
    for _ in range(100):
        first = sound_start(data)
        size = chance.randrange(64, 2048)
        at = chance.randrange(first, max(first + 1, len(data) - size))
        damaged = data[:at] + bytes(len(data[at : at + size])) + data[at + size :]
        if damaged != data:
            return damaged
    return cut(data, chance)


def one_bit(data: bytes, chance: random.Random) -> bytes:
    """One flipped bit in the sound."""
    return _flip(data, chance, 1)


def some_bits(data: bytes, chance: random.Random) -> bytes:
    """A few flipped bits in the sound."""
    return _flip(data, chance, chance.randrange(2, 20))


def _flip(data: bytes, chance: random.Random, count: int) -> bytes:
    damaged = bytearray(data)
    for at in chance.sample(range(sound_start(data), len(data)), count):
        damaged[at] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def stretch_lost(data: bytes, chance: random.Random) -> bytes:
    """Some bytes in the middle are missing."""
    at = chance.randrange(sound_start(data), len(data) - 64)
    return data[:at] + data[at + chance.randrange(1, 64) :]


def stretch_doubled(data: bytes, chance: random.Random) -> bytes:
    """Some bytes in the middle come twice; not zeros alone, which no sum would show."""
    at, size = 0, 0
    while not any(data[at : at + size]):
        at = chance.randrange(sound_start(data), len(data) - 64)
        size = chance.randrange(2, 64)
    return data[:at] + data[at : at + size] + data[at:]


def stretch_inserted(data: bytes, chance: random.Random) -> bytes:
    """Foreign bytes in the middle."""
    at = chance.randrange(sound_start(data), len(data))
    return data[:at] + chance.randbytes(chance.randrange(1, 64)) + data[at:]


def flac_sample_count(data: bytes, chance: random.Random) -> bytes:
    """STREAMINFO states another number of samples."""
    at = chance.choice([24, 25])
    return data[:at] + bytes([data[at] ^ 0x15]) + data[at + 1 :]


def flac_md5(data: bytes, chance: random.Random) -> bytes:
    """STREAMINFO states another MD5."""
    at = chance.randrange(26, 42)
    return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]


def sphere_sample_count(data: bytes, chance: random.Random) -> bytes:
    """The header states more samples than there are."""
    return _sphere_field(data, b"sample_count", 77)


def sphere_checksum(data: bytes, chance: random.Random) -> bytes:
    """The header states another checksum."""
    return _sphere_field(data, b"sample_checksum", chance.randrange(1, 1000))


def _sphere_field(data: bytes, field: bytes, more: int) -> bytes:
    head = re.sub(
        field + rb" -i (\d+)",
        lambda m: (
            field
            + b" -i "
            + str((int(m[1]) + more) & 0xFFFF if b"checksum" in field else int(m[1]) + more).encode()
        ),
        data[:SPHERE_HEADER],
    )
    return head[:SPHERE_HEADER].ljust(SPHERE_HEADER, b" ") + data[SPHERE_HEADER:]


def wav_data_size(data: bytes, chance: random.Random) -> bytes:
    """The data chunk states more bytes than there are."""
    at = data.index(b"data") + 4
    return data[:at] + (len(data) * 2).to_bytes(4, "little") + data[at + 4 :]


def wav_chunk_name(data: bytes, chance: random.Random) -> bytes:
    """The data chunk has lost its name."""
    at = data.index(b"data")
    return data[:at] + b"dat\0" + data[at + 4 :]


def mp3_frame_count(data: bytes, chance: random.Random) -> bytes:
    """The Xing header states more frames than there are."""
    at = max(data.find(b"Xing"), data.find(b"Info")) + 8
    return data[:at] + (int.from_bytes(data[at : at + 4], "big") + 9).to_bytes(4, "big") + data[at + 4 :]


ALWAYS: tuple[Fault, ...] = (
    cut, cut_a_little, cut_in_header, emptied, web_page, gone, zeros, noise, first_bytes_lost,
)  # fmt: skip
CHECKED: tuple[Fault, ...] = (hole, one_bit, some_bits, stretch_lost, stretch_doubled, stretch_inserted)
FAULTS: dict[str, tuple[Fault, ...]] = {
    ".flac": (*ALWAYS, *CHECKED, flac_sample_count, flac_md5),
    ".sph": (*ALWAYS, *CHECKED, sphere_sample_count, sphere_checksum),
    ".wav": (*ALWAYS, wav_data_size, wav_chunk_name),
    ".mp3": (
        *ALWAYS[:-1],
        mp3_frame_count,
    ),  # an MP3 without its beginning is a shorter MP3, without Xing header
}


def damage(source: Path, chance: random.Random, share: float) -> dict[str, str]:
    """Damage a share of the sound files of a folder or zip in place.

    Returns:
        Member → `<container> <fault>`.
    """
    members = _members(source)
    done: dict[str, str] = {}
    for name in sorted(members):
        kind = Path(name).suffix.lower()
        if kind not in FAULTS or chance.random() > share:
            continue
        fault = chance.choice(FAULTS[kind])
        done[name] = f"{kind[1:]} {fault.__name__}"
        damaged = fault(members[name], chance)
        if damaged is None:
            del members[name]
        else:
            members[name] = damaged
    _rewrite(source, members)
    return done


def _members(source: Path) -> dict[str, bytes]:
    if source.is_dir():
        files = (path for path in source.rglob("*") if path.is_file())
        return {path.relative_to(source).as_posix(): path.read_bytes() for path in files}
    with zipfile.ZipFile(source) as zipped:
        return {name: zipped.read(name) for name in zipped.namelist()}


def _rewrite(source: Path, members: dict[str, bytes]) -> None:
    if source.is_dir():
        shutil.rmtree(source)
        for name, data in members.items():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes(data)
        return
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as zipped:
        for name, data in members.items():
            zipped.writestr(zipfile.ZipInfo(name), data)
    source.write_bytes(packed.getvalue())


def archive_bit(data: bytes, chance: random.Random) -> bytes:
    """One flipped bit anywhere in a zip or gzip: CRCs stand over all members."""
    damaged = bytearray(data)
    damaged[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def archive_hole(data: bytes, chance: random.Random) -> bytes:
    """Zeros over some kilobytes of an archive."""
    at = chance.randrange(0, len(data) - 4096)
    return data[:at] + bytes(4096) + data[at + 4096 :]


ARCHIVE_FAULTS: tuple[Fault, ...] = (cut, cut_a_little, emptied, web_page, archive_bit, archive_hole)
