"""A FLAC encoder for tests, written from RFC 9639: every subframe kind, coding and header form, chosen by hand.

Slow and plain on purpose; it shares nothing with the project's own encoder or decoder. It writes what it is told,
also what the format forbids, so that decoders can be shown to refuse it.
"""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass, field

import numpy as np

RATES = {88200: 1, 176400: 2, 192000: 3, 8000: 4, 16000: 5, 22050: 6, 24000: 7, 32000: 8, 44100: 9, 48000: 10}
DEPTHS = {8: 1, 12: 2, 16: 4, 20: 5, 24: 6, 32: 7}
STEREO = {"left_side": 8, "side_right": 9, "mid_side": 10}


class BitWriter:
    def __init__(self) -> None:
        self.bits: list[str] = []

    def put(self, value: int, count: int) -> None:
        if count:
            self.bits.append(format(value & ((1 << count) - 1), f"0{count}b"))

    def rice(self, value: int, k: int) -> None:
        folded = value << 1 if value >= 0 else (-value << 1) - 1
        self.bits.append("0" * (folded >> k) + "1")
        self.put(folded, k)

    def bytes(self) -> bytes:
        text = "".join(self.bits)
        text += "0" * (-len(text) % 8)
        return bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8))


def crc(data: bytes, polynomial: int, width: int) -> int:
    value = 0
    for byte in data:
        value ^= byte << (width - 8)
        for _ in range(8):
            value = (value << 1) ^ (polynomial | 1 << width if value >> (width - 1) else 0)
    return value


@dataclass(frozen=True)
class Coding:
    """How one channel of a frame is written. `parameter` None: plain residuals of `plain_bits` bits."""

    kind: str = "verbatim"  # constant, verbatim, fixed, linear
    order: int = 0
    coefficients: tuple[int, ...] = ()
    precision: int = 15
    shift: int = 0
    wasted: int = 0
    partition_order: int = 0
    parameter: int | None = 4
    plain_bits: int = 20
    long_parameters: bool = False
    type_code: int | None = None  # instead of the kind's own
    method: int | None = None  # instead of 0 or 1


@dataclass(frozen=True)
class Stream:
    sample_rate_hz: int = 16000
    channels: int = 1
    bits: int = 16
    block: int = 64
    variable: bool = False
    header: dict[str, int] = field(default_factory=dict)  # fields of frame headers, instead of the true ones


def _type_code(coding: Coding) -> int:
    if coding.type_code is not None:
        return coding.type_code
    return {"constant": 0, "verbatim": 1, "fixed": 8 + coding.order, "linear": 31 + coding.order}[coding.kind]


def residuals(samples: list[int], coding: Coding) -> list[int]:
    factors = (
        {0: (), 1: (1,), 2: (2, -1), 3: (3, -3, 1), 4: (4, -6, 4, -1)}[coding.order]
        if coding.kind == "fixed"
        else coding.coefficients
    )
    shift = 0 if coding.kind == "fixed" else max(0, coding.shift)
    return [
        samples[n] - (sum(c * samples[n - 1 - i] for i, c in enumerate(factors)) >> shift)
        for n in range(coding.order, len(samples))
    ]


def _put_residuals(out: BitWriter, samples: list[int], coding: Coding) -> None:
    wide = 5 if coding.long_parameters else 4
    out.put(int(coding.long_parameters) if coding.method is None else coding.method, 2)
    out.put(coding.partition_order, 4)
    values = residuals(samples, coding)
    size = len(samples) >> coding.partition_order
    edges = [max(0, size * i - coding.order) for i in range((1 << coding.partition_order) + 1)]
    for start, stop in itertools.pairwise(edges):
        if coding.parameter is None:
            out.put((1 << wide) - 1, wide)
            out.put(coding.plain_bits, 5)
        else:
            out.put(coding.parameter, wide)
        for value in values[start:stop]:
            if coding.parameter is None:
                out.put(value, coding.plain_bits)
            else:
                out.rice(value, coding.parameter)


