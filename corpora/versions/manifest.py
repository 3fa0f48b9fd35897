"""`manifest.json` of a corpus: what the version holds and what it was made of; written last.

No time stamps, no absolute paths: the same source gives the same manifest, and the version is a hash of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store.corpus import SPLITS, Corpus
from store.store import Store
from store.writing import sha256_file

if TYPE_CHECKING:
    import pandas as pd


def _hours(seconds: float) -> float:
    return round(float(seconds) / 3600.0, 6)


def _part(rows: pd.DataFrame) -> dict[str, Any]:
    return {
        "utterances": len(rows),
        "hours": _hours(rows["duration_s"].sum()),
        "speakers": int(rows["speaker_id"].nunique()),
    }


def describe(index: pd.DataFrame) -> dict[str, Any]:
    """Totals of the accepted utterances: by split, subset, licence, gender and flag.

    Args:
        index: split, subset, speaker_id, gender, licence, duration_s, flag_set (flags joined by blanks),
            late_flags (flags that only the whole corpus shows, joined likewise); one row per utterance.
    """
    gender = index["gender"].astype(object).fillna("unknown")
    by_gender = index.assign(gender=gender).groupby("gender", sort=True)
    flags: Counter[str] = Counter()
    for column in ("flag_set", "late_flags"):
        for joined, count in index[column].value_counts().items():
            for name in str(joined).split():
                flags[name] += int(count)
    return {
        **_part(index),
        "splits": {s: _part(index[index["split"] == s]) for s in SPLITS if (index["split"] == s).any()},
        "subsets": {str(s): _part(g) for s, g in index.groupby("subset", sort=True, observed=True) if s},
        "licences": {
            str(k): _hours(g["duration_s"].sum())
            for k, g in index.groupby("licence", sort=True, observed=True)
        },
        "genders": {str(k): _part(g) for k, g in by_gender},
        "flags": {name: count for name, count in sorted(flags.items()) if count},
    }


def written(folder: Path, rejected: Mapping[str, int], shards: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What a manifest says of the files of a version, whoever made them: shards, and the rejections with their reasons."""
    from corpora.text.normaliser import NORMALISER_VERSION  # not for those who only read manifests

    path = folder / "rejections.parquet"
    table = {"path": path.name, "bytes": path.stat().st_size, "sha256": sha256_file(path)}
    return {
        "rejected": dict(sorted(rejected.items())),
        "shards": list(shards),
        "rejections": {**table, "rows": sum(rejected.values())},
        "normaliser_version": NORMALISER_VERSION,
    }


def compare(
    expected: Mapping[str, Mapping[str, float]], index: pd.DataFrame
) -> dict[str, dict[str, dict[str, float]]]:
    """The publisher's figures beside ours, for the parts that are here at all.

    Args:
        expected: part ("all", a split, a subset) → recordings, utterances, hours as published.
        index: split, subset, recording_hash, duration_s of the accepted utterances.

    Returns:
        part → figure → {"expected", "found"}. Differences are for people; they stop nothing.
    """
    compared: dict[str, dict[str, dict[str, float]]] = {}
    for part, figures in expected.items():
        rows = index if part == "all" else index[(index["split"] == part) | (index["subset"] == part)]
        if len(rows) == 0:
            continue
        found = {
            "recordings": int(rows["recording_hash"].nunique()),
            "utterances": len(rows),
            "hours": _hours(rows["duration_s"].sum()),
        }
        compared[part] = {name: {"expected": value, "found": found[name]} for name, value in figures.items()}
    return compared


def summary_of(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What `refresh --json` prints of a manifest."""
    return {
        "corpus": manifest["corpus"],
        "version": manifest["version"],
        "utterances": manifest["utterances"],
        "hours": manifest["hours"],
        "speakers": manifest["speakers"],
        "items": manifest["items"],
        "rejected": manifest["rejected"],
        "ignored": manifest["ignored"],
        "splits": manifest["splits"],
        "split_rule": manifest["split_rule"],
        "split_told": manifest.get("split_told", {}),
        "expected": manifest.get("expected", {}),
        "notes": manifest.get("notes", []),
    }


def diff_counts(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """Counts that differ between two manifests' tables, by key: (before, after)."""
    keys = sorted({*before, *after})
    return {k: (before.get(k, 0), after.get(k, 0)) for k in keys if before.get(k, 0) != after.get(k, 0)}


def published_answer(store: Store, plan: Mapping[str, Any], status: str) -> dict[str, Any]:
    """What `refresh` answers of the version that a plan's corpus has now."""
    name, why = plan["name"], plan["facts"]["quarantine"]
    if not why:
        return answer_of(store.corpus(name), status)
    draft = store.quarantine_dir / name / "donation.toml"
    waiting = {"quarantine": why, "draft": str(draft) if draft.is_file() else None, "published": False}
    return {**answer_of(store.quarantined(name), "quarantined"), **waiting}


def answer_of(corpus: Corpus, status: str) -> dict[str, Any]:
    """What `refresh` answers of a version that is published."""
    manifest = corpus.manifest
    told = {"path": corpus.place, "gate": manifest["gate"], "published": True, "status": status}
    return {**summary_of(manifest), **told}
