"""What the corpora of a store share, as a matrix: trained on against dev and test of, read from what sealing left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from corpora.quality.leakage import pairs_path
from store.errors import StoreError
from store.store import Store
from store.writing import read_json

LEAKS = {"speakers": "speakers", "sentences": "sentences", "audio": "sounds", "near_copies": "near copies"}


@dataclass(frozen=True)
class Cell:
    """What the train of one corpus shares with dev and test of another.

    Attributes:
        says: in words, "nothing" where nothing is shared. leaks: whether a training on the one spoils a test of the other.
    """

    says: str
    leaks: bool


@dataclass(frozen=True)
class Matrix:
    """`rows[i][j]`: train of `names[i]`, dev and test of `names[j]`; None where the two were never compared."""

    names: tuple[str, ...]
    rows: tuple[tuple[Cell | None, ...], ...]


def leak_matrix(store: Store) -> Matrix:
    """The published corpora against each other, as the one that was sealed last of two found it."""
    found: dict[tuple[str, str], tuple[float, dict[str, Any]]] = {}
    names = []
    for name in store.corpus_names():
        try:
            corpus = store.corpus(name)
            own = corpus.manifest["leakage"]
            sealed_s = (corpus.path / "manifest.json").stat().st_mtime
            path = pairs_path(store, name)
            pairs = read_json(path)["pairs"] if path.is_file() else []
        except (StoreError, KeyError, OSError):
            continue
        names.append(name)
        for pair in [{**own, "train": name, "held_out": name}, *pairs]:
            place = (pair["train"], pair["held_out"])
            if place not in found or found[place][0] < sealed_s:
                found[place] = sealed_s, pair
    rows = tuple(
        tuple(_cell(found[row, column][1]) if (row, column) in found else None for column in names)
        for row in names
    )
    return Matrix(tuple(names), rows)


def _cell(pair: dict[str, Any]) -> Cell:
    within = pair["train"] == pair["held_out"]
    told = [
        f"{pair[key]} {word}"
        for key, word in LEAKS.items()
        if pair.get(key) and not (within and key == "speakers")
    ]
    return Cell(", ".join(told) or "nothing", bool(told))
