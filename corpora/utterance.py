"""The words of this package: what an utterance and a rejection are, as Arrow columns.

Start reading here. An `Utterance` is one row of a shard, a `Rejection` one row of `rejections.parquet`.
Every input item becomes exactly one of: an utterance, a rejection, or a counted reason for ignoring it.
This module describes rows; it decodes, checks and writes nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, TypedDict

import pyarrow as pa

AUDIO_TYPE = pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())])

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
MEASURES_TYPE = pa.struct([pa.field(name, pa.float32()) for name in MEASURES])

_COLUMNS: tuple[tuple[str, pa.DataType], ...] = (
    ("utterance_id", pa.string()),
    ("corpus", pa.string()),
    ("split", pa.string()),  # train | dev | test
    ("subset", pa.string()),  # the official part: test-clean, validated, … or ""
    ("recording_id", pa.string()),
    ("speaker_id", pa.string()),
    ("gender", pa.string()),  # f | m | x | null
    ("language", pa.string()),  # BCP 47
    ("donor_id", pa.string()),
    ("licence", pa.string()),  # SPDX where there is one
    ("audio", AUDIO_TYPE),  # FLAC, 16-bit mono; path = <utterance_id>.flac
    ("sample_rate_hz", pa.int32()),  # of audio.bytes: native up to 16000, else 16000
    ("num_samples", pa.int64()),
    ("duration_s", pa.float64()),
    ("channel", pa.int32()),  # from 0; side A = 0
    ("text", pa.string()),  # in the alphabet
    ("text_raw", pa.string()),  # as the source has it
    ("text_scoring", pa.string()),  # null = text
    ("source_path", pa.string()),  # the sound; relative to the source; archive.tar!/member
    ("source_start_s", pa.float64()),
    ("source_end_s", pa.float64()),
    ("audio_sha256", pa.string()),  # of the decoded samples as little-endian int16
    ("flags", pa.list_(pa.string())),
    ("measures", MEASURES_TYPE),
    ("normaliser_version", pa.string()),
    ("transcript_path", pa.string()),  # where text_raw stands
    ("transcript_line", pa.int64()),  # from 1; null where lines mean nothing
    ("text_rules", pa.string()),  # style and policies that made text of text_raw (text_rules.py)
    ("audio_fingerprint", pa.string()),  # of how it sounds, see fingerprint.py; 32 hex digits
)


def _feature(name: str, kind: pa.DataType) -> dict[str, Any]:
    """One column in the notation of Hugging Face `datasets`."""
    if name == "audio":
        return {"_type": "Audio"}
    if pa.types.is_struct(kind):
        return {field.name: _feature(field.name, field.type) for field in kind}
    if pa.types.is_list(kind):
        return {"feature": _feature("", kind.value_type), "_type": "List"}
    dtype = {"double": "float64", "float": "float32"}.get(str(kind), str(kind))
    return {"dtype": dtype, "_type": "Value"}


def _metadata() -> dict[bytes, bytes]:
    features = {name: _feature(name, kind) for name, kind in _COLUMNS}
    return {b"huggingface": json.dumps({"info": {"features": features}}, separators=(",", ":")).encode()}


SCHEMA: pa.Schema = pa.schema([pa.field(name, kind) for name, kind in _COLUMNS], metadata=_metadata())

REJECTIONS_SCHEMA: pa.Schema = pa.schema(
    [
        pa.field("corpus", pa.string()),
        pa.field("utterance_id", pa.string()),
        pa.field("source_path", pa.string()),
        pa.field("line", pa.int64()),
        pa.field("start_s", pa.float64()),
        pa.field("end_s", pa.float64()),
        pa.field("check", pa.string()),
        pa.field("reason", pa.string()),
        pa.field("text_raw", pa.string()),
        pa.field("speaker_id", pa.string()),
        pa.field("donor_id", pa.string()),
    ]
)


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


@dataclass(frozen=True)
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
