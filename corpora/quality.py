"""Checks of every utterance, checks of the whole corpus, and the gate before publishing.

One check is one function and one line in `CHECKS`; rejecting ones come first. Their limits stand in one table
(thresholds.py). The gate is a small Great Expectations suite on the corpus's summary: it
looks at figures, never at audio. Great Expectations is imported nowhere else in the project, and only while
the gate runs.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from corpora.faults import FAULT
from corpora.lean_import import lean
from corpora.thresholds import Thresholds

if TYPE_CHECKING:
    import pandas as pd

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

CORPUS_CHECKS = {
    "in_a_test_set": "dev or test of another corpus holds the very same sound",
    "donated_before": "another donation brought the very same sound: that copy is kept",
    "numbers_in_test": "numbers were spelled out by guess, which dev and test must not hold",
    "withdrawn": "its donor has withdrawn it",
    "duplicate_id": "an utterance with the same id came before",
    "split_bridge": "a call between speakers of different splits is left out of all of them",
    "same_audio_other_text": "the same sound appears with another text",
    "duplicate_audio": "the same sound and text appear more than once",
    "unusual_pace": "much faster or slower than this corpus is read: is it the text of another sound?",
}

# Refusals of importers, audio.py and transcript.py, in plain words for the report.
IMPORT_CHECKS = {
    FAULT: "an error of the importer itself that nobody foresaw: please report it",
    "known_defect": "a segment that is known to be wrong in this corpus",
    "conflicting_copies": "several files of one id with different contents",
    "bad_side": "a side of a call that is neither A nor B",
    "bad_channel": "a channel that the recording does not have",
    "split_leak": "a talk that is also in test or dev",
    "audio_missing": "there is text, but its recording is not in the source",
    "transcript_missing": "there is a recording, but no text belongs to it",
    "audio_ambiguous": "the text may belong to several recordings",
    "audio_empty": "the recording holds nothing",
    "audio_corrupt": "the recording is damaged",
    "checksum_mismatch": "the samples do not have the sum that the file's header states",
    "audio_truncated": "the recording was cut short",
    "audio_unreadable": "not a recording that can be read",
    "archive_truncated": "the archive itself was cut short or is damaged",
    "unsafe_member": "a member that must not be unpacked",
    "name_twice": "a file whose name stands twice in its source",
    "source_unreadable": "a file could not be read",
    "bad_line": "a line that does not have the form of its file",
    "bad_times": "a segment that ends before it begins",
    "overlapping_cue": "cues of one speaker that overlap",
    "subtitle_length": "a subtitle too short or too long to trust",
    "two_speakers": "two people at once on one channel",
    "channel_unknown": "nobody says whose channel it is",
    "text_ambiguous": "several texts for one recording",
    "needs_alignment": "text without times: it waits in quarantine",
    "unsupported_document": "a kind of document that is not read",
    "unsafe_xml": "XML with entities, which are never resolved",
    "piped_audio": "a command in place of a recording, never executed",
    "span_past_end": "a segment beyond the end of its recording",
    "encoding": "bytes that are not the encoding the file should have",
    "id_mismatch": "an id that does not fit the place it stands in",
    "empty_text": "no words",
    "noise_only": "nothing but noises or notes",
    "bad_chars": "letters that are not in the alphabet",
    "numbers": "digits, which can be read in more than one way",
    "symbol": "a sign without a certain spoken form",
    "unknown_tag": "a tag that no table knows",
    "partial_word": "a word that was not spoken in full",
    "unintelligible": "speech that nobody understood",
    "uncertain": "words the transcriber was not sure of",
    "skipped_speech": "speech that was not written down",
    "unknown_word": "a spoken word is missing in the text",
}


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


# --- the gate ----------------------------------------------------------------------------------------------

# What Great Expectations imports and a table of one row needs not: half the time it takes to start.
_NOT_ASKED = ("sqlalchemy", "boto3", "botocore", "psycopg2")
_SELDOM_ASKED = ("scipy.stats", "altair")


def run_gate(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Validate a corpus's summary with Great Expectations.

    Args:
        summary: rows, unbalanced, duplicate_ids, shared_speakers (None = not asked for: the donor chose a
            split by utterances), leaked_speakers, leaked_audio, leaked_sentences (the share beyond what is
            tolerated; see leakage.py).

    Returns:
        {"passed": bool, "expectations": [{"name", "says", "passed", "observed"}]}.
    """
    import pandas as pd

    frame = pd.DataFrame([{key: value for key, value in summary.items() if value is not None}])
    verdicts = _validate(frame, _expectations(summary))
    return {"passed": all(v["passed"] for v in verdicts), "expectations": verdicts}


def _expectations(summary: Mapping[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """(column, plain words, limits) of every expectation that applies."""
    wanted: list[tuple[str, str, dict[str, Any]]] = [
        ("rows", "at least one utterance was accepted", {"min_value": 1}),
        ("unbalanced", "input = accepted + rejected + ignored", {"min_value": 0, "max_value": 0}),
        ("duplicate_ids", "every utterance id appears once", {"max_value": 0}),
        ("shared_speakers", "no speaker is in more than one split", {"max_value": 0}),
        ("leaked_speakers", "no speaker of dev or test is in another corpus's train", {"max_value": 0}),
        ("leaked_audio", "no sound of dev or test is in any corpus's train", {"max_value": 0}),
        (
            "leaked_sentences",
            "long sentences of dev and test that are in any train stay within what is tolerated",
            {"max_value": 0},
        ),
    ]
    return [entry for entry in wanted if summary.get(entry[0]) is not None]


@lru_cache(maxsize=1)
def great_expectations() -> Any:
    """The library, imported when it is first needed: a second of CPU time."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    with lean(optional=_NOT_ASKED, later=_SELDOM_ASKED):
        import great_expectations as gx

    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)
    return gx


def _validate(frame: pd.DataFrame, wanted: list[tuple[str, str, dict[str, Any]]]) -> list[dict[str, Any]]:
    gx = great_expectations()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_pandas("summary")
    batch = source.add_dataframe_asset("corpus").add_batch_definition_whole_dataframe("all")
    suite = gx.ExpectationSuite(name="corpus")
    for column, _, limits in wanted:
        suite.add_expectation(gx.expectations.ExpectColumnValuesToBeBetween(column=column, **limits))
    result = batch.get_batch(batch_parameters={"dataframe": frame}).validate(suite)
    passed = {r.expectation_config.kwargs["column"]: bool(r.success) for r in result.results}
    return [
        {"name": column, "says": says, "passed": passed[column], "observed": frame[column].iloc[0].item()}
        for column, says, _ in wanted
    ]
