"""Compress samples by shorten (stream version 2), as LDC's discs carry it inside SPHERE files.

Polynomial prediction of order 0 to 3 by block, the cheapest one, Rice codes; all in numpy. Linear prediction,
bit shifts and the older types are written by the tests' own encoder only. Reading is the business of
`native.sphere`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

BLOCK = 256
ULAW, PCM_BIG, PCM_LITTLE = 8, 3, 5  # sample types of the stream's header
_DIFF0, _QUIT, _BLOCKSIZE, _ZERO = 0, 4, 5, 8
_BLOCKS_AT_ONCE = 2048


def shorten_ulaw(codes: npt.NDArray[np.uint8]) -> bytes:
    """A stream of mu-law bytes `[frames, channels]`."""
    numbers = codes.astype(np.int64)
    return _stream(np.where(numbers >= 128, 255 - numbers, numbers - 128), ULAW)


def shorten_pcm(samples: npt.NDArray[np.int16], big_endian: bool = False) -> bytes:
    """A stream of 16-bit samples `[frames, channels]`; the type only tells how the file was before."""
    return _stream(samples.astype(np.int64), PCM_BIG if big_endian else PCM_LITTLE)


def _stream(values: Integers, kind: int) -> bytes:
    frames, channels = values.shape
    means = 0 if kind == ULAW else 4  # as the streams of real discs; DIFF0 would need them, so pcm avoids it
    tokens = [_ulong(number) for number in (kind, channels, BLOCK, 0, means, 0)]
    history = np.concatenate([np.zeros((3, channels), np.int64), values])
    first = 0 if kind == ULAW else 1
    whole = frames // BLOCK
    bits = [_bits(np.concatenate(tokens))]
    for start in range(0, whole, _BLOCKS_AT_ONCE):
        stop = min(whole, start + _BLOCKS_AT_ONCE)
        bits.append(_bits(_blocks(history[start * BLOCK : stop * BLOCK + 3], BLOCK, first)))
    rest = frames % BLOCK
    last = [np.array([[_QUIT, 2]])]
    if rest:
        last = [
            np.array([[_BLOCKSIZE, 2]]),
            _ulong(rest),
            _blocks(history[whole * BLOCK :], rest, first),
            *last,
        ]
    bits.append(_bits(np.concatenate(last)))
    packed = np.packbits(np.concatenate(bits)).tobytes()
    return b"ajkg\x02" + packed + bytes(-len(packed) % 4)  # whole words of 32 bits behind the five bytes


def _ulong(value: int) -> Integers:
    """Two codes: the width of a number, then the number in it."""
    width = max(0, value.bit_length() - 1)
    return np.array([[width, 2], [value, width]])


def _blocks(history: Integers, size: int, first: int) -> Integers:
    """Codes `[n, 2]` (value, low bits) of whole blocks; `history` has three older samples in front."""
    x = history[3:]
    errors = np.stack(
        [
            x,
            x - history[2:-1],
            x - 2 * history[2:-1] + history[1:-2],
            x - 3 * (history[2:-1] - history[1:-2]) - history[:-3],
        ][first:]
    )
    count, channels = len(x) // size, x.shape[1]
    by_block = errors.reshape(len(errors), count, size, channels).transpose(0, 1, 3, 2)
    rows = by_block.reshape(len(errors), count * channels, size)  # a block of each channel in turn
    cost = np.abs(rows).sum(axis=2)
    order = cost.argmin(axis=0)
    at = np.arange(count * channels)
    chosen = rows[order, at]
    mean = cost[order, at] / size
    k = np.clip(np.ceil(np.log2(np.maximum(0.6931 * mean, 1e-9))), 0, 15).astype(np.int64)
    silent = (x.reshape(count, size, channels) == 0).all(axis=1).reshape(-1)
    values = np.empty((count * channels, size + 2), np.int64)
    widths = np.empty_like(values)
    values[:, 0], widths[:, 0] = np.where(silent, _ZERO, order + first + _DIFF0), 2
    values[:, 1], widths[:, 1] = k, 3
    values[:, 2:] = np.where(chosen < 0, 2 * ~chosen + 1, 2 * chosen)
    widths[:, 2:] = k[:, None] + 1
    there = np.ones_like(values, bool)
    there[silent, 1:] = False
    return np.stack([values[there], widths[there]], axis=1)


def _bits(codes: Integers) -> npt.NDArray[np.uint8]:
    """Rice codes as single bits: as many zeros as the high part says, a one, the low bits."""
    values, widths = codes[:, 0], codes[:, 1]
    zeros = values >> widths
    ends = np.cumsum(zeros + 1 + widths)
    bits = np.zeros(int(ends[-1]), np.uint8)
    bits[ends - widths - 1] = 1
    for low in range(int(widths.max(initial=0))):
        there = widths > low
        bits[ends[there] - 1 - low] = (values[there] >> low) & 1
    return bits
