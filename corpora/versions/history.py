"""The versions of a corpus: which there are, and what changed between two of them.

Reads manifests and the columns without sound. Shards that both versions have byte for byte are not read.
"""

from __future__ import annotations

import time
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from store.corpus import Corpus
from store.errors import StoreError
from store.store import Store

COMPARED = (
    "audio_sha256", "text", "text_raw", "split", "subset", "speaker_id", "gender", "licence", "flags",
)  # fmt: skip
EXAMPLES = 20
_COLUMNS = ["utterance_id", "duration_s", *COMPARED]


def history(store: Store, name: str) -> list[dict[str, Any]]:
    """All versions that are in the store, the oldest first.

    Returns:
        version, published (UTC, from the file's time), utterances, hours, current; of one that cannot be read
        version, published, current and `error`.

    Raises:
        NotPublishedError: no such corpus.
    """
    current = store.corpus(name).version
    found = []
    for path in (store.corpora_dir / name).glob("*/manifest.json"):
        if path.parent.name == "current":
            continue
        corpus = store.corpus(name, path.parent.name)
        published = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(path.stat().st_mtime))
        entry = {"version": corpus.version, "published": published, "current": corpus.version == current}
        try:
            entry |= {key: corpus.manifest[key] for key in ("utterances", "hours")}
        except (StoreError, KeyError) as error:
            entry["error"] = str(error)
        found.append(entry)
    return sorted(found, key=lambda entry: (entry["published"], entry["current"], entry["version"]))


def compare_versions(before: Corpus, after: Corpus) -> dict[str, Any]:
    """What one version has and the other has not.

    Returns:
        corpus, from, to; `added`, `withdrawn` and `changed`, each {utterances, hours, splits: {split: n},
        examples: up to `EXAMPLES` ids}, `changed` also `columns`: {column: rows in which it differs};
        `unchanged` {utterances}.

    Raises:
        StoreError: a shard cannot be read.
    """
    same = _hashes(before) & _hashes(after)
    old, new = _rows(before, same), _rows(after, same)
    added, withdrawn = new[~new.index.isin(old.index)], old[~old.index.isin(new.index)]
    both = new.index.intersection(old.index, sort=True)
    differs = pd.DataFrame(
        {column: old.loc[both, column].ne(new.loc[both, column]) for column in COMPARED}, index=both
    )
    changed = new.loc[both][differs.any(axis=1)]
    columns = {str(name): int(count) for name, count in differs.sum().items() if count}
    return {
        "corpus": after.name,
        "from": before.version,
        "to": after.version,
        "added": _told(added),
        "withdrawn": _told(withdrawn),
        "changed": {**_told(changed), "columns": columns},
        "unchanged": {"utterances": after.manifest["utterances"] - len(added) - len(changed)},
    }


def _hashes(corpus: Corpus) -> set[str]:
    return {shard["sha256"] for shard in corpus.manifest["shards"]}


def _rows(corpus: Corpus, skipped: set[str]) -> pd.DataFrame:
    """Rows by utterance id, null as "", of all shards but those whose hash is skipped."""
    frames = []
    for shard in corpus.manifest["shards"]:
        if shard["sha256"] in skipped:
            continue
        path = corpus.path / shard["path"]
        try:
            frame = pq.read_table(corpus.readable(shard["path"], _COLUMNS), columns=_COLUMNS).to_pandas()
        except (OSError, ValueError) as error:
            raise StoreError(f"shard {path} cannot be read ({error}); run the refresh again") from error
        frames.append(frame.assign(flags=[" ".join(flags) for flags in frame["flags"]]))
    rows = pd.concat(frames) if frames else pd.DataFrame(columns=_COLUMNS)
    rows["gender"] = rows["gender"].astype(object)
    return rows.set_index("utterance_id").fillna({column: "" for column in COMPARED}).sort_index()


def _told(rows: pd.DataFrame) -> dict[str, Any]:
    splits = rows["split"].value_counts()
    return {
        "utterances": len(rows),
        "hours": round(float(rows["duration_s"].sum()) / 3600, 6),
        "splits": {str(split): int(count) for split, count in sorted(splits.items())},
        "examples": [str(name) for name in rows.index[:EXAMPLES]],
    }
