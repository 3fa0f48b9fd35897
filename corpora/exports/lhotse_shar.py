"""lhotse's Shar: shards of cuts and of recordings, to be read in one go by `CutSet.from_shar`.

    <split>/cuts.000000.jsonl.gz    <split>/recording.000000.tar    README.md

Sound is FLAC as it stands in the store. Neither gzip nor tar carries a time, so that the same version gives the same
bytes. Part and licence of an utterance stand in its supervision's `custom`.
"""

from __future__ import annotations

import gzip
import itertools
import json
import tarfile
from pathlib import Path
from typing import Any

from corpora.exports._files import Row, Rows, add_to_tar
from corpora.exports.huggingface import card
from store.corpus import Corpus

_CUTS_PER_SHARD = 1000
_GENDERS = {"f": "female", "m": "male"}


def write(corpus: Corpus, splits: list[Rows], folder: Path) -> None:
    """Shards by split, and the card that names licence and language."""
    for rows in splits:
        place = folder / rows.split
        place.mkdir()
        waiting, number = iter(rows), 0
        while batch := [*itertools.islice(waiting, _CUTS_PER_SHARD)]:
            _write_shard(batch, place, number)
            number += 1
    about = card(corpus, [rows.split for rows in splits], "{split}/*")
    (folder / "README.md").write_text(about, "utf-8")


def _write_shard(rows: list[Row], place: Path, number: int) -> None:
    lines = "".join(json.dumps(_cut(row, "shar"), ensure_ascii=False) + "\n" for row in rows)
    (place / f"cuts.{number:06d}.jsonl.gz").write_bytes(gzip.compress(lines.encode("utf-8"), mtime=0))
    with tarfile.open(place / f"recording.{number:06d}.tar", "w", format=tarfile.GNU_FORMAT) as packed:
        for row in rows:
            name = row["utterance_id"]
            add_to_tar(packed, f"{name}.flac", row["audio"]["bytes"])
            described = json.dumps(_recording(row, "memory"), ensure_ascii=False)
            add_to_tar(packed, f"{name}.json", described.encode("utf-8"))


def _recording(row: Row, kind: str) -> dict[str, Any]:
    return {
        "id": row["utterance_id"],
        "sources": [{"type": kind, "channels": [0], "source": ""}],
        "sampling_rate": row["sample_rate_hz"],
        "num_samples": row["num_samples"],
        "duration": row["num_samples"] / row["sample_rate_hz"],
        "channel_ids": [0],
    }


def _cut(row: Row, kind: str) -> dict[str, Any]:
    duration_s = row["num_samples"] / row["sample_rate_hz"]
    supervision = {
        "id": row["utterance_id"],
        "recording_id": row["utterance_id"],
        "start": 0.0,
        "duration": duration_s,
        "channel": 0,
        "text": row["text"],
        "language": row["language"],
        "speaker": row["speaker_id"],
        "custom": {"subset": row["subset"], "licence": row["licence"]},
    }
    if gender := _GENDERS.get(row["gender"] or ""):
        supervision["gender"] = gender
    return {
        "id": row["utterance_id"],
        "start": 0,
        "duration": duration_s,
        "channel": 0,
        "supervisions": [supervision],
        "recording": _recording(row, kind),
        "type": "MonoCut",
    }
