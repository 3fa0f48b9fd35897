"""A store with invented corpora, written as the corpora stage publishes them (transcripts only, no sound)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpora.text.normaliser import NORMALISER_VERSION, default_alphabet
from store.versions import link_current
from store.writing import write_json_atomic

WriteCorpus = Callable[[str, Mapping[str, Sequence[str]]], Path]


@pytest.fixture
def store_root(tmp_path: Path) -> Path:
    """An empty store."""
    root = tmp_path / "store"
    root.mkdir()
    return root


@pytest.fixture
def write_corpus(store_root: Path) -> WriteCorpus:
    """Publishes a corpus: name, {split: transcripts} → the folder of its version."""

    def write(name: str, splits: Mapping[str, Sequence[str]]) -> Path:
        version = f"v{sum(map(len, splits.values()))}"
        folder = store_root / "corpora" / name / version
        shards = []
        for split, texts in splits.items():
            path = folder / split / "part-00000.parquet"
            path.parent.mkdir(parents=True)
            rows = {"text": list(texts), "text_scoring": pa.nulls(len(texts), pa.string())}
            pq.write_table(pa.table(rows), path)
            shards.append({"path": f"{split}/part-00000.parquet", "split": split, "rows": len(texts)})
        manifest = {
            "kind": "corpus",
            "corpus": name,
            "version": version,
            "alphabet_hash": default_alphabet().hash,
            "normaliser_version": NORMALISER_VERSION,
            "splits": {split: {"utterances": len(texts)} for split, texts in splits.items()},
            "shards": shards,
        }
        write_json_atomic(folder / "manifest.json", manifest)
        link_current(folder.parent, version)
        return folder

    return write
