"""A finished language model's folder: its files, its manifest, and whether both are still as they were built.

A model is "already there" only when its files are: a manifest alone is not believed. Nothing is built here.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from lm.errors import LanguageModelError, LanguageModelUsageError, VerificationError
from store.checksums import Damage, Sealed, find_damage, remember
from store.errors import NotPublishedError
from store.store import Store
from store.writing import canonical_json, write_json_atomic

FILES = ("lm.arpa", "lm.binary", "lexicon.trie", "alphabet.txt")
"""What a language model's folder holds beside its manifest."""

MANIFEST = "manifest.json"


def model_folder(named: str, store: Store) -> Path:
    """The folder that a person names: as it stands, else the current version of a published name.

    Raises NotPublishedError listing the names there are.
    """
    folder = Path(named)
    return folder if folder.is_dir() else store.language_model(named)


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a language model's folder.

    Raises LanguageModelUsageError where there is none, VerificationError where it is not the one that was sealed.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise LanguageModelUsageError(f"{folder} holds no {MANIFEST}, so it is no language model") from error
    except OSError as error:
        raise LanguageModelUsageError(f"{path} cannot be read ({error.strerror}); check its owner") from error
    except (ValueError, RecursionError) as error:
        raise LanguageModelUsageError(f"{path} is damaged ({error}); build the model again") from error
    if not isinstance(manifest, dict) or manifest.get("kind") != "language_model":
        raise LanguageModelUsageError(f"{path} is not the manifest of a language model")
    if "sealed" in manifest and seal_of(manifest) != manifest["sealed"]:
        raise VerificationError(f"{path} was edited or damaged after it was sealed; build the model again")
    return manifest


def files_of(manifest: dict[str, Any]) -> tuple[str, ...]:
    """The files a model has beside its manifest; one that was adopted as a binary has no ARPA file."""
    adopted = manifest.get("adopted") or {}
    return FILES[1:] if adopted.get("form") == "binary" else FILES


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Seals a manifest and writes it: the last file of a model's folder."""
    manifest["sealed"] = seal_of(manifest)
    write_json_atomic(folder / MANIFEST, manifest)


def seal_of(manifest: dict[str, Any]) -> str:
    """Hex SHA-256 of a manifest without its seal; "" where it holds what no manifest can."""
    try:
        said = canonical_json({key: value for key, value in manifest.items() if key != "sealed"})
    except ValueError:  # not a number
        return ""
    return hashlib.sha256(said).hexdigest()


def find_model_damage(
    folder: Path, manifest: dict[str, Any], notes: Path | None = None, full: bool = False
) -> list[Damage]:
    """What of a model is not as it was built; [] = all is. `notes`, `full`: see `store.checksums`."""
    files = _sealed_files(manifest)
    if isinstance(files, str):
        return [Damage(MANIFEST, "content", f"{folder / MANIFEST} does not say what {files} is")]
    return find_damage(folder, files, notes, full)


def _sealed_files(manifest: dict[str, Any]) -> list[Sealed] | str:
    """The files as the manifest has them, or the first one of which it says nothing."""
    stated, files = manifest.get("files"), []
    for name in files_of(manifest):
        entry = stated.get(name) if isinstance(stated, dict) else None
        if not isinstance(entry, dict) or not {"bytes", "sha256"} <= entry.keys():
            return name
        files.append(Sealed(name, entry["bytes"], entry["sha256"]))
    return files


def remember_model(folder: Path, manifest: dict[str, Any], notes: Path) -> None:
    """Notes the hashes of a model that was hashed just now, so that the first look at it reads nothing."""
    files = _sealed_files(manifest)
    if not isinstance(files, str):
        remember(folder, files, notes)


def why_not_finished(folder: Path, inputs_hash: str, notes: Path | None = None) -> str | None:
    """Why a folder is not the whole model of these inputs, in a sentence; None where it is."""
    try:
        manifest = read_manifest(folder)
    except LanguageModelError as error:
        return str(error)
    if manifest.get("inputs_hash") != inputs_hash:
        return f"{folder} was built from other inputs or settings"
    damage = find_model_damage(folder, manifest, notes)
    return "; ".join(one.reason for one in damage) or None


def why_not_published(store: Store, name: str, inputs_hash: str) -> str | None:
    """Why a published model is not the whole model of these inputs; None where it is."""
    try:
        folder = store.language_model(name)
    except NotPublishedError as error:
        return str(error)
    return why_not_finished(folder, inputs_hash, store.checksums_path)
