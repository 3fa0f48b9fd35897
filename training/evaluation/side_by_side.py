"""Two models, utterance by utterance: where they differ, the largest differences first.

A model is named by an evaluation, a run, or a released package; all test sets that both were measured on, at the same
version, are laid side by side. Measures nothing.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from store.corpus import Corpus
from store.errors import NotPublishedError
from store.store import Store
from store.writing import read_json
from training.decoding.recognise import DECODERS
from training.errors import DataError, TrainingError
from training.evaluation.compare import compare_evaluations, evaluation_dir, paired_tables
from training.evaluation.evaluate import evaluations

_ALIKE = ("corpus", "corpus_version", "split", "subset")


@dataclass(frozen=True)
class Filter:
    """Which utterances are shown; "" = all. `side`: better, worse or "" (of the second against the first)."""

    corpus: str = ""
    speaker: str = ""
    side: str = ""


@dataclass(frozen=True)
class Difference:
    """One utterance that both heard; `edits` of both by `decoder`, `change` below 0 = the second made fewer mistakes."""

    corpus: str
    evaluation: str
    utterance_id: str
    speaker: str
    duration_s: float
    words: int
    decoder: str
    reference: str
    before: str
    after: str
    edits_before: int
    edits_after: int
    source: str

    @property
    def change(self) -> int:
        """Mistakes that the second has more than the first."""
        return self.edits_after - self.edits_before


def pairs_of(before: str, after: str, store: Store) -> list[tuple[str, str]]:
    """Evaluations of the same test sets: (of the first, of the second).

    Args:
        before, after: id (or a beginning) of an evaluation, a run, or a packaged model.

    Raises:
        DataError: one of them was not measured, or they share no test set.
    """
    first, second = _evaluations_of(before, store), _evaluations_of(after, store)
    pairs = [
        (one["id"], match["id"])
        for one in first
        if (match := _best_match(one, second)) is not None and match["id"] != one["id"]
    ]
    if not pairs:
        raise DataError(
            f"{before} and {after} were measured on no test set of the same version; measure both on it"
        )
    return pairs


def _best_match(one: dict[str, Any], others: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The other's evaluation of the same utterances, with a language model of the same name where there is one."""
    alike = [other for other in others if all(other[key] == one[key] for key in _ALIKE)]

    def name(evaluation: dict[str, Any]) -> Any:
        return (evaluation["language_model"] or {}).get("name")

    return next((other for other in alike if name(other) == name(one)), alike[0] if alike else None)


def _evaluations_of(name: str, store: Store) -> list[dict[str, Any]]:
    from training.release.registry import Registry

    try:
        own = evaluation_dir(name, store).name
        return [one for one in evaluations(store, rescored=True) if one["id"] == own]
    except DataError:
        pass
    found = evaluations(store)
    run = name
    with contextlib.suppress(TrainingError, NotPublishedError):
        run = str(Registry(store).model(name).manifest["run"])
    measured = [one for one in found if one["run"].startswith(run)] if run else []
    newest: dict[tuple[Any, ...], dict[str, Any]] = {}
    for one in sorted(
        measured, key=lambda one: (store.evaluations_dir / one["id"] / "evaluation.json").stat().st_mtime
    ):
        newest[(*(one[key] for key in _ALIKE), (one["language_model"] or {}).get("name"))] = one
    if not newest:
        raise DataError(f"{name!r} is no evaluation, and no run or model that was measured")
    return list(newest.values())


def differences(before: str, after: str, store: Store, wanted: Filter) -> list[Difference]:
    """The utterances of a pair of evaluations that differ in their mistakes, the largest differences first."""
    folder, facts = store.evaluations_dir, {}
    for one in evaluations(store, rescored=True):
        facts[one["id"]] = one
    after_table, before_table = paired_tables(folder / after, folder / before)
    decoder = next(
        (name for name in reversed(DECODERS) if facts[after].get(name) and facts[before].get(name)),
        "greedy",
    )
    rows = zip(after_table.to_pylist(), before_table.to_pylist(), strict=True)
    found = [_difference(facts[after], decoder, *two) for two in rows]
    kept = [one for one in found if one.change and _is_wanted(one, wanted)]
    return sorted(kept, key=lambda one: (-abs(one.change), one.change, one.utterance_id))


def _difference(
    facts: dict[str, Any], decoder: str, after: dict[str, Any], before: dict[str, Any]
) -> Difference:
    return Difference(
        facts["corpus"], facts["id"], after["utterance_id"],
        after["speaker_id"] or "unknown", float(after["duration_s"]), int(after["words"]), decoder,
        after["reference"], before[decoder], after[decoder], int(before[f"{decoder}_edits"]),
        int(after[f"{decoder}_edits"]), after.get("source_path") or "",
    )  # fmt: skip


def _is_wanted(one: Difference, wanted: Filter) -> bool:
    side = {"better": one.change < 0, "worse": one.change > 0, "": True}.get(wanted.side, True)
    return side and wanted.corpus in ("", one.corpus) and wanted.speaker in ("", one.speaker)


def side_by_side(before: str, after: str, store: Store, wanted: Filter | None = None) -> dict[str, Any]:
    """Everything a page about two models needs: `pairs` (figures and tests by test set), `rows`, `speakers`, `corpora`.

    Raises what `pairs_of` and `compare_evaluations` raise.
    """
    chosen = wanted or Filter()
    pairs = pairs_of(before, after, store)
    compared = [compare_evaluations(second, first, store) for first, second in pairs]
    every = [one for first, second in pairs for one in differences(first, second, store, Filter())]
    rows = sorted(
        (one for one in every if _is_wanted(one, chosen)),
        key=lambda one: (-abs(one.change), one.change, one.corpus, one.utterance_id),
    )
    return {
        "pairs": compared,
        "rows": rows,
        "speakers": sorted({one.speaker for one in every}),
        "corpora": sorted({one.corpus for one in every}),
    }


def sound_of(store: Store, evaluation: str, utterance_id: str) -> bytes | None:
    """The FLAC of an utterance that an evaluation measured; None when that version of the corpus is gone.

    Raises:
        NotPublishedError, StoreError: the corpus or its shard cannot be read.
    """
    facts = read_json(store.evaluations_dir / evaluation / "evaluation.json")
    return sound_in(store.corpus(facts["corpus"], facts["corpus_version"]), facts["split"], utterance_id)


def sound_in(corpus: Corpus, split: str, utterance_id: str) -> bytes | None:
    """The FLAC of an utterance of a split; None where it has none of that name.

    Raises:
        StoreError: a shard cannot be read.
    """
    for path in corpus.shard_paths(split):
        with pq.ParquetFile(path) as shard:
            for group in range(shard.num_row_groups):
                names = shard.read_row_group(group, columns=["utterance_id"])["utterance_id"].to_pylist()
                if utterance_id in names:
                    column: Any = shard.read_row_group(group, columns=["audio"])["audio"]
                    return bytes(column[names.index(utterance_id)].as_py()["bytes"])
    return None
