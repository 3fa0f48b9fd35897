"""lhotse's form: `recordings` and `supervisions` manifests per split (gzipped JSON lines), sound as FLAC.

Field names are those of lhotse's `Recording` and `SupervisionSegment`. Sources are relative paths: open the
manifests from the export's folder, or call `with_path_prefix`. gzip carries no time stamp, so that the same
version gives the same bytes.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from corpora.exports._files import Row, Rows, write_flac
from store.corpus import Corpus

_GENDERS = {"f": "female", "m": "male"}


@contextmanager
def _json_lines(path: Path) -> Iterator[Any]:
    with (
        path.open("wb") as raw,
        gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, filename="") as packed,
        io.TextIOWrapper(packed, encoding="utf-8") as text,
    ):
        yield lambda value: text.write(json.dumps(value, ensure_ascii=False) + "\n")


def write(corpus: Corpus, splits: list[Rows], folder: Path) -> None:
    """`<corpus>_{recordings,supervisions}_<split>.jsonl.gz` and `audio/<split>/…` into an empty folder."""
    for rows in splits:
        place = folder / "audio" / rows.split
        place.mkdir(parents=True)
        with (
            _json_lines(folder / f"{corpus.name}_recordings_{rows.split}.jsonl.gz") as recording,
            _json_lines(folder / f"{corpus.name}_supervisions_{rows.split}.jsonl.gz") as supervision,
        ):
            for row in rows:
                recording(_recording(row, str(write_flac(row, place).relative_to(folder))))
                supervision(_supervision(row))


def _recording(row: Row, path: str) -> dict[str, Any]:
    return {
        "id": row["utterance_id"],
        "sources": [{"type": "file", "channels": [0], "source": path}],
        "sampling_rate": row["sample_rate_hz"],
        "num_samples": row["num_samples"],
        "duration": row["num_samples"] / row["sample_rate_hz"],
        "channel_ids": [0],
    }


def _supervision(row: Row) -> dict[str, Any]:
    found = {
        "id": row["utterance_id"],
        "recording_id": row["utterance_id"],
        "start": 0.0,
        "duration": row["num_samples"] / row["sample_rate_hz"],
        "channel": 0,
        "text": row["text"],
        "language": row["language"],
        "speaker": row["speaker_id"],
    }
    gender = _GENDERS.get(row["gender"] or "")
    return found | ({"gender": gender} if gender else {})
