"""What stops a take before anybody has to listen to it, in the order in which a person can act on it.

One check is one function and one line in `CHECKS`. What it says to the volunteer stands in the files of texts/ under
`check_<name>`; the values it answers fill the sentence. The limits of the corpora (`min_duration_s`, `clipped_ratio`,
CTC fit …) are asked of corpora; what only the service knows stands here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from collect.checks.figures import Figures
from corpora.quality.checks import ctc_frames, ctc_needed
from corpora.quality.thresholds import Thresholds

RATE_HZ = 16_000
_LIMITS = Thresholds()
LEAST_S = 0.6
NOBODY_DBFS = -50.0
QUIET_DBFS = -42.0
CLIPPED_RATIO = 0.0005
BURSTS = 3
CUT_S = 0.015
LONG_END_S = 5.0
LONG_PAUSE_S = 3.0
LEAST_SNR_DB = 12.0
STEADY_DB = 3.0
TREBLE_DB = 4.5
HUM_DB = 22.0
HUM_DBFS = -52.0
FAST = _LIMITS.fast_chars_per_s  # letters per second between the first and the last sound
SLOW = _LIMITS.slow_chars_per_s

Values = dict[str, float]


@dataclass(frozen=True)
class Take:
    """What a check looks at: figures, and the text in the alphabet."""

    figures: Figures
    spoken: str

    @property
    def speech_s(self) -> float:
        """From the first to the last sound."""
        return max(0.01, self.figures.duration_s - self.figures.lead_s - self.figures.tail_s)

    @property
    def letters_per_s(self) -> float:
        return len(self.spoken) / self.speech_s


Test = Callable[[Take], Values | None]


@dataclass(frozen=True)
class Check:
    """A check by name; the test answers the values of its sentence, or None where the take passes."""

    name: str
    test: Test


def _when(hit: bool, **values: float) -> Values | None:
    return {name: round(value, 2) for name, value in values.items()} if hit else None


def _empty(t: Take) -> Values | None:
    return _when(t.figures.duration_s < LEAST_S, seconds=t.figures.duration_s)


def _silent(t: Take) -> Values | None:
    return _when(t.figures.loud_dbfs < NOBODY_DBFS, level=t.figures.loud_dbfs)


def _clipped(t: Take) -> Values | None:
    return _when(t.figures.clipped_ratio > CLIPPED_RATIO, share=100 * t.figures.clipped_ratio)


def _breath(t: Take) -> Values | None:
    return _when(t.figures.bursts >= BURSTS, count=t.figures.bursts)


def _steady(t: Take) -> Values | None:
    return _when(t.figures.unsteadiness_db < STEADY_DB, decibels=t.figures.unsteadiness_db)


def _hum(t: Take) -> Values | None:
    hit = t.figures.hum_db > HUM_DB and t.figures.hum_dbfs > max(HUM_DBFS, t.figures.loud_dbfs - 35.0)
    return _when(hit, decibels=t.figures.hum_db)


def _noisy(t: Take) -> Values | None:
    return _when(t.figures.snr_db < LEAST_SNR_DB, decibels=t.figures.snr_db)


def _quiet(t: Take) -> Values | None:
    return _when(t.figures.loud_dbfs < QUIET_DBFS, level=t.figures.loud_dbfs)


def _narrow(t: Take) -> Values | None:
    return _when(t.figures.treble_db < TREBLE_DB, hertz=t.figures.bandwidth_hz)


def _offset(t: Take) -> Values | None:
    return _when(abs(t.figures.dc_offset) > _LIMITS.dc_offset, share=100 * t.figures.dc_offset)


def _begin_cut(t: Take) -> Values | None:
    return _when(t.figures.lead_s <= CUT_S, seconds=t.figures.lead_s)


def _end_cut(t: Take) -> Values | None:
    return _when(t.figures.tail_s <= CUT_S, seconds=t.figures.tail_s)


def _late(t: Take) -> Values | None:
    return _when(t.figures.lead_s > LONG_END_S, seconds=t.figures.lead_s)


def _long_tail(t: Take) -> Values | None:
    return _when(t.figures.tail_s > LONG_END_S, seconds=t.figures.tail_s)


def _pause(t: Take) -> Values | None:
    return _when(t.figures.longest_pause_s > LONG_PAUSE_S, seconds=t.figures.longest_pause_s)


def _fast(t: Take) -> Values | None:
    frames = ctc_frames(int(t.speech_s * RATE_HZ), RATE_HZ)
    return _when(frames < ctc_needed(t.spoken) or t.letters_per_s > FAST, letters=t.letters_per_s)


def _slow(t: Take) -> Values | None:
    return _when(t.letters_per_s < SLOW, letters=t.letters_per_s)


CHECKS = (
    Check("empty", _empty),
    Check("silent", _silent),
    Check("clipped", _clipped),
    Check("breath", _breath),
    Check("steady", _steady),
    Check("hum", _hum),
    Check("noisy", _noisy),
    Check("quiet", _quiet),
    Check("dc_offset", _offset),
    Check("begin_cut", _begin_cut),
    Check("end_cut", _end_cut),
    Check("late", _late),
    Check("long_tail", _long_tail),
    Check("pause", _pause),
    Check("fast", _fast),
    Check("slow", _slow),
    Check("narrow", _narrow),
)
# Stopped elsewhere: by the decoder, because the sound is known already, or because the network heard something else.
OTHER_NAMES = ("wrong_type", "undecodable", "too_long", "copy", "doubt")


def first_hit(take: Take) -> tuple[str, Values] | None:
    """The first check that stops a take, with the values of its sentence."""
    for check in CHECKS:
        values = check.test(take)
        if values is not None:
            return check.name, values
    return None
