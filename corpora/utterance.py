"""The words of this package: what an utterance and a rejection are, as Arrow columns.

Start reading here. An `Utterance` is one row of a shard, a `Rejection` one row of `rejections.parquet`.
Every input item becomes exactly one of: an utterance, a rejection, or a counted reason for ignoring it.
This module describes rows; it decodes, checks and writes nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    import pyarrow as pa

    SCHEMA: pa.Schema
    REJECTIONS_SCHEMA: pa.Schema

MEASURES = (
    "snr_db",
    "peak_dbfs",
    "silence_ratio",
    "clipped_ratio",
    "bandwidth_hz",
    "dc_offset",
    "chars_per_s",
    "other_channel_db",  # null where the recording is not the two sides of a call
)

COLUMNS: tuple[tuple[str, str], ...] = (
    ("utterance_id", "string"),
    ("corpus", "string"),
    ("split", "string"),  # train | dev | test
    ("subset", "string"),  # the official part: test-clean, validated, … or ""
    ("recording_id", "string"),
    ("speaker_id", "string"),
    ("gender", "string"),  # f | m | x | null
    ("language", "string"),  # BCP 47
    ("donor_id", "string"),
    ("licence", "string"),  # SPDX where there is one
    ("audio", "audio"),  # FLAC, 16-bit mono; path = <utterance_id>.flac
    ("sample_rate_hz", "int32"),  # of audio.bytes: native up to 16000, else 16000
    ("num_samples", "int64"),
    ("duration_s", "float64"),
    ("channel", "int32"),  # from 0; side A = 0
    ("text", "string"),  # in the alphabet
    ("text_raw", "string"),  # as the source has it
    ("text_scoring", "string"),  # null = text
    ("source_path", "string"),  # the sound; relative to the source; archive.tar!/member
    ("source_start_s", "float64"),
    ("source_end_s", "float64"),
    ("audio_sha256", "string"),  # of the decoded samples as little-endian int16
    ("flags", "strings"),
    ("measures", "measures"),
    ("normaliser_version", "string"),
    ("transcript_path", "string"),  # where text_raw stands
    ("transcript_line", "int64"),  # from 1; null where lines mean nothing
    ("text_rules", "string"),  # style and policies that made text of text_raw (text_rules.py)
    ("audio_fingerprint", "string"),  # of how it sounds, see fingerprint.py; 32 hex digits
    ("first_seen", "string"),  # of the releases that were given, the first that has it; null = not told
)
"""Name and kind of every column of a shard; `SCHEMA` is the same as Arrow has it."""

REJECTION_COLUMNS: tuple[tuple[str, str], ...] = (
    ("corpus", "string"),
    ("utterance_id", "string"),
    ("source_path", "string"),
    ("line", "int64"),
    ("start_s", "float64"),
    ("end_s", "float64"),
    ("check", "string"),
    ("reason", "string"),
    ("text_raw", "string"),
    ("speaker_id", "string"),
    ("donor_id", "string"),
)


def _types() -> dict[str, pa.DataType]:
    """The Arrow type of each kind of column."""
    import pyarrow as pa

    return {
        "string": pa.string(),
        "int32": pa.int32(),
        "int64": pa.int64(),
        "float64": pa.float64(),
        "strings": pa.list_(pa.string()),
        "audio": pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())]),
        "measures": pa.struct([pa.field(name, pa.float32()) for name in MEASURES]),
    }


def _feature(name: str, kind: pa.DataType) -> dict[str, Any]:
    """One column in the notation of Hugging Face `datasets`."""
    import pyarrow as pa

    if name == "audio":
        return {"_type": "Audio"}
    if pa.types.is_struct(kind):
        return {field.name: _feature(field.name, field.type) for field in kind}
    if pa.types.is_list(kind):
        return {"feature": _feature("", kind.value_type), "_type": "List"}
    dtype = {"double": "float64", "float": "float32"}.get(str(kind), str(kind))
    return {"dtype": dtype, "_type": "Value"}


@cache
def _schemas() -> dict[str, pa.Schema]:
    import pyarrow as pa

    types = _types()
    features = {name: _feature(name, types[kind]) for name, kind in COLUMNS}
    metadata = {b"huggingface": json.dumps({"info": {"features": features}}, separators=(",", ":")).encode()}
    return {
        "SCHEMA": pa.schema([pa.field(name, types[kind]) for name, kind in COLUMNS], metadata=metadata),
        "REJECTIONS_SCHEMA": pa.schema([pa.field(name, types[kind]) for name, kind in REJECTION_COLUMNS]),
    }


SHARDS_VERSION = "4"
"""Raised whenever the same rows would be written as other bytes."""


def __getattr__(name: str) -> Any:
    """`SCHEMA` and `REJECTIONS_SCHEMA`, made when they are first asked for: Arrow costs a quarter of a second."""
    if name not in ("SCHEMA", "REJECTIONS_SCHEMA"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _schemas()[name]


class Utterance(TypedDict):
    """One row of a shard: the columns of `SCHEMA`, as plain Python values."""

    utterance_id: str
    corpus: str
    split: str
    subset: str
    recording_id: str
    speaker_id: str
    gender: str | None
    language: str
    donor_id: str | None
    licence: str
    audio: dict[str, Any]
    sample_rate_hz: int
    num_samples: int
    duration_s: float
    channel: int
    text: str
    text_raw: str
    text_scoring: str | None
    source_path: str
    source_start_s: float | None
    source_end_s: float | None
    audio_sha256: str
    flags: list[str]
    measures: dict[str, float | None]
    normaliser_version: str
    transcript_path: str
    transcript_line: int | None
    text_rules: str
    audio_fingerprint: str
    first_seen: str | None


@dataclass(frozen=True, slots=True)
class Rejection:
    """One input item that did not become an utterance, and why.

    Attributes:
        check: the short name that is counted, for example `audio_truncated`.
        reason: a sentence a person can act on, with figures.
        source_path: the file the item stands in, relative to the source.
        line: line in that file, counted from 1; None where lines mean nothing.
        start_s, end_s: span in the recording, seconds; None for whole files.
        speaker_id, donor_id: whose words they are, where that is known.
    """

    source_path: str
    check: str
    reason: str
    utterance_id: str | None = None
    line: int | None = None
    start_s: float | None = None
    end_s: float | None = None
    text_raw: str | None = None
    speaker_id: str | None = None
    donor_id: str | None = None

    def row(self, corpus: str) -> dict[str, Any]:
        """The rejection as a row of `REJECTIONS_SCHEMA`."""
        return {
            "corpus": corpus,
            "utterance_id": self.utterance_id,
            "source_path": self.source_path,
            "line": self.line,
            "start_s": self.start_s,
            "end_s": self.end_s,
            "check": self.check,
            "reason": self.reason,
            "text_raw": self.text_raw,
            "speaker_id": self.speaker_id,
            "donor_id": self.donor_id,
        }
