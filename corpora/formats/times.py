"""The one reader of times: seconds, `h:mm:ss`, milliseconds, with point or decimal comma, for all formats.

A time of a recording is finite and at least 0, and below 10⁷ s (four months): what lies beyond is damage, and
would be an identifier or an array of absurd size later. Nothing is rounded here and nothing guessed.
"""

from __future__ import annotations

import math
import re

FARTHEST_S = 1e7
_PLAIN = re.compile(
    r"([0-9]{1,15}(?:[.,][0-9]{0,40})?|[.,][0-9]{1,40})(?:[eE]([+-]?[0-9]{1,2}))?(?: ?s(?:ec)?)?"
)
_NOTHING = re.compile(r"-0+(?:[.,]0*)?")  # Praat writes -0
_CLOCK = re.compile(r"(?:([0-9]{1,4}):)?([0-9]{1,4}):([0-9]{1,2})(?:[.,]([0-9]{1,9}))?")


def believable(time_s: float) -> bool:
    """Whether a number of seconds can be a time of a recording (before shifts: it may be negative)."""
    return math.isfinite(time_s) and abs(time_s) < FARTHEST_S


def plain_seconds(text: str) -> float:
    """`12.5`, `12,5`, `1.25e1` or `12.5 s` → 12.5.

    Raises:
        ValueError: no such number, negative, not finite, or 10⁷ s and more.
    """
    said = text.strip()
    match = _PLAIN.fullmatch(said.removeprefix("-") if _NOTHING.fullmatch(said) else said)
    if match is None:
        raise ValueError(f"{_short(text)} is no time in seconds")
    value = float(f"{match[1].replace(',', '.')}e{match[2] or 0}")
    if not believable(value):
        raise ValueError(f"{_short(text)} s is no time of a recording")
    return value


def seconds(text: str) -> float:
    """A time as people write it: `83.5`, `83,5`, `1:23.5` or `0:01:23,500`.

    Raises:
        ValueError: none of these, or no time of a recording.
    """
    match = _CLOCK.fullmatch(text.strip())
    return plain_seconds(text) if match is None else clock_seconds(*match.groups())


def clock_seconds(hours: str | None, minutes: str, whole: str, fraction: str | None = None) -> float:
    """The fields of a clock as seconds.

    Raises:
        ValueError: 60 seconds or more, or 60 minutes beside hours, or no time of a recording.
    """
    if int(whole) > 59 or (hours is not None and int(minutes) > 59):
        raise ValueError(f"{hours or 0}:{minutes}:{whole} is no time of a clock")
    time_s = int(hours or 0) * 3600 + int(minutes) * 60 + float(f"{int(whole)}.{fraction or 0}")
    if not believable(time_s):
        raise ValueError(f"{hours}:{minutes}:{whole} is no time of a recording")
    return time_s


def span(start: str, end: str) -> tuple[float, float]:
    """Two times in plain seconds, the end after the start.

    Raises:
        ValueError: one is no time, negative or not finite, or the end is not after the start; says which.
    """
    try:
        start_s, end_s = float(start), float(end)
    except ValueError:
        raise ValueError(f"{start[:40]!r} and {end[:40]!r} are not both times in seconds") from None
    if not (math.isfinite(start_s) and math.isfinite(end_s)):
        raise ValueError(f"time {start[:40]} to {end[:40]} is not finite")
    if not (believable(start_s) and believable(end_s)):
        raise ValueError(f"time {start[:40]} to {end[:40]} is no time of a recording")
    if start_s < 0:
        raise ValueError(f"start {start[:40]} s is before the recording begins")
    if end_s <= start_s:
        raise ValueError(f"end {end[:40]} s is not after start {start[:40]} s")
    return start_s + 0.0, end_s


def _short(text: str) -> str:
    return repr(text.strip()[:40])
