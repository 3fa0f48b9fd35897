"""Write NIST SPHERE files: 16-bit PCM or 8-bit mu-law, interleaved channels, with a sample checksum.

Plain, or compressed as shorten_writer.py does it; reading is the business of `native.sphere`. The mu-law tables are computed
from the G.711 definition: bias 132, clip 32635, eight segments of sixteen steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from demo.shorten_writer import shorten_pcm, shorten_ulaw

Samples = npt.NDArray[np.int16]
Bytes = npt.NDArray[np.uint8]

HEADER_BYTES = 1024
_BIAS = 132
_CLIP = 32635


@cache
def ulaw_encoder() -> Bytes:
    """Table uint8 [65536]: index a sample viewed as uint16, get its mu-law byte."""
    samples = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    magnitude = np.minimum(np.abs(samples), _CLIP) + _BIAS
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 15
    sign = np.where(samples < 0, 128, 0)
    return np.asarray(255 - (sign | (exponent << 4) | mantissa), dtype=np.uint8)


@cache
def ulaw_decoder() -> Samples:
    """Table int16 [256]: the sample that each mu-law byte stands for."""
    inverted = 255 - np.arange(256, dtype=np.int32)
    exponent, mantissa = (inverted >> 4) & 7, inverted & 15
    value = ((2 * mantissa + 33) << (exponent + 2)) - _BIAS
    return np.where(inverted & 128, -value, value).astype(np.int16)


def encode_ulaw(samples: Samples) -> Bytes:
    """int16 samples of any shape -> mu-law bytes of the same shape."""
    return ulaw_encoder()[samples.view(np.uint16)]


def decode_ulaw(data: Bytes) -> Samples:
    """mu-law bytes of any shape -> int16 samples of the same shape."""
    return ulaw_decoder()[data]


@dataclass(frozen=True)
class SphereFormat:
    """How to store: `coding` "pcm" or "ulaw", byte order of PCM, extra string fields of the header.

    `shorten` compresses; the checksum stays that of the plain samples.
    """

    rate_hz: int
    coding: str = "pcm"
    big_endian: bool = False
    shorten: bool = False
    fields: Mapping[str, str] = field(default_factory=dict)


def sphere_header(samples: Samples, form: SphereFormat, checksum: int) -> bytes:
    """The 1024-byte header for int16 samples [frames, channels]."""
    pcm = form.coding == "pcm"
    order = ("10" if form.big_endian else "01") if pcm else "1"
    coding = form.coding + (",embedded-shorten-v2.00" if form.shorten else "")
    lines = [f"{key} -s{len(value.encode())} {value}" for key, value in form.fields.items()]
    lines += [
        f"channel_count -i {samples.shape[1]}",
        f"sample_count -i {samples.shape[0]}",
        f"sample_rate -i {form.rate_hz}",
        f"sample_n_bytes -i {2 if pcm else 1}",
        f"sample_byte_format -s{len(order)} {order}",
        f"sample_sig_bits -i {16 if pcm else 8}",
        f"sample_coding -s{len(coding)} {coding}",
        f"sample_checksum -i {checksum}",
    ]
    text = "\n".join(["NIST_1A", f"{HEADER_BYTES:7d}", *lines, "end_head", ""]).encode()
    if len(text) > HEADER_BYTES:
        raise ValueError(
            f"SPHERE header of {len(text)} bytes does not fit {HEADER_BYTES}: too many extra fields"
        )
    return text.ljust(HEADER_BYTES, b" ")


def sphere_bytes(samples: Samples, form: SphereFormat) -> bytes:
    """A whole SPHERE file for int16 samples [frames] or [frames, channels]."""
    frames = samples.reshape(len(samples), -1)
    if form.coding == "ulaw":
        coded = encode_ulaw(np.ascontiguousarray(frames))
        checksum = int(coded.sum(dtype=np.int64)) % 65536
        data = shorten_ulaw(coded) if form.shorten else coded.tobytes()
    elif form.coding == "pcm":
        checksum = int(frames.astype(np.int64).sum()) % 65536
        data = frames.astype(">i2" if form.big_endian else "<i2").tobytes()
        data = shorten_pcm(frames, form.big_endian) if form.shorten else data
    else:
        raise ValueError(f'SPHERE coding "{form.coding}" is not written here: use "pcm" or "ulaw"')
    return sphere_header(frames, form, checksum) + data


def write_sphere(path: Path, samples: Samples, form: SphereFormat) -> None:
    """Write int16 samples [frames] or [frames, channels] to `path`, whose directory is made when missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(sphere_bytes(samples, form))
