"""The manifest of a corpus's version, read as it was sealed: whole, of one piece with its version, with every key.

A version's name is a hash of its manifest, so an edited one is noticed wherever it is read. Versions whose names
are no hashes (made by hand, for trials) are read as they are. Manifests of earlier days get the keys they lack.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from store.checksums import Sealed
from store.errors import StoreError
from store.records import Record
from store.versions import version_of

MANIFEST = "manifest.json"
_HASH = re.compile(r"[0-9a-f]{16}")
_LATER_KEYS: dict[str, Any] = {
    **{key: {} for key in ("flags", "genders", "licences", "subsets", "rejected", "ignored", "officials")},
    **{key: {} for key in ("expected", "about", "thresholds", "split_told")},
    "notes": [],
    "sources": [],
    "closed_vocabulary": False,
}


@dataclass(frozen=True, eq=False)
class Manifest(Record):
    """`manifest.json` of a version of a corpus.

    Attributes:
        splits, subsets, genders: name → utterances, hours, speakers. licences: licence → hours.
        expected: part → figure → what the publisher states and what was found. officials: part → recordings.
        rejected, ignored: reason → count. flags: flag → utterances.
        shards: path, split, bytes, sha256, rows of each. rejections: the same of rejections.parquet.
        sources: name, bytes and a hash of each source. pace_limits: letters per second, or None.
        leakage: what dev and test share with train. gate: the verdict, see corpora.quality.gate.
    """

    kind: str = "corpus"
    corpus: str = ""
    version: str = ""
    importer: str = ""
    importer_version: str = ""
    normaliser_version: str = ""
    measures_version: int = 1
    fingerprint_version: int = 1
    alphabet_hash: str = ""
    utterances: int = 0
    hours: float = 0.0
    speakers: int = 0
    splits: dict[str, dict[str, Any]] = field(default_factory=dict)
    subsets: dict[str, dict[str, Any]] = field(default_factory=dict)
    genders: dict[str, dict[str, Any]] = field(default_factory=dict)
    licences: dict[str, float] = field(default_factory=dict)
    flags: dict[str, int] = field(default_factory=dict)
    language: str = "en"
    licence: str | None = None
    donor: str | None = None
    closed_vocabulary: bool = False
    split_rule: str = ""
    split_told: dict[str, Any] = field(default_factory=dict)
    speaker_splits: dict[str, Any] = field(default_factory=dict)
    expected: dict[str, dict[str, Any]] = field(default_factory=dict)
    officials: dict[str, Any] = field(default_factory=dict)
    rejected: dict[str, int] = field(default_factory=dict)
    ignored: dict[str, int] = field(default_factory=dict)
    shards: list[dict[str, Any]] = field(default_factory=list)
    rejections: dict[str, Any] = field(default_factory=dict)
    sources: list[dict[str, Any]] = field(default_factory=list)
    thresholds: dict[str, Any] = field(default_factory=dict)
    pace_limits: list[float] | None = None
    options: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)
    may_redistribute: bool | str | None = None
    leakage: dict[str, Any] = field(default_factory=dict)
    needs_alignment: dict[str, Any] | None = None
    quarantine: str = ""
    gate: dict[str, Any] = field(default_factory=dict)

    @property
    def item_counts(self) -> dict[str, int]:
        """input, accepted, rejected, ignored: the key `items`."""
        found: dict[str, int] = self.get("items", {})
        return found


def read_manifest(folder: Path, version: str) -> Manifest:
    """The manifest in a version's folder.

    Raises:
        StoreError: missing, no JSON, or not the one that was sealed; says how it is mended.
    """
    path = folder / MANIFEST
    name = folder.parent.name
    mend = f"the next refresh of {name} mends it"
    try:
        loaded = json.loads(path.read_bytes())
    except OSError as error:
        raise StoreError(f"{path} cannot be read ({error.strerror}); {mend}") from error
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{path} is damaged: no readable JSON ({error}); {mend}") from error
    if not isinstance(loaded, dict):
        raise StoreError(f"{path} is damaged: it holds no table; {mend}")
    if _HASH.fullmatch(version) and _sealed_as(loaded) != version:
        raise StoreError(
            f"{path} is not the manifest that was sealed: it was edited or damaged, for its hash is not {version}; {mend}"
        )
    try:
        return Manifest.from_json({**_LATER_KEYS, **loaded})
    except StoreError as error:
        raise StoreError(f"{path} is damaged: {error}; {mend}") from error


def _sealed_as(manifest: Mapping[str, Any]) -> str:
    """The version that a manifest stands for; "" where it says another or what no manifest can say."""
    said = {key: value for key, value in manifest.items() if key != "version"}
    try:
        version = version_of(said)
    except (ValueError, RecursionError):  # not a number
        return ""
    return version if manifest.get("version") == version else ""


def sealed_files(manifest: Mapping[str, Any], split: str | None = None) -> list[Sealed]:
    """Shards (of a split; None = all, and the rejections) as the manifest has them.

    Raises:
        StoreError: the manifest does not say what files there are.
    """
    entries = [one for one in _listed(manifest) if split is None or one.get("split") == split]
    if split is None and isinstance(manifest.get("rejections"), dict):
        entries.append(manifest["rejections"])
    return [Sealed(str(one["path"]), one.get("bytes"), one.get("sha256")) for one in entries]


def _listed(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    shards = manifest.get("shards")
    if not isinstance(shards, list) or not all(isinstance(one, dict) and "path" in one for one in shards):
        raise StoreError("a manifest without a list of shards: it was not written by this project")
    return shards
