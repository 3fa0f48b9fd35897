"""Two evaluations of the same utterances -> is the difference real?

    evaluations/<id>/against-<other id>.json      each decoder that both have, `other` before and `id` after

Utterances are paired by id; the tests are those of `significance.py`. Measures nothing anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from scoring.significance import Paired
from store.store import Store
from store.writing import read_json, write_json_atomic
from training.errors import DataError
from training.evaluation.utterance_table import heard_of


def compare_evaluations(evaluation: str, against: str, store: Store) -> dict[str, Any]:
    """Compare and write; returns what was written, with its path. Both are ids or unique beginnings of ids.

    Raises:
        DataError: there is no such evaluation, they share no utterance, or what was said differs.
    """
    after_dir, before_dir = evaluation_dir(evaluation, store), evaluation_dir(against, store)
    after, before = paired_tables(after_dir, before_dir)
    heard_after, heard_before = heard_of(after), heard_of(before)
    shared = [name for name in heard_after.texts if name in heard_before.texts]
    result: dict[str, Any] = {
        "evaluation": after_dir.name,
        "against": before_dir.name,
        "utterances": after.num_rows,
        "before": _described(before_dir),
        "after": _described(after_dir),
        "decoders": {
            name: Paired(
                heard_after.references,
                heard_before.texts[name],
                heard_after.texts[name],
                heard_after.speakers,
            ).as_json()
            for name in shared
        },
    }
    path = after_dir / f"against-{before_dir.name}.json"
    write_json_atomic(path, result)
    return {**result, "path": str(path)}


def compare_with_previous(evaluation: dict[str, Any], store: Store) -> dict[str, Any] | None:
    """Compare with the newest other evaluation of the same utterances and a language model of that name.

    None where there is none, or where it holds other references.
    """
    alike = ("corpus", "corpus_version", "split", "subset")
    name = (evaluation["language_model"] or {}).get("name")
    found = []
    for path in store.evaluations_dir.glob("*/evaluation.json"):
        other = read_json(path)
        same = all(other[key] == evaluation[key] for key in alike)
        if same and other["id"] != evaluation["id"] and (other["language_model"] or {}).get("name") == name:
            found.append((path.stat().st_mtime, other["id"]))
    try:
        return compare_evaluations(evaluation["id"], max(found)[1], store) if found else None
    except DataError:
        return None


def comparisons_of(evaluation: str, store: Store) -> list[dict[str, Any]]:
    """Everything an evaluation was compared with, by the other's id."""
    paths = sorted((store.evaluations_dir / evaluation).glob("against-*.json"))
    return [read_json(path) for path in paths]


def evaluation_dir(name: str, store: Store) -> Path:
    """The folder of an evaluation by its id or a unique beginning of it.

    Raises:
        DataError: there is none, or several begin so.
    """
    found = sorted(path.parent for path in store.evaluations_dir.glob(f"{name}*/evaluation.json"))
    if len(found) != 1:
        what = f"{len(found)} evaluations begin with it" if found else "there is none"
        raise DataError(
            f"evaluation {name!r}: {what} in {store.evaluations_dir}; `python -m training report` lists them"
        )
    return found[0]


def paired_tables(after_dir: Path, before_dir: Path) -> tuple[pa.Table, pa.Table]:
    """The utterances that both have, in the same order."""
    after, before = (pq.read_table(folder / "utterances.parquet") for folder in (after_dir, before_dir))
    place = {name: index for index, name in enumerate(before["utterance_id"].to_pylist())}
    shared = [
        (index, place[name]) for index, name in enumerate(after["utterance_id"].to_pylist()) if name in place
    ]
    if not shared:
        raise DataError(f"evaluations {after_dir.name} and {before_dir.name} share no utterance")
    after, before = after.take([one for one, _ in shared]), before.take([one for _, one in shared])
    said = zip(after["reference"].to_pylist(), before["reference"].to_pylist(), strict=True)
    for name, (new, old) in zip(after["utterance_id"].to_pylist(), said, strict=True):
        if new != old:
            raise DataError(
                f"utterance {name} is {new!r} in {after_dir.name} but {old!r} in {before_dir.name}: measure both "
                "on the same version of the corpus"
            )
    return after, before


def _described(folder: Path) -> dict[str, Any]:
    facts = read_json(folder / "evaluation.json")
    return {key: facts.get(key) for key in ("run", "corpus", "corpus_version", "split", "language_model")}
