"""Checks of every utterance, and checks of the whole corpus.

One check is one function and one line in `CHECKS`; rejecting ones come first. Their limits stand in one table
(thresholds.py). Nothing is decoded here, and the gate before publishing stands in gate.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from corpora.quality.thresholds import Thresholds

if TYPE_CHECKING:
    import pandas as pd

# The front end that an utterance must have frames enough for; training.network.config takes its defaults from here.
CTC_RATE_HZ = 16_000
CTC_WINDOW = 512  # samples, 32 ms
CTC_STEP = 320  # samples, 20 ms


@dataclass(frozen=True)
class Subject:
    """What a check looks at."""

    text: str
    num_samples: int
    sample_rate_hz: int
    measures: Mapping[str, Any]

    @property
    def duration_s(self) -> float:
        return self.num_samples / self.sample_rate_hz


Test = Callable[[Subject, Thresholds], str | None]


@dataclass(frozen=True)
class Check:
    """A check by name: whether it rejects or flags, what it says to people, and its test.

    The test returns the reason with figures, or None where the utterance passes.
    """

    name: str
    rejects: bool
    says: str
    test: Test


def ctc_frames(num_samples: int, sample_rate_hz: int) -> int:
    """Frames of the network for a clip, counted after resampling to 16 kHz."""
    samples = round(num_samples * CTC_RATE_HZ / sample_rate_hz)
    return max(0, 1 + (samples - CTC_WINDOW) // CTC_STEP)


def ctc_needed(text: str) -> int:
    """Frames CTC needs at least: one per letter and one between equal neighbours."""
    return len(text) + sum(a == b for a, b in pairwise(text))


def _too_short(s: Subject, t: Thresholds) -> str | None:
    return f"{s.duration_s:.3f} s, at least {t.min_duration_s} s" if s.duration_s < t.min_duration_s else None


def _too_long(s: Subject, t: Thresholds) -> str | None:
    return (
        f"{s.duration_s:.1f} s, at most {t.max_duration_s:.0f} s" if s.duration_s > t.max_duration_s else None
    )


def _all_zero(s: Subject, t: Thresholds) -> str | None:
    return "every sample is zero" if s.measures["peak_dbfs"] <= -119.0 else None


def _ctc_misfit(s: Subject, t: Thresholds) -> str | None:
    frames = ctc_frames(s.num_samples, s.sample_rate_hz)
    if frames >= 2 * len(s.text):  # enough for any text of that length
        return None
    needed = ctc_needed(s.text)
    return f"{len(s.text)} letters need {needed} frames, the sound has {frames}" if frames < needed else None


def _slow(s: Subject, t: Thresholds) -> str | None:
    rate = s.measures["chars_per_s"]
    return f"{rate:.1f} letters per second" if rate < t.slow_chars_per_s else None


def _fast(s: Subject, t: Thresholds) -> str | None:
    rate = s.measures["chars_per_s"]
    return f"{rate:.1f} letters per second" if rate > t.fast_chars_per_s else None


def _silent(s: Subject, t: Thresholds) -> str | None:
    share = s.measures["silence_ratio"]
    return f"{share:.0%} silence" if share > t.silence_ratio else None


def _clipped(s: Subject, t: Thresholds) -> str | None:
    share = s.measures["clipped_ratio"]
    return f"{share:.2%} of samples clipped" if share > t.clipped_ratio else None


def _noisy(s: Subject, t: Thresholds) -> str | None:
    return f"SNR {s.measures['snr_db']:.0f} dB" if s.measures["snr_db"] < t.snr_db else None


def _quiet(s: Subject, t: Thresholds) -> str | None:
    peak = s.measures["peak_dbfs"]
    return f"peak {peak:.0f} dBFS" if peak < t.quiet_dbfs else None


def _narrow(s: Subject, t: Thresholds) -> str | None:
    band = s.measures["bandwidth_hz"]
    return (
        f"nothing above {band:.0f} Hz"
        if s.sample_rate_hz >= CTC_RATE_HZ and band < t.narrow_band_hz
        else None
    )


def _offset(s: Subject, t: Thresholds) -> str | None:
    offset = s.measures["dc_offset"]
    return f"mean {offset:+.3f} of full scale" if abs(offset) > t.dc_offset else None


def _swapped(s: Subject, t: Thresholds) -> str | None:
    louder_db = s.measures.get("other_channel_db")
    if louder_db is None or louder_db <= t.swapped_db:
        return None
    return f"the other side of the call is {louder_db:.0f} dB louder"


CHECKS = (
    Check("too_short", True, "shorter than any word", _too_short),
    Check("too_long", True, "too long to train on", _too_long),
    Check("all_zero", True, "digital silence", _all_zero),
    Check(
        "ctc_misfit", True, "more letters than the sound has frames: wrong text or wrong times", _ctc_misfit
    ),
    Check("slow_speech", False, "few letters for so long a sound: words may be missing in the text", _slow),
    Check("fast_speech", False, "many letters for so short a sound: the text may be of another place", _fast),
    Check("mostly_silent", False, "mostly silence", _silent),
    Check("clipped", False, "overdriven", _clipped),
    Check("noisy", False, "little difference between loud and quiet", _noisy),
    Check("quiet", False, "very low level", _quiet),
    Check("narrow_band", False, "telephone sound stored at 16 kHz", _narrow),
    Check("dc_offset", False, "the wave does not swing round zero", _offset),
    Check(
        "maybe_swapped", False, "the other side of the call speaks here: text of the other side?", _swapped
    ),
)


def check_utterance(subject: Subject, thresholds: Thresholds) -> tuple[tuple[str, str] | None, list[str]]:
    """(check, reason) of the first rejecting check that hits, and the names of all flags."""
    flags = []
    for check in CHECKS:
        reason = check.test(subject, thresholds)
        if reason is not None and check.rejects:
            return (check.name, reason), []
        if reason is not None:
            flags.append(check.name)
    return None, flags


def check_corpus(index: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """What only the whole corpus shows.

    Args:
        index: one row per utterance: utterance_id, audio_sha256, text.

    Returns:
        Per row the name of the check that rejects it ("" = none), and whether it is a repeated sound.
    """
    import pandas as pd

    verdict = pd.Series("", index=index.index, dtype=object)
    texts = index.groupby("audio_sha256")["text"].transform("nunique")
    verdict[texts > 1] = "same_audio_other_text"
    verdict[index.duplicated("utterance_id", keep="first")] = "duplicate_id"
    repeated = index.duplicated("audio_sha256", keep="first") & (verdict == "")
    return verdict, repeated


_UNFINISHED = "last_line_unfinished"
_FILES_A_CUT_ONE = 3


def cut_texts(index: pd.DataFrame) -> pd.Series:
    """Rows whose text is the last line of a file, without its end, where most files of the corpus end their lines.

    Args:
        index: `flag_set` and `recording_hash` of one row per utterance. Where more than a third of the recordings has such
            a line, their writer ends no file: nothing is doubted.
    """
    unfinished = index["flag_set"].astype(str).str.contains(_UNFINISHED, regex=False)
    few = _FILES_A_CUT_ONE * int(unfinished.sum()) <= index["recording_hash"].nunique()
    return unfinished & few


# --- the gate ----------------------------------------------------------------------------------------------
