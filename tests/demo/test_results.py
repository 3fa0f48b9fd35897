"""The final figures: all stand in manifests or evaluations of the store, under the contract's keys."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from corpora.refresh.stage import refresh
from demo import results, spoken
from demo.chain import Source
from demo.layouts import Defects, librispeech, tones
from lm.build import build
from lm.settings import request_for
from store.opening import open_store
from store.store import Store
from store.writing import write_json_atomic
from training.decoding.weights import Weights
from training.errors import RunNotFoundError
from training.evaluation.evaluate import EvaluationRequest, inputs_of_evaluation
from training.runs import run_id_for
from training.settings import evaluations_of, read_retrain

RATES = {"wer": 0.187, "wer_mean_per_utterance": 0.18, "cer": 0.051, "wer_interval": [0.15, 0.22]}


@pytest.fixture
def store(store_root: Path, tmp_path: Path) -> Store:
    """A store with one imported corpus, one language model, and a made-up evaluation."""
    found = open_store(store_root)
    written = librispeech.write(tmp_path / "archive", tones.utterances(6), Defects(odd_token=1))
    refresh(Source("librispeech", "librispeech", (written.path,)).request)
    spoken.prepare(found, 1, ["librispeech"])
    build(request_for("default", found))
    run = run_id_for(read_retrain(found).config, found)
    state = {"run": run, "state": "finished", "step": 9, "steps": 9, "dev_wer": 0.2}
    write_json_atomic(found.runs_dir / run / "state.json", state)
    (entry,) = evaluations_of(run, found)
    made_up: dict[str, Any] = inputs_of_evaluation(EvaluationRequest(**entry), found, Weights())
    made_up |= {"id": "e1", "greedy": RATES, "corrected": {**RATES, "wer": 0.071}}
    made_up |= {"lm": {**RATES, "wer": 0.012}, "utterances": 6, "interval_by": "speaker"}
    made_up |= {"rtf": {"acoustic": 0.01, "decoder": 0.002}}
    write_json_atomic(found.evaluations_dir / "e1" / "evaluation.json", made_up)
    return found


def asked() -> results.Asked:
    return results.Asked(["librispeech"], spoken.HEADLINE, spoken.LANGUAGE_MODEL, {"seed": 1})


def test_keys_and_figures_of_the_contract(store: Store) -> None:
    result = results.collect(store, asked())
    assert result["seed"] == 1
    corpus = result["corpora"]["librispeech"]
    assert corpus["utterances"] == 6 * 3 * 3
    assert corpus["hours"] > 0
    assert sum(corpus["rejected"].values()) == 1
    assert result["lm"]["order"] == 3
    assert set(result["lm"]) >= {"order", "ngrams", "perplexity", "oov_rate"}
    assert result["evaluation"]["greedy"]["wer"] == 0.187
    assert result["evaluation"]["corrected"]["wer"] == 0.071
    assert result["evaluation"]["lm"]["wer"] == 0.012
    assert result["evaluation"]["corpus"] == "librispeech"


def test_the_table_says_the_same(store: Store) -> None:
    console = Console(file=io.StringIO(), width=140)
    console.print(results.table(results.collect(store, asked())))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    for figure in ("18.7 % → 7.1 % → 1.2 %", "5.1 %", "0.0100 + 0.0020"):
        assert figure in shown


def test_figures_of_another_version_do_not_count(store: Store, tmp_path: Path) -> None:
    written = librispeech.write(tmp_path / "other", tones.utterances(5))
    refresh(Source("librispeech", "librispeech", (written.path,)).request)
    with pytest.raises(RunNotFoundError):
        results.collect(store, asked())


def test_where_to_look_names_the_tunnel_only_over_ssh(monkeypatch: pytest.MonkeyPatch) -> None:
    status = {"url": "http://127.0.0.1:8081", "user": "admin", "password": "word", "port": 8081}
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    assert "ssh -L" not in results.where_to_look(status)
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 5000 10.0.0.2 22")
    monkeypatch.setenv("USER", "ann")
    said = results.where_to_look(status)
    assert "ssh -L 8081:127.0.0.1:8081 ann@10.0.0.2" in said
    assert "http://127.0.0.1:8081   user admin   password word" in said
