"""An evaluation scored by a standard: from the raw references, by part of the set, written beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from store.opening import open_store
from store.store import Store
from store.writing import read_json
from training.errors import DataError
from training.evaluation.standard import evaluate_by, standard_lines


def evaluation(store: Store, names: list[str], heard: list[str]) -> dict[str, str]:
    folder = store.evaluations_dir / "e1"
    folder.mkdir(parents=True)
    columns = {
        "utterance_id": names, "speaker_id": ["s"] * len(names), "subset": ["swbd"] * len(names), "greedy": heard,
        "corrected": pa.nulls(len(names), pa.string()), "lm": pa.nulls(len(names), pa.string()),
    }  # fmt: skip
    pq.write_table(pa.table(columns), folder / "utterances.parquet")
    return {"id": "e1", "corpus": "tones", "split": "test"}


@pytest.fixture(name="test_set")
def test_set_fixture(tmp_path: Path, tones: Any) -> Store:
    store = open_store(tmp_path)
    texts = ("{ a / b } c", "(uh) c")
    clips = [replace(one, utterance_id=f"u{i}", text=texts[i]) for i, one in enumerate(tones.clips(2, 1))]
    tones.publish(store, "tones", {"test": clips})
    return store


def test_all_alternatives_count(test_set: Store) -> None:
    result = evaluate_by("hub5", evaluation(test_set, ["u0", "u1"], ["b c", "d"]), test_set)
    assert result["decoders"]["greedy"]["errors"] == 1
    assert result["decoders"]["greedy"]["parts"]["swbd"]["words"] == 4
    assert set(result["decoders"]) == {"greedy"} and result["segments_refused_at_import"] == 1
    assert read_json(test_set.evaluations_dir / "e1" / "standard-hub5.json") == result
    assert "25.00%" in standard_lines(result)[1] and "refused at import" in standard_lines(result)[2]


def test_rows_that_are_gone_are_a_sentence(test_set: Store) -> None:
    with pytest.raises(DataError, match=r"1 utterances of evaluation e1 .*gone"):
        evaluate_by("hub5", evaluation(test_set, ["u0", "gone"], ["b c", "d"]), test_set)
