"""Evaluations and packages made by hand: what a registry and a page need, without a network."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from scoring.wer import count_errors
from store.store import Store
from store.writing import sha256_file, write_json_atomic
from training.release.registry import Registry

SAID = [f"the mill turns by the river number {word}" for word in ("one", "two", "three", "four") * 6]
BAD = [text.replace("mill", "mile").replace("river", "rover") for text in SAID]


def evaluation(store: Store, name: str, run: str, heard: list[str], **facts: Any) -> str:
    """An evaluation of the corpus *town* (or as `facts` say) in which every sentence was heard as given."""
    folder = store.evaluations_dir / name
    folder.mkdir(parents=True)
    rates = count_errors(SAID, heard)
    count = len(SAID)
    table = {
        "utterance_id": [f"u{index}" for index in range(count)],
        "corpus": [facts.get("corpus", "town")] * count,
        "speaker_id": [f"s{index % 6}" for index in range(count)],
        "gender": ["f"] * count,
        "duration_s": [2.0] * count,
        "snr_db": [20.0] * count,
        "source_path": ["a.zip/one.wav"] * count,
        "reference": SAID,
        "words": [len(text.split()) for text in SAID],
        "greedy": heard,
        "greedy_edits": [one.edits for one in rates.per_utterance],
    }
    pq.write_table(pa.table(table), folder / "utterances.parquet")
    said = {
        "id": name, "run": run, "corpus": "town", "corpus_version": "v1", "split": "test", "subset": None,
        "language_model": None, "decoder": None, "format": 2, "utterances": count, "contamination": [],
        "greedy": {"wer": rates.wer, "cer": 0.1, "wer_interval": [0.0, 1.0]}, "lm": None, "corrected": None, "rtf": {},
    }  # fmt: skip
    write_json_atomic(folder / "evaluation.json", said | facts)
    return name


def package(store: Store, model: str, run: str, measured: list[str]) -> None:
    """A package of one file, a candidate."""
    (store.runs_dir / run).mkdir(parents=True, exist_ok=True)
    folder = store.root / "models" / model
    folder.mkdir(parents=True)
    (folder / "weights.npz").write_bytes(model.encode())
    files = {"weights.npz": {"bytes": len(model), "sha256": sha256_file(folder / "weights.npz")}}
    told = [json.loads((store.evaluations_dir / one / "evaluation.json").read_text()) for one in measured]
    manifest = {
        "model": model,
        "run": run,
        "files": files,
        "evaluations": told,
        "hours_by_corpus": {"town": 1.0},
        "language": "en",
        "parameters": 1,
    }
    write_json_atomic(folder / "model.json", manifest)
    Registry(store).register(model, "made by a test", "tester")
