"""What is expected of every row. One function, one expectation: write it below and it is asked, told and shown.

Each answers a Great Expectations expectation whose `notes` are the plain words that the report shows. Nothing here reads
a file; the library is imported when it is asked, for it takes seconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from corpora.utterance import MEASURES
from store.corpus import SPLITS

COLUMNS = [
    "utterance_id", "split", "gender", "language", "licence", "sample_rate_hz", "num_samples", "duration_s", "channel",
    "text", "speaker_id", "source_start_s", "source_end_s", "audio_sha256", "normaliser_version", "audio_fingerprint",
]  # fmt: skip
DERIVED = ("samples_off", "span_off_s")


@dataclass(frozen=True)
class Facts:
    """What a corpus says of itself: its manifest, its limits, and the letters of its alphabet."""

    manifest: Any
    thresholds: dict[str, float]
    letters: str


Maker = Callable[[Facts, Any], Any]
ROWS: list[Maker] = []


def row(make: Maker) -> Maker:
    """Ask this of every row."""
    ROWS.append(make)
    return make


def row_expectations(facts: Facts) -> list[Any]:
    """All of them for a corpus."""
    import great_expectations.expectations as gxe

    return [make(facts, gxe) for make in ROWS]


@row
def split_is_known(facts: Facts, gxe: Any) -> Any:
    return gxe.ExpectColumnValuesToBeInSet(
        column="split", value_set=list(SPLITS), notes="every row is in train, dev or test"
    )


@row
def utterances_have_names(facts: Facts, gxe: Any) -> Any:
    return gxe.ExpectColumnValueLengthsToBeBetween(
        column="utterance_id", min_value=1, max_value=1000, notes="every row has an id"
    )


@row
def durations_are_within_limits(facts: Facts, gxe: Any) -> Any:
    low, high = facts.thresholds["min_duration_s"], facts.thresholds["max_duration_s"]
    return gxe.ExpectColumnValuesToBeBetween(
        column="duration_s", min_value=low, max_value=high, notes=f"every sound lasts {low:g} to {high:g} s"
    )


@row
def samples_fit_durations(facts: Facts, gxe: Any) -> Any:
    return gxe.ExpectColumnValuesToBeBetween(
        column="samples_off",
        min_value=0,
        max_value=1,
        notes="duration = samples / sample rate, to one sample",
    )


@row
def sample_rates_are_ours(facts: Facts, gxe: Any) -> Any:
    return gxe.ExpectColumnValuesToBeBetween(
        column="sample_rate_hz",
        min_value=4000,
        max_value=16000,
        notes="no sound has more than 16 000 samples a second",
    )


@row
def texts_are_in_the_alphabet(facts: Facts, gxe: Any) -> Any:
    letters = re.escape(facts.letters)
    return gxe.ExpectColumnValuesToMatchRegex(
        column="text",
        regex=f"^[{letters}]+$",
        notes="no text is empty, and all are in the alphabet",
    )


@row
def texts_have_single_spaces(facts: Facts, gxe: Any) -> Any:
    return gxe.ExpectColumnValuesToNotMatchRegex(
        column="text", regex=r"^ | $|  ", notes="no text begins or ends with a space, or has two in a row"
    )


@row
def genders_are_known(facts: Facts, gxe: Any) -> Any:
    return gxe.ExpectColumnValuesToBeInSet(
        column="gender", value_set=["f", "m", "x"], notes="gender is f, m, x or unknown"
    )


@row
def languages_are_the_corpus_own(facts: Facts, gxe: Any) -> Any:
    return gxe.ExpectColumnValuesToBeInSet(
        column="language",
        value_set=[facts.manifest["language"]],
        notes="every row is in the language of the corpus",
    )


@row
def licences_are_told(facts: Facts, gxe: Any) -> Any:
    there = sorted(facts.manifest["licences"])
    return gxe.ExpectColumnValuesToBeInSet(
        column="licence", value_set=there, notes="every row has one of the licences that the manifest names"
    )


@row
def speakers_are_named(facts: Facts, gxe: Any) -> Any:
    return gxe.ExpectColumnValuesToNotBeNull(
        column="speaker_id", notes="every row has a speaker, even if unnamed"
    )


@row
def spans_run_forwards(facts: Facts, gxe: Any) -> Any:
    return gxe.ExpectColumnValuesToBeBetween(
        column="span_off_s",
        min_value=0,
        strict_min=True,
        notes="where a row was cut out, its end lies after its start",
    )


@row
def sound_hashes_are_hashes(facts: Facts, gxe: Any) -> Any:
    return gxe.ExpectColumnValuesToMatchRegex(
        column="audio_sha256", regex="^[0-9a-f]{64}$", notes="every sound has a SHA-256"
    )


@row
def fingerprints_are_fingerprints(facts: Facts, gxe: Any) -> Any:
    return gxe.ExpectColumnValuesToMatchRegex(
        column="audio_fingerprint",
        regex="^([0-9a-f]{32})?$",
        notes="every fingerprint of a sound has 32 hex digits",
    )


@row
def normaliser_is_one(facts: Facts, gxe: Any) -> Any:
    return gxe.ExpectColumnDistinctValuesToBeInSet(
        column="normaliser_version",
        value_set=[str(facts.manifest["normaliser_version"])],
        notes="all texts were made by the normaliser that the manifest names",
    )


@row
def peaks_are_not_above_full(facts: Facts, gxe: Any) -> Any:
    return gxe.ExpectColumnValuesToBeBetween(
        column="peak_dbfs", max_value=0.01, notes="no peak is above full scale"
    )


@row
def silence_is_a_share(facts: Facts, gxe: Any) -> Any:
    return gxe.ExpectColumnValuesToBeBetween(
        column="silence_ratio", min_value=0, max_value=1, notes="silence is a share of the sound"
    )


@row
def clipping_is_a_share(facts: Facts, gxe: Any) -> Any:
    return gxe.ExpectColumnValuesToBeBetween(
        column="clipped_ratio", min_value=0, max_value=1, notes="clipping is a share of the samples"
    )


@row
def bandwidths_fit_the_rate(facts: Facts, gxe: Any) -> Any:
    return gxe.ExpectColumnValuesToBeBetween(
        column="bandwidth_hz", min_value=0, max_value=8000, notes="no sound is wider than half of 16 000 Hz"
    )


@row
def paces_are_human(facts: Facts, gxe: Any) -> Any:
    high = facts.thresholds["fast_chars_per_s"]
    return gxe.ExpectColumnValuesToBeBetween(
        column="chars_per_s", min_value=0, max_value=2 * high, mostly=0.99,
        notes=f"99 % of the rows are spoken with fewer than {2 * high:g} letters a second",
    )  # fmt: skip


def prepared(frame: Any) -> Any:
    """The rows as the expectations take them: measures as columns, and the derived ones."""
    frame = frame.rename(columns={f"measures.{name}": name for name in MEASURES})
    frame["samples_off"] = (frame["num_samples"] - frame["duration_s"] * frame["sample_rate_hz"]).abs()
    frame["span_off_s"] = frame["source_end_s"] - frame["source_start_s"]
    frame["normaliser_version"] = frame["normaliser_version"].astype(str)
    return frame
