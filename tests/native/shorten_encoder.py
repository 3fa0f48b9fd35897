"""An encoder of the shorten streams in SPHERE files, so that tests need no recording of anybody.

Each block is coded by a command that the seed picks; the state (history, means, bit shift) follows the
format's rules. Knows versions 1 and 2, mu-law (types 8 and 0), 8-bit and 16-bit samples.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

DIFF0, QUIT, BLOCKSIZE, BITSHIFT, QLPC, ZERO, VERBATIM = 0, 4, 5, 6, 7, 8, 9


@dataclass
class Stream:
    """What a stream's header says."""

    type: int
    channels: int = 1
    block: int = 256
    order: int = 4
    means: int = 4
    version: int = 2
    bit_shift: int = 0


def truncated(number: int, by: int) -> int:
    """Division towards zero."""
    return -(-number // by) if number < 0 else number // by


def ulaw_rank(code: int) -> int:
    """How many bits of shift a mu-law code stands; -1 for negative zero."""
    if code in (0xFF, 0x7F):
        return 12 if code == 0xFF else -1
    exponent, mantissa = (~code >> 4) & 7, ~code & 15
    low = ((16 + mantissa) << exponent) - 16
    high = 4096 if code == 0 else ((17 + mantissa) << exponent) - 17
    return max(b for b in range(13) if any(n % 2**b == 0 for n in range(low, high + 1)))


def ulaw_values(stream: Stream) -> dict[int, int]:
    """The stream's value of every mu-law byte that can be said at its bit shift."""
    ranks = [ulaw_rank(code) for code in range(256)]
    negative, positive = range(0x80), range(0xFF, 0x7F, -1)
    b = stream.bit_shift
    row = [c for c in negative if ranks[c] < b] + [c for c in negative if ranks[c] >= b]
    row += [c for c in positive if ranks[c] >= b] + [c for c in positive if ranks[c] < b]
    if stream.type == 0:
        return {code: index - 128 for index, code in enumerate(row)}
    values = {
        code: index - (128 if index >= 128 else 129) for index, code in enumerate(row) if ranks[code] >= b
    }
    return {**values, 0x7F: -1}


@dataclass
class Bits:
    """A growing bit string, most significant bit first."""

    text: list[str] = field(default_factory=list)

    def uvar(self, k: int, value: int) -> None:
        self.text.append("0" * (value >> k) + "1")
        if k:
            self.text.append(format(value & ((1 << k) - 1), f"0{k}b"))

    def svar(self, k: int, value: int) -> None:
        self.uvar(k + 1, (~value << 1) | 1 if value < 0 else value << 1)

    def ulong(self, value: int) -> None:
        k = max(0, value.bit_length() - 1)
        self.uvar(2, k)
        self.uvar(k, value)

    def bytes(self) -> bytes:
        text = "".join(self.text)
        text += "0" * (-len(text) % 32)
        return int(text, 2).to_bytes(len(text) // 8, "big") if text else b""


class Encoder:
    """One stream; `encode` gives its bytes."""

    def __init__(self, stream: Stream, seed: int) -> None:
        self.stream = stream
        self.random = random.Random(seed)
        self.bits = Bits()
        self.history = max(3, stream.order)
        start = 0x80 if stream.type == 2 else 0
        self.past = [[0] * self.history for _ in range(stream.channels)]
        self.means = [[start] * max(1, stream.means) for _ in range(stream.channels)]

    def encode(self, values: npt.NDArray[np.int64]) -> bytes:
        """Stream of `values` `[samples, channels]`, already divided by the bit shift."""
        stream = self.stream
        for number in (stream.type, stream.channels, stream.block, stream.order, stream.means, 0):
            self.bits.ulong(number)
        if stream.bit_shift:
            self.bits.uvar(2, BITSHIFT)
            self.bits.uvar(2, stream.bit_shift)
        size = stream.block
        for start in range(0, len(values), stream.block):
            rows = values[start : start + stream.block]
            if len(rows) != size:
                size = len(rows)
                self.bits.uvar(2, BLOCKSIZE)
                self.bits.ulong(size)
            for channel in range(stream.channels):
                self.block(channel, [int(value) for value in rows[:, channel]])
        if self.random.random() < 0.3:
            self.bits.uvar(2, VERBATIM)
            self.bits.uvar(5, 2)
            self.bits.uvar(8, 7)
            self.bits.uvar(8, 9)
        self.bits.uvar(2, QUIT)
        return b"ajkg" + bytes([stream.version]) + self.bits.bytes()

    def offset(self, channel: int) -> int:
        stream = self.stream
        if stream.means == 0:
            return self.means[channel][0]
        rounding = stream.means // 2 if stream.version >= 2 else 0
        mean = truncated(rounding + sum(self.means[channel]), stream.means)
        return mean >> stream.bit_shift if stream.version >= 2 else mean

    def block(self, channel: int, x: list[int]) -> None:
        choice = self.random.choice([0, 1, 2, 3, QLPC])
        past = self.past[channel]
        if not any(x):
            self.bits.uvar(2, ZERO)
        elif choice == QLPC:
            past = self.linear(past, x, self.offset(channel))
        else:
            self.difference(choice, past, x, self.offset(channel))
        if self.stream.means:
            rounding = len(x) // 2 if self.stream.version >= 2 else 0
            mean = truncated(rounding + sum(x), len(x))
            mean = mean << self.stream.bit_shift if self.stream.version >= 2 else mean
            self.means[channel] = [*self.means[channel][1:], mean]
        self.past[channel] = (past + x)[-self.history :]

    def residuals(self, numbers: list[int]) -> int:
        """Picks k for the numbers to come."""
        return max(0, (sum(map(abs, numbers)) // len(numbers) + 1).bit_length() - 1)

    def difference(self, command: int, past: list[int], x: list[int], offset: int) -> None:
        line = past + x
        errors = []
        for i in range(len(past), len(line)):
            guess = [
                offset,
                line[i - 1],
                2 * line[i - 1] - line[i - 2],
                3 * (line[i - 1] - line[i - 2]) + line[i - 3],
            ][command]
            errors.append(line[i] - guess)
        k = self.residuals(errors)
        self.bits.uvar(2, command)
        self.bits.uvar(3, k)
        for error in errors:
            self.bits.svar(k, error)

    def linear(self, past: list[int], x: list[int], offset: int) -> list[int]:
        order = self.random.randint(0, self.history)
        coefficients = [self.random.randint(-40, 60) for _ in range(order)]
        kept = past[: len(past) - order] + [value - offset for value in past[len(past) - order :]]
        line = kept + [value - offset for value in x]
        errors = []
        for i in range(len(kept), len(line)):
            total = 32 if self.stream.version >= 2 else 0
            total += sum(c * line[i - 1 - j] for j, c in enumerate(coefficients))
            errors.append(line[i] - (total >> 5))
        k = self.residuals(errors)
        self.bits.uvar(2, QLPC)
        self.bits.uvar(3, k)
        self.bits.uvar(2, order)
        for coefficient in coefficients:
            self.bits.svar(5, coefficient)
        for error in errors:
            self.bits.svar(k, error)
        return kept
