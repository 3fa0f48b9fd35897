"""The shards of a new version: written from the groups, or linked from an earlier version.

Where all rows of a group are in one official split and nothing is refused late, the group's own file is the
shard: it gets a second name and is not written again; copied row by row it would have the same bytes.

A shard's key is a hash of its group's key and of which rows of the group it holds. A note per key says where
a published version has that shard; if the file still has the same bytes it is linked, not written, so that
one changed file costs one shard. Versions on one file system then share the file.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from corpora.refresh.group_cache import ROWS, find_group, sums_of
from corpora.refresh.groups import run_group
from corpora.refresh.plan import Plan
from corpora.utterance import SCHEMA, SHARDS_VERSION
from corpora.versions.index import mask_hash
from corpora.versions.shards import ShardWriter
from store.checksums import Sealed, find_damage
from store.corpus import SPLITS
from store.errors import StoreError
from store.manifests import Manifest
from store.opening import open_store
from store.store import Store
from store.writing import place_file, read_cached, read_json, sha256_file, write_json_atomic

_HASHERS = 4
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _Piece:
    """What a shard is made of: rows of one group that are in one split."""

    group: int
    split: str
    wanted: Mask
    late_flags: list[str]  # flags that only the whole corpus shows, joined by blanks; of every row
    corrections: list[str]  # "" or, as JSON, what a listener made of a row; see corpora/curation/applying.py
    lengths_s: npt.NDArray[np.float64]

    def is_whole(self, split: str | None) -> bool:
        """Whether the group's own file is the shard, byte for byte; `split` is what all of its rows say."""
        changed = any(self.late_flags) or any(self.corrections)
        return split == self.split and bool(self.wanted.all()) and not changed


class ShardMaker:
    """Makes all shards of a version under `staged`; `keys` says afterwards what each was made of."""

    def __init__(self, plan_path: Path, plan: Plan, staged: Path) -> None:
        self._plan_path, self._plan, self._staged = plan_path, plan, staged
        self._store = open_store(plan["store"])
        self._numbers: Counter[str] = Counter()
        self.keys: dict[str, str] = {}

    def write(self, groups: list[Path], index: pd.DataFrame) -> list[dict[str, Any]]:
        """One shard per group and split, rows in the group's order; answers the manifest's list.

        Args:
            index: `group`, `row`, `split` ("" or null = not accepted), `late_flags`, `correction` and `duration_s`
                of every row.
        """
        shards = []
        for number, rows in index.groupby("group", sort=True):
            rows = rows.sort_values("row")
            for split in SPLITS:
                wanted = (rows["split"] == split).to_numpy(dtype=bool)
                if wanted.any():
                    flags, lengths_s = rows["late_flags"].tolist(), rows["duration_s"].to_numpy()
                    corrections = rows["correction"].tolist()
                    piece = _Piece(int(str(number)), split, wanted, flags, corrections, lengths_s)
                    shards.append(self._shard(groups[piece.group], piece))
        self._hash([shard for shard in shards if "sha256" not in shard])
        return sorted(shards, key=lambda shard: (SPLITS.index(shard["split"]), shard["path"]))

    def _shard(self, group: Path, piece: _Piece) -> dict[str, Any]:
        relative = f"{piece.split}/part-{self._numbers[piece.split]:05d}.parquet"
        self._numbers[piece.split] += 1
        made_of = [group.name, piece.split, mask_hash(piece.wanted), piece.late_flags]
        made_of += [piece.corrections] if any(piece.corrections) else []
        key = hashlib.sha256(
            json.dumps([*made_of, SCHEMA.to_string(), pa.__version__, SHARDS_VERSION]).encode()
        ).hexdigest()
        self.keys[relative] = key
        target = self._staged / relative
        known = _link(self._store, self._plan["name"], key, target)
        if known is not None:
            return {"path": relative, "split": piece.split, **known}
        sounding = self._with_sound(piece.group)
        rows, digest = sounding / ROWS, {}
        if piece.is_whole(read_json(group / "counts.json").get("split")):
            place_file(rows, target)
            digest = {"sha256": sums_of(sounding)[ROWS]}  # compared with the file just now
        else:
            with ShardWriter(target) as writer:
                _copy_rows(rows, writer, piece)
        return {
            "path": relative,
            "split": piece.split,
            "rows": int(piece.wanted.sum()),
            "hours": round(math.fsum(piece.lengths_s[piece.wanted]) / 3600, 6),
            "bytes": target.stat().st_size,
            **digest,
        }

    def _hash(self, shards: list[dict[str, Any]]) -> None:
        """Add the hash of what was written, read back; by several threads, because everybody waits for it."""
        with ThreadPoolExecutor(min(_HASHERS, len(os.sched_getaffinity(0)))) as threads:
            digests = threads.map(sha256_file, [self._staged / shard["path"] for shard in shards])
            for shard, digest in zip(shards, digests, strict=True):
                shard["sha256"] = digest

    def _with_sound(self, index: int) -> Path:
        """The group's folder with its sound; done again where it was published and its rows are now others."""
        found = find_group(self._plan, index, with_sound=True)
        if found is None:
            run_group(self._plan_path, index, with_sound=True)
            found = find_group(self._plan, index, with_sound=True)
        if found is None:
            raise StoreError(f"group {index} of {self._plan['name']} vanished from the cache; run it again")
        return found