def put_subframe(out: BitWriter, samples: list[int], bits: int, coding: Coding) -> None:
    out.put(_type_code(coding) << 1 | (coding.wasted > 0), 8)
    if coding.wasted:
        out.put(1, coding.wasted)
    kept = [sample >> coding.wasted for sample in samples]
    bits -= coding.wasted
    plain = {"constant": 1, "verbatim": len(kept)}.get(coding.kind, coding.order)
    for sample in kept[:plain]:
        out.put(sample, bits)
    if coding.kind == "linear":
        out.put(coding.precision - 1, 4)
        out.put(coding.shift, 5)
        for factor in coding.coefficients:
            out.put(factor, coding.precision)
    if coding.kind in {"fixed", "linear"}:
        _put_residuals(out, kept, coding)


def coded_number(number: int) -> bytes:
    if number < 0x80:
        return bytes([number])
    more = next(m for m in range(1, 7) if number < 1 << (5 * m + 6))
    first = (0xFF00 >> (more + 1)) & 0xFF
    tail = [0x80 | (number >> (6 * i) & 0x3F) for i in range(more)]
    return bytes([first | (number >> (6 * more)), *reversed(tail)])


def frame_header(stream: Stream, block: int, number: int, stereo: str) -> bytes:
    fields = {
        "reserved": 0,
        "block": 7,
        "rate": RATES.get(stream.sample_rate_hz, 0),
        "channels": STEREO.get(stereo, stream.channels - 1),
        "depth": DEPTHS.get(stream.bits, 0),
        "last": 0,
        **stream.header,
    }
    out = BitWriter()
    out.put(0x3FFE, 14)
    out.put(fields["reserved"], 1)
    out.put(int(stream.variable), 1)
    for name, width in (("block", 4), ("rate", 4), ("channels", 4), ("depth", 3), ("last", 1)):
        out.put(fields[name], width)
    data = out.bytes() + coded_number(fields.get("number", number))
    if fields["block"] in {6, 7}:
        data += (block - 1).to_bytes(fields["block"] - 5, "big")
    data += fields["rate_bytes"].to_bytes(2, "big") if fields["rate"] in {13, 14} else b""
    data += fields["rate_bytes"].to_bytes(1, "big") if fields["rate"] == 12 else b""
    return data + bytes([crc(data, 0x07, 8)])


def frame(
    stream: Stream, samples: np.ndarray, number: int, codings: list[Coding], stereo: str = "independent"
) -> bytes:
    """One frame of `samples` `[block, channels]`; number of the frame, or of its first sample if variable."""
    columns = [[int(v) for v in samples[:, c]] for c in range(stream.channels)]
    depths = [stream.bits] * stream.channels
    if stereo != "independent":
        left, right = columns
        side = [a - b for a, b in zip(left, right, strict=True)]
        mid = [(a + b) >> 1 for a, b in zip(left, right, strict=True)]
        columns = {"left_side": [left, side], "side_right": [side, right], "mid_side": [mid, side]}[stereo]
        depths[0 if stereo == "side_right" else 1] += 1
    out = BitWriter()
    for column, bits, coding in zip(columns, depths, codings, strict=True):
        put_subframe(out, column, bits, coding)
    data = frame_header(stream, len(samples), number, stereo) + out.bytes()
    return data + crc(data, 0x8005, 16).to_bytes(2, "big")


def md5_of(samples: np.ndarray, bits: int) -> bytes:
    width = (bits + 7) // 8
    packed = samples.astype("<i8").reshape(-1).view(np.uint8).reshape(-1, 8)[:, :width].tobytes()
    return hashlib.md5(packed, usedforsecurity=False).digest()


def file(stream: Stream, frames: list[bytes], total: int, md5: bytes = bytes(16)) -> bytes:
    """STREAMINFO and frames."""
    blocks = (16 if stream.variable else stream.block, stream.block)
    info = blocks[0].to_bytes(2, "big") + blocks[1].to_bytes(2, "big") + bytes(6)
    packed = stream.sample_rate_hz << 44 | (stream.channels - 1) << 41 | (stream.bits - 1) << 36 | total
    info += packed.to_bytes(8, "big") + md5
    return b"fLaC" + bytes([0x80, 0, 0, 34]) + info + b"".join(frames)


def encode(stream: Stream, samples: np.ndarray, codings: list[Coding], stereo: str = "independent") -> bytes:
    """Samples `[frames, channels]` in blocks of the stream's size, with their MD5."""
    starts = range(0, len(samples), stream.block)
    frames = [
        frame(stream, samples[at : at + stream.block], at if stream.variable else i, codings, stereo)
        for i, at in enumerate(starts)
    ]
    return file(stream, frames, len(samples), md5_of(samples, stream.bits))
