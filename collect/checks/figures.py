"""What is measured of a take beside `native.sound`: its two ends, mains hum, bursts of breath.

Figures only; what they mean for a volunteer is decided in checks.py. Everything works on int16 at 16 kHz.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from native import sound

RATE_HZ = 16_000
FRAME = 160  # 10 ms
SPEECH_BELOW_LOUD_DB = 25.0  # frames within so much of the loud ones are taken for speech …
SPEECH_ABOVE_QUIET = (
    0.4  # … if they are as far above the quiet ones, as a share of the distance between the two
)
_MAINS_HZ = (50.0, 60.0)
_HARMONICS = 6
_SECOND = RATE_HZ
_WIDE = 512
_TREBLE_BINS = slice(4400 * _WIDE // RATE_HZ, 7400 * _WIDE // RATE_HZ)

Samples = npt.NDArray[np.int16]
Levels = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Figures:
    """All that the checks look at.

    Attributes:
        duration_s; snr_db, peak_dbfs, silence_ratio, clipped_ratio, bandwidth_hz, dc_offset: see native.sound.
        loud_dbfs: level of the loud frames. lead_s, tail_s: before the first and behind the last frame of speech.
        longest_pause_s: between two frames of speech.
        hum_db: how far tones of the mains stand out of what lies beside them, in the quiet parts.
        hum_dbfs: their level. bursts: stretches at full scale that are nearly all below 150 Hz, as of breath.
        unsteadiness_db: how far levels of 50 ms spread between the first and the last frame of speech: those of
            speech do, those of noise do not.
        treble_db: how far the loud frames stand over the quiet ones above 4.4 kHz: hissing sounds do, unless the
            recording came through a telephone.
    """

    duration_s: float
    snr_db: float
    peak_dbfs: float
    silence_ratio: float
    clipped_ratio: float
    bandwidth_hz: float
    dc_offset: float
    loud_dbfs: float
    lead_s: float
    tail_s: float
    longest_pause_s: float
    hum_db: float
    hum_dbfs: float
    bursts: int
    unsteadiness_db: float
    treble_db: float

    def as_json(self) -> dict[str, float]:
        """Rounded to what means something."""
        return {name: round(float(value), 4) for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Measured:
    """Figures, and what finds copies."""

    figures: Figures
    fingerprint: str
    samples_sha256: str


def measure(samples: Samples) -> Measured:
    """All figures of a take.

    Args:
        samples: int16 `[n]` at 16 kHz, n ≥ 1.
    """
    basic = sound.figures(samples, RATE_HZ)
    levels = frame_levels(samples)
    loud = float(np.quantile(levels, 0.95))
    quiet = float(np.quantile(levels, 0.1))
    floor = max(loud - SPEECH_BELOW_LOUD_DB, quiet + SPEECH_ABOVE_QUIET * (loud - quiet), -75.0)
    speech = np.flatnonzero(levels > floor)
    lead, tail, pause = len(levels), len(levels), 0
    if len(speech):
        lead, tail = int(speech[0]), len(levels) - 1 - int(speech[-1])
        pause = int(np.max(np.diff(speech), initial=1)) - 1
    hum_db, hum_dbfs = mains_hum(samples, levels)
    figures = Figures(
        duration_s=len(samples) / RATE_HZ,
        snr_db=basic.snr_db,
        peak_dbfs=basic.peak_dbfs,
        silence_ratio=basic.silence_ratio,
        clipped_ratio=basic.clipped_ratio,
        bandwidth_hz=basic.bandwidth_hz,
        dc_offset=basic.dc_offset,
        loud_dbfs=loud,
        lead_s=lead / 100,
        tail_s=tail / 100,
        longest_pause_s=pause / 100,
        hum_db=hum_db,
        hum_dbfs=hum_dbfs,
        bursts=breath_bursts(samples),
        unsteadiness_db=unsteadiness(levels[lead : len(levels) - tail]),
        treble_db=treble(samples),
    )
    sha256 = hashlib.sha256(samples.astype("<i2").tobytes()).hexdigest()
    return Measured(figures, _fingerprint_of_speech(samples, lead, tail), sha256)


def _fingerprint_of_speech(samples: Samples, lead: int, tail: int) -> str:
    """Of what lies between the first and the last frame of speech: a playback has another silence round it."""
    speech = samples[lead * FRAME : len(samples) - tail * FRAME]
    return sound.figures(speech if len(speech) >= FRAME else samples, RATE_HZ).fingerprint


def frame_levels(samples: Samples) -> Levels:
    """Level of each 10 ms in dBFS, −120 for silence; at least one."""
    whole = samples[: max(len(samples) // FRAME * FRAME, min(len(samples), FRAME))].astype(np.float64) / 32768
    frames = whole.reshape(-1, FRAME) if len(whole) >= FRAME else whole.reshape(1, -1)
    levels: Levels = 10 * np.log10(np.mean(frames**2, axis=1) + 1e-12)
    return levels


def unsteadiness(levels: Levels) -> float:
    """Standard deviation of the levels of 50 ms, in dB; 0 for less than 100 ms."""
    if len(levels) < 10:
        return 0.0
    return float(np.std(levels[: len(levels) // 5 * 5].reshape(-1, 5).mean(axis=1)))


def treble(samples: Samples) -> float:
    """dB between the loud (95 %) and the quiet (10 %) frames of 32 ms, counted above 4.4 kHz only."""
    count = len(samples) // _WIDE
    if count < 4:
        return 0.0
    frames = samples[: count * _WIDE].reshape(count, _WIDE).astype(np.float32) / 32768
    power = np.abs(np.fft.rfft(frames * np.hanning(_WIDE).astype(np.float32), axis=1)) ** 2
    high = power[:, _TREBLE_BINS].mean(axis=1)
    low, loud = np.quantile(10 * np.log10(high + 1e-14), (0.1, 0.95))
    return float(loud - low)


def mains_hum(samples: Samples, levels: Levels) -> tuple[float, float]:
    """(dB over the neighbourhood, level in dBFS) of the tones of 50 or 60 Hz in the quietest second; (0, −120) for less.

    The tones are fixed in frequency to far below 1 Hz and go through pauses; a voice does neither.
    """
    if len(samples) < _SECOND:
        return 0.0, -120.0
    starts = np.arange(0, len(levels) - 99, 10)
    quietest = int(starts[np.argmin([float(np.mean(levels[at : at + 100])) for at in starts])]) * FRAME
    window = np.hanning(_SECOND)
    spectrum = (
        np.abs(np.fft.rfft(samples[quietest : quietest + _SECOND] / 32768.0 * window)) / window.sum() * 2
    )
    power = spectrum**2 / 2 + 1e-14  # one bin a hertz
    best, level = 0.0, -120.0
    for mains_hz in _MAINS_HZ:
        bins = [round(mains_hz * harmonic) for harmonic in range(1, _HARMONICS + 1)]
        over = [
            10
            * np.log10(
                power[b - 1 : b + 2].max() / np.median(np.r_[power[b - 12 : b - 4], power[b + 5 : b + 13]])
            )
            for b in bins
        ]
        strong = sorted(over)[-3:]
        if float(np.mean(strong)) > best:
            best = float(np.mean(strong))
            level = float(10 * np.log10(sum(power[b - 1 : b + 2].sum() for b in bins)))
    return best, level


def breath_bursts(samples: Samples) -> int:
    """How many stretches of 64 ms touch full scale with nearly all of their energy below 150 Hz."""
    size, bursts = 1024, 0
    hot = np.flatnonzero(np.abs(samples.astype(np.int32)) >= 32_000) // size
    for block in np.unique(hot):
        piece = samples[block * size : (block + 1) * size].astype(np.float64)
        if len(piece) < size:
            continue
        power = np.abs(np.fft.rfft(piece * np.hanning(size))) ** 2
        low = int(150 * size / RATE_HZ) + 1
        bursts += bool(power[1:low].sum() > 0.8 * power[1:].sum())
    return bursts
