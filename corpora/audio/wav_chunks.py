"""The chunks of a WAV: where its sound lies, what is said of its length, and whether its format contradicts itself.

A length may be a promise, a placeholder that a writer to a pipe leaves (0, or about 2 or 4 GiB), or wrong. libsndfile
believes them all, so a file whose sizes cannot be used as they stand gets another header before it is decoded; its
samples stay as they are. Nothing is decoded here.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass

from corpora.errors import AudioError

Bytes = bytes | mmap.mmap
_NEAR = 1 << 16  # bytes: placeholders are that near to 2 or 4 GiB
_PCM, _FLOAT, _A_LAW, _U_LAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_IN_BLOCKS = {0x02, 0x11, 0x31}  # MS ADPCM, IMA ADPCM, GSM: their fmt chunk states the samples of a block
_RIFF_HEAD, _CHUNK_HEAD = 12, 8
_MOST_CHUNKS = 1000  # behind the sound


@dataclass(frozen=True)
class WavLayout:
    """What a WAV's chunks say, and where its sound lies.

    Attributes:
        fmt: the content of the fmt chunk.
        at, size: of the sound, in bytes; `size` is what is there, not what is declared.
        flags: `length_undeclared`, `header_contradicts`, `trailing_bytes`.
        needs_header: its own sizes cannot be used: decode `with_header`.
    """

    fmt: bytes
    at: int
    size: int
    flags: tuple[str, ...] = ()
    needs_header: bool = False
    order: str = "<"

    def header(self) -> bytes:
        """A header that says what is there."""
        fact = self._chunk(b"fact", struct.pack(f"{self.order}I", self._frames()))
        body = (
            b"WAVE"
            + self._chunk(b"fmt ", self.fmt)
            + (fact if self.fmt[:2] not in (b"\1\0", b"\0\1") else b"")
        )
        riff = b"RIFX" if self.order == ">" else b"RIFF"
        size = len(body) + _CHUNK_HEAD + self.size + (self.size & 1)
        return riff + self._number(size) + body + b"data" + self._number(self.size)

    def _frames(self) -> int:
        """Samples per channel, for the chunk that compressed forms want; an upper bound where blocks say no more."""
        fields = _fields(self.fmt, self.order)
        per_block = _samples_per_block(fields, self.fmt, self.order)
        return self.size // max(fields.block_bytes, 1) * max(per_block, 1) & 0xFFFFFFFF

    def _chunk(self, name: bytes, content: bytes) -> bytes:
        return name + self._number(len(content)) + content + bytes(len(content) & 1)

    def _number(self, value: int) -> bytes:
        return struct.pack(f"{self.order}I", min(value, 0xFFFFFFFF))


@dataclass(frozen=True)
class _Fields:
    tag: int
    channels: int
    rate_hz: int
    bytes_per_s: int
    block_bytes: int
    bits: int


def wav_layout(data: Bytes) -> WavLayout:
    """Walk the chunks of a WAV (RIFF, RF64, RIFX) up to its sound.

    Raises:
        AudioError: cut short, without sound, or with a format that contradicts itself.
    """
    order = ">" if data[:4] == b"RIFX" else "<"
    at, sizes64, fmt, padded = _RIFF_HEAD, 0, b"", True
    while at + _CHUNK_HEAD <= len(data):
        name, size = data[at : at + 4], struct.unpack(order + "I", data[at + 4 : at + 8])[0]
        if name == b"ds64" and len(data) >= at + 24:
            sizes64 = struct.unpack("<Q", data[at + 16 : at + 24])[0]
        if name == b"fmt ":
            fmt = data[at + 8 : at + 8 + min(size, 4096)]
        if name == b"data":
            return _layout(
                data, at + _CHUNK_HEAD, (size, sizes64), WavLayout(fmt, 0, 0, (), not padded, order)
            )
        following = at + _CHUNK_HEAD + size
        if size & 1:  # the byte that fills an odd chunk is forgotten by some writers
            has_pad = _is_chunk(data, following + 1, order) or not _is_chunk(data, following, order)
            padded, following = padded and has_pad, following + has_pad
        at = following
    raise AudioError("audio_truncated", f"the WAV ends before its sound: no data chunk in {len(data)} bytes")


def _is_chunk(data: Bytes, at: int, order: str) -> bool:
    head = data[at : at + _CHUNK_HEAD]
    if len(head) < _CHUNK_HEAD or not all(32 <= byte < 127 for byte in head[:4]):
        return False
    return head[:4] == b"data" or at + _CHUNK_HEAD + struct.unpack(order + "I", head[4:])[0] <= len(data)


def _layout(data: Bytes, at: int, stated: tuple[int, int], known: WavLayout) -> WavLayout:
    there = len(data) - at
    declared = stated[1] if stated[0] == 0xFFFFFFFF and stated[1] else stated[0]
    flags = _check_format(known.fmt, known.order)
    if _is_placeholder(declared, there):
        flags = (*flags, "length_undeclared")
        return WavLayout(known.fmt, at, there, flags, True, known.order)
    if declared > there:
        raise AudioError(
            "audio_truncated", f"the WAV declares {declared} bytes of sound, {there} are there: cut short"
        )
    if declared == 0:
        raise AudioError("audio_empty", "the WAV holds no samples")
    _refuse_second(data, at + declared + (declared & 1), known.order)
    flags += _behind(data, known.order)
    return WavLayout(known.fmt, at, declared, flags, known.needs_header, known.order)


def _refuse_second(data: Bytes, at: int, order: str) -> None:
    """A second chunk of sound: decoders read one of the two, and not all of them the same."""
    first = at
    for _ in range(_MOST_CHUNKS):
        if not _is_chunk(data, at, order):
            return
        size = struct.unpack(order + "I", data[at + 4 : at + 8])[0]
        if data[at : at + 4] == b"data" and size:
            raise AudioError(
                "audio_corrupt",
                f"a second chunk of sound begins at byte {at} of the WAV, behind the first's end at {first}",
            )
        at += _CHUNK_HEAD + size + (size & 1)


def _is_placeholder(declared: int, there: int) -> bool:
    """0 before sound, or more than is there and about 2 or 4 GiB: what is written before the length is known."""
    if declared == 0:
        return there > 0
    near = any(abs(declared - (1 << power)) <= _NEAR for power in (31, 32))
    return near and declared > there


def _behind(data: Bytes, order: str) -> tuple[str, ...]:
    """Bytes behind the end that the RIFF header states: flagged, or refused where the file was copied as text."""
    stated = struct.unpack(order + "I", data[4:8])[0] + 8
    if data[:4] == b"RF64" or stated < _RIFF_HEAD or stated + (stated & 1) >= len(data):
        return ()
    lines = _count(data, b"\n")
    if lines >= 16 and lines == _count(data, b"\r\n"):
        raise AudioError(
            "audio_corrupt",
            f"it was copied as text: {lines} bytes were put in before line feeds; copy it as binary",
        )
    return ("trailing_bytes",)


def _count(data: Bytes, wanted: bytes) -> int:
    if isinstance(data, bytes):
        return data.count(wanted)
    step = 1 << 24
    return sum(data[at : at + step + len(wanted) - 1].count(wanted) for at in range(0, len(data), step))


def _fields(fmt: bytes, order: str) -> _Fields:
    if len(fmt) < 16:
        raise AudioError("audio_corrupt", f"the WAV's fmt chunk has {len(fmt)} bytes of at least 16")
    tag, channels, rate_hz, bytes_per_s, block_bytes, bits = struct.unpack(order + "HHIIHH", fmt[:16])
    if tag == _EXTENSIBLE and len(fmt) >= 26:
        tag = struct.unpack(order + "H", fmt[24:26])[0]
    return _Fields(tag, channels, rate_hz, bytes_per_s, block_bytes, bits)


def _samples_per_block(fields: _Fields, fmt: bytes, order: str) -> int:
    """0 where the format has no blocks of samples."""
    has_it = fields.tag in _IN_BLOCKS and len(fmt) >= 20
    return int(struct.unpack_from(order + "H", fmt, 18)[0]) if has_it else 0


def _check_format(fmt: bytes, order: str) -> tuple[str, ...]:
    """Compare what the fmt chunk says twice: rate, channels and bits against bytes per block and per second.

    Raises:
        AudioError: they contradict each other, so that nobody knows speed or form.
    """
    told = _fields(fmt, order)
    if told.channels == 0 or told.rate_hz == 0 or told.block_bytes == 0:
        raise AudioError("audio_corrupt", "the WAV's fmt chunk states no channel, no rate or no block")
    if told.tag in {_PCM, _FLOAT, _A_LAW, _U_LAW}:
        return _check_plain(told)
    per_block = _samples_per_block(told, fmt, order)
    wanted = told.rate_hz * told.block_bytes / per_block if per_block else 0
    agrees = not wanted or abs(told.bytes_per_s - wanted) <= 0.02 * wanted + told.block_bytes
    return (
        () if agrees else ("header_contradicts",)
    )  # writers reckon the bytes per second of blocks in their own ways


def _check_plain(told: _Fields) -> tuple[str, ...]:
    wanted_bits = {_A_LAW: (8,), _U_LAW: (8,), _FLOAT: (32, 64)}.get(told.tag, range(1, 33))
    if told.bits not in wanted_bits:
        raise AudioError(
            "audio_corrupt", f"the WAV's format {told.tag} cannot have {told.bits} bits: damaged header"
        )
    width = (told.bits + 7) // 8
    if told.block_bytes != told.channels * width and told.block_bytes != told.channels * max(width, 4):
        raise _contradiction(f"{told.channels} channels of {told.bits} bits", told)
    if told.bytes_per_s == told.rate_hz * told.block_bytes:
        return ()
    sloppy = {
        0,
        told.rate_hz,
        told.rate_hz * width,
        told.rate_hz * told.bits,
    }  # writers that do not reckon it
    if told.bytes_per_s in sloppy:
        return ("header_contradicts",)
    raise _contradiction(f"{told.rate_hz} Hz", told)


def _contradiction(said: str, told: _Fields) -> AudioError:
    return AudioError(
        "audio_corrupt",
        f"the WAV's header contradicts itself: {said} against {told.block_bytes} bytes a block and "
        f"{told.bytes_per_s} bytes a second: damaged",
    )
