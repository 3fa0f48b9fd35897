"""What the store holds, as plain tables: for the pages and their JSON, for reports, `python -m store list` and `usage`.

Read from manifests and folders, no database. Dates are those of the files, in UTC: `2026-11-29 19:38`. Newest first.

A damaged manifest shows as a row with its error, so that one bad file hides no other.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from store.errors import StoreError
from store.store import Store
from store.writing import read_json

Row = dict[str, Any]


def overview(store: Store) -> dict[str, list[Row]]:
    """Tables `corpora`, `language_models`, `runs` and `evaluations` of a store, each newest first.

    An evaluation is `current` when it is the newest of its corpus, split and language model, and was measured on the
    versions that are published now.
    """
    current = "*/current/manifest.json"
    tables = {
        "corpora": list(_corpora(store)),
        "language_models": list(_rows(store.language_models_dir.glob(current), _language_model)),
        "runs": list(_rows(store.runs_dir.glob("*/state.json"), _run)),
        "evaluations": list(_rows(store.evaluations_dir.glob("*/evaluation.json"), _evaluation)),
    }
    newest_first = {
        name: sorted(rows, key=lambda row: row.get("when", "9"), reverse=True)
        for name, rows in tables.items()
    }
    _mark_current(newest_first)
    return newest_first


_NAMES = frozenset(("name", "version", "run", "state", "id", "corpus", "split"))
_FIGURES = frozenset(
    (
        *("utterances", "hours", "accepted", "rejected", "ignored", "order", "perplexity", "oov_rate"),
        *("step", "steps", "epoch", "dev_wer", "eta_s", "greedy_wer", "corrected_wer", "lm_wer"),
    )
)


def _mark_current(tables: dict[str, list[Row]]) -> None:
    versions = {row["name"]: row.get("version") for row in tables["corpora"]}
    hashes = {row["name"]: row.get("lm_hash") for row in tables["language_models"]}
    seen: set[tuple[Any, ...]] = set()
    for row in tables["evaluations"]:
        if "error" in row:
            continue
        kind = (row["corpus"], row["split"], row["subset"], row["language_model"])
        model = row["language_model"]
        published = versions.get(row["corpus"]) == row["corpus_version"] and (
            model is None or hashes.get(model) == row["lm_hash"]
        )
        row["current"] = published and kind not in seen
        if published:
            seen.add(kind)


def file_time(path: Path) -> str:
    """When a file was written, UTC, to the minute."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y-%m-%d %H:%M")


def _corpora(store: Store) -> Iterator[Row]:
    """One row per corpus, read as it was sealed."""
    troubles = store.corpus_troubles()
    for name in sorted({*store.corpus_names(), *troubles}):
        if name in troubles:
            yield {"name": name, "path": str(store.corpora_dir / name), "error": troubles[name]}
        else:
            folder = store.corpus(name).path
            for row in _rows(iter([folder / "manifest.json"]), _corpus):
                yield row if "error" in row else {**row, "expected": _expected(folder)}


def _expected(folder: Path) -> Row | None:
    """The verdict on a version's rows and its level, from what stands beside the manifest; None where nobody has looked."""
    try:
        said = read_json(folder / "expectations.json")
        asked = said["expectations"]
        not_met = [str(one["says"]) for one in asked if not one["passed"]]
        return {"level": str(said["level"]), "passed": not not_met, "asked": len(asked), "not_met": not_met}
    except (OSError, StoreError, KeyError, TypeError, ValueError):
        return None


