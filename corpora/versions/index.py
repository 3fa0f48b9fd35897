"""The rows of a corpus without their sound: what deciding about all of them together needs.

Every group has `index.parquet`: all columns but the sound, and hashes of what is compared across the whole
corpus. `read_index` reads only those hashes and the few columns that repeat (as codes), about 100 bytes a row,
so that a corpus of any size can be sealed; the text itself stays on disk.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpora.audio.fingerprint import as_words
from corpora.buckets import hash64
from corpora.utterance import SCHEMA

if TYPE_CHECKING:
    import pandas as pd

_HASHES = (
    ("id_hash", pa.uint64()),
    ("text_hash", pa.uint64()),
    ("audio_hash", pa.uint64()),
    ("recording_hash", pa.uint64()),
    ("print_high", pa.uint64()),
    ("print_low", pa.uint64()),
    ("words", pa.int32()),
    ("flag_set", pa.string()),
    ("pace", pa.float32()),  # letters per second
)
INDEX_SCHEMA = pa.schema(
    [*(field for field in SCHEMA if field.name != "audio"), *(pa.field(*entry) for entry in _HASHES)]
)
_CODED = ["split", "subset", "speaker_id", "gender", "licence", "donor_id", "flag_set"]
_PLAIN = [
    "id_hash", "text_hash", "audio_hash", "recording_hash", "print_high", "print_low", "words", "duration_s", "pace",
]  # fmt: skip


def index_rows(rows: Sequence[dict[str, Any]]) -> pa.Table:
    """The index of some rows of `SCHEMA`, given as plain dictionaries (with or without their sound)."""
    words = [as_words(row["audio_fingerprint"]) for row in rows]
    hashes: dict[str, list[Any]] = {
        "id_hash": [hash64(row["utterance_id"]) for row in rows],
        "text_hash": [hash64(row["text"]) for row in rows],
        "audio_hash": [int(row["audio_sha256"][:16], 16) for row in rows],
        "recording_hash": [hash64(row["recording_id"]) for row in rows],
        "print_high": [high for high, _ in words],
        "print_low": [low for _, low in words],
        "words": [row["text"].count(" ") + 1 for row in rows],
        "flag_set": [" ".join(row["flags"]) for row in rows],
        "pace": [row["measures"]["chars_per_s"] for row in rows],
    }
    columns = [
        pa.array(
            hashes[field.name] if field.name in hashes else [row[field.name] for row in rows], field.type
        )
        for field in INDEX_SCHEMA
    ]
    return pa.Table.from_arrays(columns, schema=INDEX_SCHEMA)


def read_index(groups: Sequence[Path]) -> pd.DataFrame:
    """All rows of the groups: `_PLAIN` as numbers, `_CODED` as categories, `group` and `row` to find them.

    `recording_id` is there only when some row has no split yet: nothing else asks for it.
    """
    from corpora.versions.shards import read_table

    splits = [read_table(group / "index.parquet", ["split"])["split"] for group in groups]
    is_open = any("" in column.unique().to_pylist() for column in splits)
    coded = [*_CODED, "recording_id"] if is_open else _CODED
    tables = []
    for number, group in enumerate(groups):
        path = group / "index.parquet"
        table = read_table(path, [*_PLAIN, *coded], coded)
        table = table.append_column("group", pa.array([number] * len(table), pa.int32()))
        tables.append(table.append_column("row", pa.array(range(len(table)), pa.int32())))
    if not tables:
        import pandas as pd

        return pd.DataFrame(columns=[*_PLAIN, *_CODED, "group", "row"])
    whole: pd.DataFrame = pa.concat_tables(tables).unify_dictionaries().combine_chunks().to_pandas()
    return whole


def read_rows(groups: Sequence[Path], index: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """More columns of some rows of an index, as plain values, with the index's own row labels."""
    import pandas as pd

    from corpora.versions.shards import read_table

    frames = []
    for number, places in index.groupby("group", sort=True):
        frame = read_table(groups[int(str(number))] / "index.parquet", columns).to_pandas()
        frames.append(frame.iloc[places["row"].to_numpy()].set_axis(places.index))
    return pd.concat(frames) if frames else pd.DataFrame(columns=columns)


def mask_hash(mask: npt.NDArray[np.bool_]) -> str:
    """A short hash of which rows are meant."""
    return hashlib.sha256(mask.tobytes()).hexdigest()[:32]
