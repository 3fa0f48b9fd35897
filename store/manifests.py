"""The manifest of a corpus's version, read as it was sealed: whole, of one piece with its version, with every key.

A version's name is a hash of its manifest, so an edited one is noticed wherever it is read. Versions whose names
are no hashes (made by hand, for trials) are read as they are. Manifests of earlier days get the keys they lack.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from store.checksums import Damage, Sealed
from store.errors import StoreError
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


def read_manifest(folder: Path, version: str) -> dict[str, Any]:
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
    return {**_LATER_KEYS, **loaded}


def _sealed_as(manifest: dict[str, Any]) -> str:
    """The version that a manifest stands for; "" where it says another or what no manifest can say."""
    said = {key: value for key, value in manifest.items() if key != "version"}
    try:
        version = version_of(said)
    except (ValueError, RecursionError):  # not a number
        return ""
    return version if manifest.get("version") == version else ""


def sealed_files(manifest: dict[str, Any], split: str | None = None) -> list[Sealed]:
    """Shards (of a split; None = all, and the rejections) as the manifest has them.

    Raises:
        StoreError: the manifest does not say what files there are.
    """
    entries = [one for one in _listed(manifest) if split is None or one.get("split") == split]
    if split is None and isinstance(manifest.get("rejections"), dict):
        entries.append(manifest["rejections"])
    return [Sealed(str(one["path"]), one.get("bytes"), one.get("sha256")) for one in entries]


def _listed(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    shards = manifest.get("shards")
    if not isinstance(shards, list) or not all(isinstance(one, dict) and "path" in one for one in shards):
        raise StoreError("a manifest without a list of shards: it was not written by this project")
    return shards


def manifest_damage(folder: Path, version: str) -> list[Damage]:
    """What is wrong with a version's manifest; [] = nothing."""
    try:
        read_manifest(folder, version)
    except StoreError as error:
        return [Damage(MANIFEST, "content", str(error))]
    return []
