"""What the store holds, as plain tables: for the pages and their JSON, for reports and for `python -m store list`.

Read from manifests, no database.

A damaged manifest shows as a row with its error, so that one bad file hides no other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from store.errors import StoreError
from store.store import Store
from store.writing import read_json

Row = dict[str, Any]


def overview(store: Store) -> dict[str, list[Row]]:
    """Tables `corpora`, `language_models`, `runs` and `evaluations` of a store, each sorted by path."""
    current = "*/current/manifest.json"
    return {
        "corpora": list(_corpora(store)),
        "language_models": list(_rows(store.language_models_dir.glob(current), _language_model)),
        "runs": list(_rows(store.runs_dir.glob("*/state.json"), _run)),
        "evaluations": list(_rows(store.evaluations_dir.glob("*/evaluation.json"), _evaluation)),
    }


def _corpora(store: Store) -> Iterator[Row]:
    """One row per corpus, read as it was sealed."""
    troubles = store.corpus_troubles()
    for name in sorted({*store.corpus_names(), *troubles}):
        if name in troubles:
            yield {"name": name, "path": str(store.corpora_dir / name), "error": troubles[name]}
        else:
            yield from _rows(iter([store.corpus(name).path / "manifest.json"]), _corpus)


def _rows(paths: Iterator[Path], read: Callable[[Row], Row]) -> Iterator[Row]:
    for path in sorted(paths):
        try:
            row = read(read_json(path))
            json.dumps(row, allow_nan=False)  # what is no number is no figure of ours
            yield row
        except (StoreError, KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
            message = f"{type(error).__name__}: {error}"
            folder = path.parent.parent if path.parent.name == "current" else path.parent
            yield {"name": folder.name, "path": str(path), "error": message}


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
        "report": f"language_models/{manifest['name']}.html",
    }


def _run(state: Row) -> Row:
    keys = ("run", "state", "step", "steps", "epoch", "dev_wer", "eta_s", "message")
    return {key: state.get(key) for key in keys}


def _evaluation(evaluation: Row) -> Row:
    model = evaluation.get("language_model") or {}
    return {
        "id": evaluation["id"],
        "run": evaluation["run"],
        "corpus": evaluation["corpus"],
        "split": evaluation["split"],
        "language_model": model.get("name"),
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
