"""Takes of our own making: syllables of a voice with hisses between them, and what a bad microphone makes of them."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
import soundfile

RATE_HZ = 16_000
Samples = npt.NDArray[np.int16]


def voice(seed: int = 1, syllables: int = 12, lead_s: float = 0.4, tail_s: float = 0.4) -> Samples:
    """About 0.2 s a syllable: a buzz of a pitch that wanders, then a hiss; quiet room noise under all of it."""
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(syllables):
        time_s = np.arange(int(rng.uniform(0.1, 0.16) * RATE_HZ)) / RATE_HZ
        pitch = rng.uniform(100, 220)
        buzz = sum(np.sin(2 * np.pi * pitch * k * time_s) / k ** rng.uniform(0.5, 1.5) for k in range(1, 20))
        shape = np.hanning(len(time_s))
        parts.append(0.12 * buzz * shape)
        hiss = rng.standard_normal(int(rng.uniform(0.03, 0.07) * RATE_HZ))
        parts.append(0.04 * hiss * np.hanning(len(hiss)))
        parts.append(np.zeros(int(rng.uniform(0.01, 0.06) * RATE_HZ)))
    sound = np.concatenate([np.zeros(int(lead_s * RATE_HZ)), *parts, np.zeros(int(tail_s * RATE_HZ))])
    sound = sound + rng.standard_normal(len(sound)) * 0.0006
    return as_int16(sound)


def as_int16(sound: npt.NDArray[np.float64]) -> Samples:
    """−1 to 1 as int16, clipped."""
    return np.clip(np.round(sound * 32767), -32768, 32767).astype(np.int16)


def wav(samples: Samples, rate_hz: int = RATE_HZ) -> bytes:
    """A WAV file."""
    out = io.BytesIO()
    soundfile.write(out, samples, rate_hz, format="WAV", subtype="PCM_16")
    return out.getvalue()
