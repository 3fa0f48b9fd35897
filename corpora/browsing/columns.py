"""What the browser knows of a row, in one table: which columns there are, of what kind, and where they come from.

An index has one row per utterance and per rejection. Search, sorting, filters, the CSV and the page follow this table;
a further column is one line here.
"""

from __future__ import annotations

from dataclasses import dataclass

from corpora.utterance import MEASURES

INDEX_VERSION = "1"
"""Raised whenever an index of earlier days could not be used any more."""


@dataclass(frozen=True)
class Column:
    """One column of an index.

    Attributes:
        sql: its type. says: for people, in the lists of filters and sort keys.
        of_row, of_rejection: an SQL expression over the columns of a shard or of `rejections.parquet`.
        shown: whether it is sent with a list of rows.
    """

    name: str
    sql: str
    says: str
    of_row: str
    of_rejection: str = "NULL"
    shown: bool = True

    @property
    def is_number(self) -> bool:
        """Whether it can be filtered from … to …"""
        return self.sql in ("FLOAT", "DOUBLE", "INTEGER", "BIGINT")


def _same(name: str, sql: str, says: str, shown: bool = True) -> Column:
    return Column(name, sql, says, name, name, shown)


_MEASURE_SAYS = {
    "snr_db": "SNR, dB",
    "peak_dbfs": "peak, dBFS",
    "silence_ratio": "share of silence",
    "clipped_ratio": "share clipped",
    "bandwidth_hz": "bandwidth, Hz",
    "dc_offset": "DC offset",
    "chars_per_s": "letters per second",
    "other_channel_db": "other side, dB",
}
DOUBTS = {
    "doubt": "doubt",
    "doubt_fit": "fit of the text, nats a letter",
    "doubt_worst": "fit of the worst word, nats a letter",
    "doubt_cer": "letters heard otherwise",
    "doubt_missing": "words heard, not written",
    "doubt_added": "words written, not heard",
    "doubt_length": "letters per second against what is usual",
}
"""Figures of a table of doubt (training/doubt), as they are called here; empty where nobody has doubted yet."""
HEARD = "doubt_heard"
"""What the network heard, beside them."""

COLUMNS = (
    _same("utterance_id", "VARCHAR", "id"),
    Column("split", "VARCHAR", "split", "split"),
    Column("subset", "VARCHAR", "part", "subset", shown=False),
    _same("speaker_id", "VARCHAR", "speaker"),
    _same("donor_id", "VARCHAR", "donor"),
    Column("gender", "VARCHAR", "gender", "gender", shown=False),
    Column("language", "VARCHAR", "language", "language", shown=False),
    Column("recording_id", "VARCHAR", "recording", "recording_id", shown=False),
    Column("text", "VARCHAR", "text", "text"),
    Column("text_raw", "VARCHAR", "text as the source has it", "nullif(text_raw, text)", "text_raw"),
    Column("flags", "VARCHAR", "flags", "' ' || array_to_string(flags, ' ') || ' '"),
    Column("check", "VARCHAR", "refused by", "NULL", '"check"'),
    Column("reason", "VARCHAR", "reason", "NULL", "reason"),
    _same("source_path", "VARCHAR", "source file"),
    Column("start_s", "DOUBLE", "from, s", "source_start_s", "start_s"),
    Column("end_s", "DOUBLE", "to, s", "source_end_s", "end_s"),
    Column(
        "transcript_path",
        "VARCHAR",
        "transcript",
        "nullif(transcript_path, source_path)",
        shown=False,
    ),
    Column("line", "BIGINT", "line", "transcript_line", "line"),
    Column("duration_s", "FLOAT", "length, s", "duration_s", "end_s - start_s"),
    *(
        Column(name, "FLOAT", _MEASURE_SAYS[name], f"measures.{name}", shown=name == "snr_db")
        for name in MEASURES
    ),
    *(Column(name, "FLOAT", says, f"d.{name}", shown=name == "doubt") for name, says in DOUBTS.items()),
    Column(HEARD, "VARCHAR", "heard by the network", f"d.{HEARD}", shown=False),
)
BY_NAME = {column.name: column for column in COLUMNS}
FACETS = ("split", "subset", "speaker_id", "donor_id", "gender", "language", "check")
"""Columns whose values are offered for choice, with how many rows have them; flags are offered one by one."""

READ = [
    "utterance_id", "split", "subset", "speaker_id", "donor_id", "gender", "language", "recording_id", "text", "text_raw",
    "flags", "source_path", "source_start_s", "source_end_s", "transcript_path", "transcript_line", "duration_s",
    "measures", "audio_sha256",
]  # fmt: skip
