"""Time codes that do not begin with the recording: programme starts, whole hours, drift.

Broadcasters' subtitles begin at 10:00:00:00 or wherever the programme stood on the tape. Where the first cue lies
behind the end of the recording, the stated start of the programme, else whole hours, are taken off, and that is
said. A drift is only found and said: a person puts it right with `time_stretch`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from corpora.audio.last import stated_length_s
from corpora.audio.recording import Recording
from corpora.formats.cues import Cue, Transcript, TranscriptError
from corpora.sources.source import Source

_SLACK_S = 5.0  # the last subtitle may stand a little longer than the sound
DRIFT_FROM_S = 300.0  # shorter recordings show no drift worth a word
_FRAME_S = 0.1
_LEAST_DRIFT_S = 0.8
_LEAST_LIKENESS = 0.3  # of cue times and speech, below which nothing is said about either
_SPEEDS = (25 / 24, 24 / 25)  # films at 24 and 25 pictures a second; smaller drifts show at the ends
_CLEARLY_BETTER = 0.1
_FARTHEST = 0.06  # of the length: speed-up of films is 4 %


def needed_shift(source: Source, pair: tuple[str, str], read: Callable[[], Transcript]) -> dict[str, Any]:
    """`shift_s` and `note` where the times of a transcript do not fit its recording, else nothing.

    Args:
        pair: names of the transcript and the recording.
    """
    path, recording = pair
    try:
        transcript = read()
    except TranscriptError:
        return {}  # said when it is read
    cues = [cue for cue in transcript.cues if not cue.problem and cue.start_s is not None]
    first_s = min((cue.start_s or 0.0 for cue in cues), default=0.0)
    if not cues or (first_s < 60 and not transcript.programme_start_s):
        return {}
    length_s = stated_length_s(source, recording)
    if length_s is None or first_s < length_s:
        return {}
    shift_s = shift_of(cues, length_s, transcript.programme_start_s)
    if shift_s is None:
        note = f"{path}: its first cue at {first_s:.0f} s lies behind the end of {recording} ({length_s:.0f} s), "
        return {"note": f"{note}and no whole number of hours helps: say time_offset_s in donation.toml"}
    said = "as the file states" if shift_s == transcript.programme_start_s else "whole hours"
    note = (
        f"{path}: its times begin at {first_s:.0f} s; {shift_s:.0f} s are taken off ({said}: the programme's "
    )
    return {
        "shift_s": shift_s,
        "note": f"{note}start); say time_offset_s in donation.toml to choose otherwise",
    }


def shift_of(cues: Sequence[Cue], length_s: float, programme_start_s: float | None) -> float | None:
    """Seconds to take off so that all cues lie in the recording, or None."""
    first_s = min(cue.start_s or 0.0 for cue in cues)
    last_s = max(cue.end_s or 0.0 for cue in cues)
    hours = first_s // 3600 * 3600
    for shift_s in (programme_start_s, hours, hours - 3600 if hours else None):
        if shift_s and 0 <= first_s - shift_s < length_s and last_s - shift_s <= length_s + _SLACK_S:
            return shift_s
    return None


# --- drift ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Drift:
    """How far the sound lies behind the cues near the beginning and near the end, and what would put it right."""

    start_lag_s: float
    end_lag_s: float
    stretch: float


def drift_of(cues: Sequence[Cue], recording: Recording) -> Drift | None:
    """Compare cue times with where the sound is loud, in the first and the last quarter.

    Returns:
        None where they keep pace, or where one end does not show it clearly.
    """
    speech = _activity(recording)
    if not len(speech):
        return None
    said = _spoken(cues, len(speech), 1.0)
    farthest = min(int(max(30.0, _FARTHEST * recording.duration_s) / _FRAME_S), len(speech) - 1)
    plain = _best_lag(said, speech, farthest)
    for stretch in _SPEEDS:
        found = _best_lag(_spoken(cues, len(speech), stretch), speech, farthest)
        if found[1] >= max(_LEAST_LIKENESS, plain[1] + _CLEARLY_BETTER):
            end_lag_s = (stretch - 1) * recording.duration_s
            return Drift(found[0] * _FRAME_S, found[0] * _FRAME_S + end_lag_s, round(stretch, 6))
    quarter = len(said) // 4
    lags = []
    for window in (slice(0, quarter), slice(len(said) - quarter, len(said))):
        part = np.zeros_like(said)
        part[window] = said[window]
        lag, likeness = _best_lag(part, speech, farthest)
        if likeness < _LEAST_LIKENESS:
            return None
        lags.append(lag * _FRAME_S)
    if abs(lags[1] - lags[0]) < _LEAST_DRIFT_S:
        return None
    apart_s = (len(said) - quarter) * _FRAME_S
    return Drift(lags[0], lags[1], round(1 + (lags[1] - lags[0]) / apart_s, 5))


def _spoken(cues: Sequence[Cue], frames: int, stretch: float) -> npt.NDArray[np.float64]:
    """1 where a cue says that somebody speaks, by a clock that runs `stretch` times slower."""
    said = np.zeros(frames, dtype=np.float64)
    for cue in cues:
        if cue.start_s is not None and cue.end_s is not None and not cue.problem:
            start, end = (max(0, int(at * stretch / _FRAME_S)) for at in (cue.start_s, cue.end_s))
            said[start:end] = 1.0
    return said


def _activity(recording: Recording) -> npt.NDArray[np.float64]:
    """1 where a tenth of a second is loud, 0 where it is quiet."""
    step = max(1, round(recording.sample_rate_hz * _FRAME_S))
    levels = []
    for start in range(0, len(recording.samples) - step + 1, step * 600):
        block = recording.samples[start : start + step * 600].astype(np.float32).mean(axis=1)
        frames = block[: len(block) // step * step].reshape(-1, step)
        levels.append(np.log10(np.square(frames).mean(axis=1) + 1.0))
    level = np.concatenate(levels) if levels else np.zeros(0)
    quiet, loud = np.percentile(level, (10, 90)) if len(level) else (0.0, 0.0)
    active: npt.NDArray[np.float64] = (level > (quiet + loud) / 2).astype(np.float64)
    return active


def _best_lag(
    cues: npt.NDArray[np.float64], speech: npt.NDArray[np.float64], farthest: int
) -> tuple[int, float]:
    """Frames by which the speech lies behind the cues where both are most alike, and how alike they are then."""
    if not cues.any() or speech.std() < 1e-9:
        return 0, 0.0
    size = 1 << (2 * len(cues) - 1).bit_length()
    spectrum = np.fft.rfft(speech - speech.mean(), size) * np.conj(np.fft.rfft(cues, size))
    likeness = np.fft.irfft(spectrum, size)
    lags = np.concatenate([np.arange(farthest + 1), np.arange(-farthest, 0)])
    best = int(lags[np.argmax(likeness[lags])])
    return best, float(likeness[best] / (cues.sum() * speech.std()))
