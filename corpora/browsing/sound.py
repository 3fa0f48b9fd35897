"""The sound of one row, straight from its row group, and the parts of it that a player asks for."""

from __future__ import annotations

import re
from typing import Any

from store.corpus import Corpus
from store.errors import StoreError

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_ROW_COLUMNS = [
    "utterance_id", "audio_sha256", "split", "text", "text_raw", "text_scoring", "text_rules", "language", "licence",
    "num_samples", "sample_rate_hz", "measures", "flags", "channel", "normaliser_version",
]  # fmt: skip


def read_sound(corpus: Corpus, place: dict[str, Any]) -> bytes:
    """The FLAC of a row.

    Args:
        place: `shard`, `row_group` and `place` as the index has them.

    Raises:
        StoreError: the shard is missing or damaged; every page's checksum is compared.
    """
    return bytes(_read(corpus, place, ["audio.bytes"])["audio"]["bytes"])


def read_row(corpus: Corpus, place: dict[str, Any]) -> dict[str, Any]:
    """The row itself without its sound; raises as `read_sound` does."""
    return _read(corpus, place, _ROW_COLUMNS)


def _read(corpus: Corpus, place: dict[str, Any], columns: list[str]) -> dict[str, Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    relative = corpus.manifest["shards"][place["shard"]]["path"]
    path = corpus.path / relative
    try:
        opened = path if path.is_file() else corpus.readable(relative, columns)
        with pq.ParquetFile(opened, page_checksum_verification=True) as shard:
            table = shard.read_row_group(place["row_group"], columns=columns, use_threads=False)
            row: dict[str, Any] = table.slice(place["place"], 1).to_pylist()[0]
            return row
    except (OSError, IndexError, pa.ArrowException) as error:
        raise StoreError(
            f"shard {path} cannot be read ({error}); run the refresh of {corpus.name} again"
        ) from error


def part_of(size: int, header: str | None) -> tuple[int, int] | None:
    """The bytes [first, stop) that a Range header asks for; None = all of them.

    Raises:
        ValueError: no byte of what is asked is there.
    """
    found = _RANGE.fullmatch((header or "").strip())
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        first, stop = max(0, size - int(found[2])), size
    else:
        first, stop = int(found[1]), min(size, int(found[2]) + 1 if found[2] else size)
    if first >= size or first >= stop:
        raise ValueError(f"bytes {header} of {size}")
    return first, stop