def _notes(store: Store, name: str) -> Path:
    return store.cache_dir / "shards" / f"{name}.json"


def remember(store: Store, name: str, manifest: Manifest, keys: dict[str, str]) -> None:
    """Note where the shards of a version that was just published lie; the version before is forgotten."""
    kept = ("rows", "hours", "bytes", "sha256")
    notes = {
        keys[shard["path"]]: {
            "place": f"{name}/{manifest['version']}/{shard['path']}",
            **{key: shard[key] for key in kept},
        }
        for shard in manifest["shards"]
    }
    write_json_atomic(_notes(store, name), notes)


def _link(store: Store, name: str, key: str, target: Path) -> dict[str, Any] | None:
    """Link a shard that was published before to `target`; what the manifest says of it, or None."""
    note = _read_notes(_notes(store, name)).get(key)
    if note is None:
        return None
    place = store.corpora_dir / note["place"]
    sealed = Sealed(place.name, note["bytes"], note["sha256"])
    if find_damage(place.parent, [sealed], store.checksums_path):
        return None
    place_file(place, target)
    return {key: note[key] for key in ("rows", "hours", "bytes", "sha256")}


def _read_notes(path: Path) -> dict[str, Any]:
    loaded = read_cached(path)
    return loaded if isinstance(loaded, dict) else {}


def _copy_rows(path: Path, writer: ShardWriter, piece: _Piece) -> None:
    """Copy the wanted rows of a group's file, with their split and the flags that the whole corpus showed."""
    at = 0
    with pq.ParquetFile(path, page_checksum_verification=True) as source:
        for number in range(source.num_row_groups):
            table = source.read_row_group(number, use_threads=False)
            here = slice(at, at + table.num_rows)
            at += table.num_rows
            if not piece.wanted[here].any():
                continue
            table = _with_column(table, "split", [piece.split] * table.num_rows)
            if any(piece.corrections[here]):
                table = _corrected(table, piece.corrections[here])
            if any(piece.late_flags[here]):
                flags = zip(table["flags"].to_pylist(), piece.late_flags[here], strict=True)
                table = _with_column(table, "flags", [[*kept, *late.split()] for kept, late in flags])
            if not piece.wanted[here].all():
                table = table.filter(pa.array(piece.wanted[here]))
            writer.add_table(table.cast(SCHEMA))


def _corrected(table: pa.Table, corrections: list[str]) -> pa.Table:
    """The rows with what listeners made of their texts; `text_raw` stays what the source has."""
    said = [json.loads(one) if one else None for one in corrections]
    for name in ("text", "text_scoring", "flags"):
        pairs = zip(table[name].to_pylist(), said, strict=True)
        table = _with_column(table, name, [new[name] if new else old for old, new in pairs])
    measures = zip(table["measures"].to_pylist(), said, strict=True)
    paced = [{**old, "chars_per_s": new["chars_per_s"]} if new else old for old, new in measures]
    return _with_column(table, "measures", paced)


def _with_column(table: pa.Table, name: str, values: list[Any]) -> pa.Table:
    field = SCHEMA.field(name)
    return table.set_column(SCHEMA.get_field_index(name), field, pa.array(values, field.type))
