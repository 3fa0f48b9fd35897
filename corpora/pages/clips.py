"""The rows that a page lets one hear: a few accepted ones and a few of every flag, always the same for the same corpus.

The sounds stand inside the page, so they have a room that they share: what does not fit is shown without its sound.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from corpora.pages.pictures import picture_of
from corpora.quality.checks import CHECKS
from store.corpus import Corpus
from store.pages.numbers import count

ACCEPTED_SHOWN = 6
PER_FLAG_SHOWN = 2
FLAGGED_SHOWN = 16
LONGEST_SHOWN_S = 15.0
SOUNDS_BYTES = 850_000  # of all sounds of a page as its text holds them
TEXT_SHOWN = 400  # letters
_CANDIDATES = 4  # times as many as are shown; the shortest of them are, so that more sounds fit
_OTHER_FLAGS = ("duplicate_audio", "unusual_pace", "has_noise_tag", "end_trimmed")


def clips_of(corpus: Corpus, table: pd.DataFrame) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What the page needs to show and play of some flagged and of some accepted rows.

    Args:
        table: utterance_id, flags, duration_s, split, speaker_id, text, and the places shard and row.
    """
    rows = table.loc[_flagged(table)], table.loc[_some(table, np.arange(len(table)), ACCEPTED_SHOWN)]
    left = SOUNDS_BYTES
    shown: list[list[dict[str, Any]]] = []
    for some in rows:
        shown.append([])
        for row in records(some):
            clip = _clip(corpus, row)
            if len(clip["sound"]) > left:
                clip["sound"] = ""
            left -= len(clip["sound"])
            shown[-1].append(clip)
    return shown[0], shown[1]


def records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dictionaries by column."""
    return [{str(key): value for key, value in row.items()} for row in rows.to_dict("records")]


def clipped(text: str) -> str:
    """As much of a text as a page shows."""
    return text if len(text) <= TEXT_SHOWN else f"{text[:TEXT_SHOWN]} … ({count(len(text))} letters)"


def _some(table: pd.DataFrame, places: np.ndarray[Any, Any], wanted: int) -> list[int]:
    """The short ones among a few rows that their names' hashes choose."""
    seconds = table["duration_s"].to_numpy(dtype=float)
    short = places[seconds[places] <= LONGEST_SHOWN_S]
    names = table["utterance_id"].iloc[short].to_numpy(dtype=object)
    order = short[np.argsort(pd.util.hash_array(names, categorize=False), kind="stable")]
    chosen = order[: wanted * _CANDIDATES]
    return [int(place) for place in chosen[np.argsort(seconds[chosen], kind="stable")][:wanted]]


def _flagged(table: pd.DataFrame) -> list[int]:
    """Two rows for each flag that a check gives."""
    flags = table["flags"].to_numpy(dtype=object)
    counts = np.fromiter(map(len, flags), int, len(flags))
    if not counts.any():
        return []
    names, owners = np.concatenate(flags), np.repeat(np.arange(len(flags)), counts)
    chosen: list[int] = []
    for name in (*(check.name for check in CHECKS if not check.rejects), *_OTHER_FLAGS):
        found = _some(table, owners[names == name], PER_FLAG_SHOWN)
        chosen += [place for place in found if place not in chosen]
    return chosen[:FLAGGED_SHOWN]


def _clip(corpus: Corpus, row: dict[str, Any]) -> dict[str, Any]:
    held = _read(corpus.shard_paths()[row["shard"]], row["row"])
    flac = held["audio"]["bytes"]
    return {
        "id": row["utterance_id"],
        "speaker": row["speaker_id"],
        "split": row["split"],
        "duration_s": row["duration_s"],
        "text": clipped(row["text"]),
        "raw": clipped(held["text_raw"]),
        "flags": list(row["flags"]),
        "place": held["source_path"],
        "sound": "data:audio/flac;base64," + base64.b64encode(flac).decode(),
        "picture": picture_of(flac),
    }


def _read(path: Path, row: int) -> dict[str, Any]:
    """Sound, words and source of one row: only its row group is read."""
    with pq.ParquetFile(path) as shard:
        for group in range(shard.num_row_groups):
            rows = shard.metadata.row_group(group).num_rows
            if row < rows:
                table: pa.Table = shard.read_row_group(group, columns=["audio", "text_raw", "source_path"])
                return dict(table.slice(row, 1).to_pylist()[0])
            row -= rows
    raise IndexError(f"{path} has no row {row}")