def _rows(paths: Iterator[Path], read: Callable[[Row], Row]) -> Iterator[Row]:
    for path in sorted(paths):
        try:
            row = {**read(read_json(path)), "when": file_time(path)}
            _refuse_odd(row)
            json.dumps(row, allow_nan=False)  # what is no number is no figure of ours
            yield row
        except (StoreError, KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
            folder = path.parent.parent if path.parent.name == "current" else path.parent
            yield {"name": folder.name, "path": str(path), "error": _said(path, error)}


def _refuse_odd(row: Row) -> None:
    """Raises ValueError where a name is no text or a figure no number: pages would stumble over it."""
    for key, value in row.items():
        if key in _NAMES and not isinstance(value, str):
            raise ValueError(f"{key} = {value!r} is no text")
        if key in _FIGURES and value is not None and not isinstance(value, int | float):
            raise ValueError(f"{key} = {value!r} is no number")


def _said(path: Path, error: Exception) -> str:
    """What is wrong with a file, for people."""
    if isinstance(error, StoreError):
        return str(error)
    if isinstance(error, KeyError):
        return f"{path} is damaged or not ours: it has no {error}"
    return f"{path} is damaged or not ours ({type(error).__name__}: {error})"


def _corpus(manifest: Row) -> Row:
    items = manifest["items"]
    return {
        "name": manifest["corpus"],
        "version": manifest["version"],
        "utterances": sum(split["utterances"] for split in manifest["splits"].values()),
        "hours": sum(split["hours"] for split in manifest["splits"].values()),
        "accepted": items["accepted"],
        "rejected": items["rejected"],
        "ignored": items["ignored"],
        "rejections": manifest["rejected"],
        "splits": manifest["splits"],
        "licences": manifest["licences"],
        "report": f"corpora/{manifest['corpus']}.html",
    }


def _language_model(manifest: Row) -> Row:
    return {
        "name": manifest["name"],
        "version": manifest["version"],
        "order": manifest["order"],
        "ngrams": manifest["ngrams"],
        "vocabulary": manifest["vocabulary"],
        "perplexity": manifest.get("perplexity"),
        "oov_rate": manifest.get("oov_rate"),
        "lm_hash": (manifest.get("identity") or {}).get("lm_hash"),
        "report": f"language_models/{manifest['name']}.html",
    }


def _run(state: Row) -> Row:
    keys = ("run", "state", "step", "steps", "epoch", "dev_wer", "dev_unit", "eta_s", "message")
    return {key: state.get(key) for key in keys} | {"report": f"runs/{state.get('run')}.html"}


def _evaluation(evaluation: Row) -> Row:
    model = evaluation.get("language_model") or {}
    return {
        "id": evaluation["id"],
        "run": evaluation["run"],
        "corpus": evaluation["corpus"],
        "split": evaluation["split"],
        "subset": evaluation.get("subset"),
        "corpus_version": evaluation.get("corpus_version"),
        "language_model": model.get("name"),
        "language_model_version": model.get("version"),
        "lm_hash": model.get("lm_hash"),
        "utterances": evaluation["utterances"],
        "greedy_wer": evaluation["greedy"]["wer"],
        "corrected_wer": (evaluation.get("corrected") or {}).get("wer"),
        "lm_wer": (evaluation.get("lm") or {}).get("wer"),
        "rtf": evaluation["rtf"],
        "report": f"evaluations/{evaluation['id']}.html",
    }


def report_path(store: Store, relative: str) -> Path | None:
    """The page of that name below <store>/reports; None when there is none, or when it lies elsewhere."""
    folder = store.reports_dir.resolve()
    if "\0" in relative or not relative.endswith(".html"):
        return None
    try:
        path = (folder / relative).resolve()
        return path if path.is_relative_to(folder) and path.is_file() else None
    except (OSError, RuntimeError):  # longer than a name can be, or links in a circle
        return None


@dataclass(frozen=True)
class Use:
    """The room that one thing takes.

    Attributes:
        kind: the folder of the store it lies in. name: its own; "" for a whole folder.
        bytes: of everything current. older_bytes: what only older versions hold, `older` of them.
    """

    kind: str
    name: str
    bytes: int
    older: int = 0
    older_bytes: int = 0


_VERSIONED = ("corpora", "language_models")


def usage(store: Store) -> list[Use]:
    """Every corpus, language model, run and remaining folder of a store on a disk, the largest first.

    Files that several versions share (second names of one file) are counted once: for the current version where it has
    them, else for the first that does.
    """
    seen: set[tuple[int, int]] = set()
    found: list[Use] = []
    for folder in sorted(path for path in store.root.iterdir() if path.is_dir()):
        if folder.name in _VERSIONED:
            found += [_versions(folder.name, one, seen) for one in _folders(folder)]
        elif folder.name == "runs":
            found += [Use("runs", one.name, _bytes(one, seen)) for one in _folders(folder)]
        else:
            found.append(Use(folder.name, "", _bytes(folder, seen)))
    return sorted(found, key=lambda use: (-(use.bytes + use.older_bytes), use.kind, use.name))


def _folders(path: Path) -> Iterator[Path]:
    yield from sorted(one for one in path.iterdir() if one.is_dir() and not one.is_symlink())


def _versions(kind: str, path: Path, seen: set[tuple[int, int]]) -> Use:
    current = (path / "current").resolve()
    versions = list(_folders(path))
    now = sum(_bytes(one, seen) for one in versions if one.resolve() == current)
    others = [one for one in versions if one.resolve() != current]
    return Use(kind, path.name, now, len(others), sum(_bytes(one, seen) for one in others))


def _bytes(path: Path, seen: set[tuple[int, int]]) -> int:
    """The room on the disk of every file below a folder that was not counted yet."""
    total, open_folders = 0, [path]
    while open_folders:
        with os.scandir(open_folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    open_folders.append(Path(entry.path))
                elif entry.is_file(follow_symlinks=False):
                    stat = entry.stat(follow_symlinks=False)
                    if (stat.st_dev, stat.st_ino) not in seen:
                        seen.add((stat.st_dev, stat.st_ino))
                        total += stat.st_blocks * 512
    return total
