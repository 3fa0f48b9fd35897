"""Where the newest evaluation of the store went wrong, by word and by letter: asked for by sentences/supply.py."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from collect.sentences.supply import LEAST_HEARD, Weakness
from store.errors import StoreError
from store.store import Store
from store.writing import read_json

_DECODERS = ("lm", "corrected", "greedy")


def newest_weakness(store: Store, language: str) -> Weakness:
    """Error rates from the evaluation that was written last; none without one.

    An evaluation of another language than `language` says nothing and is passed over.
    """
    paths = sorted(
        store.evaluations_dir.glob("*/evaluation.json"), key=lambda path: path.stat().st_mtime, reverse=True
    )
    for path in paths:
        try:
            name = str(read_json(path).get("corpus", ""))
            if store.corpus(name).manifest["language"].partition("-")[0] != language.partition("-")[0]:
                continue
            return weakness_of(*_texts(path.parent / "utterances.parquet"))
        except (StoreError, OSError, KeyError):
            continue
    return Weakness()


def _texts(path: Path) -> tuple[list[str], list[str]]:
    import pyarrow.parquet as pq

    table = pq.read_table(path, columns=["reference", *_DECODERS])
    decoder = next((one for one in _DECODERS if table[one].null_count < table.num_rows), _DECODERS[-1])
    return table["reference"].to_pylist(), [text or "" for text in table[decoder].to_pylist()]


def weakness_of(references: list[str], heard: list[str]) -> Weakness:
    """Error rates by word and by letter: how many of those that were said were not heard, aligned by edits."""
    from rapidfuzz.distance import Levenshtein

    said: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    letters_said: Counter[str] = Counter()
    letters_lost: Counter[str] = Counter()
    for reference, hypothesis in zip(references, heard, strict=True):
        words, letters = reference.split(), reference.replace(" ", "")
        said.update(words)
        letters_said.update(letters)
        for edit in Levenshtein.editops(words, hypothesis.split()):
            if edit.tag != "insert":
                lost[words[edit.src_pos]] += 1
        for edit in Levenshtein.editops(letters, hypothesis.replace(" ", "")):
            if edit.tag != "insert":
                letters_lost[letters[edit.src_pos]] += 1
    return Weakness(
        {word: lost[word] / count for word, count in said.items() if count >= LEAST_HEARD},
        {letter: letters_lost[letter] / count for letter, count in letters_said.items()},
    )
