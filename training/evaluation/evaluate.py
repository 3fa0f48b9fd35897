"""A run and a corpus -> word error rates by every decoder, published in the store.

    evaluations/<id>/{evaluation.json, utterances.parquet}

Log-probabilities come from `network_outputs.py`, texts from `recognise.py`, figures from
`evaluation_figures.py`, weights from `decoder_weights.py`; pages are drawn by `report.py`. The id comes from the
inputs and the texts found, never from timings. Written last: evaluation.json.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from store.corpus import Corpus
from store.opening import open_store
from store.store import Store
from store.writing import read_json, write_bytes_atomic, write_json_atomic
from training.decoding.network_outputs import NetworkOutputs, Wanted, labels_of_run, network_outputs
from training.decoding.recognise import Decoder, Texts, recognise
from training.decoding.weights import Weights, alphabet_of_network, weights_for
from training.errors import DataError
from training.evaluation.contamination import contamination
from training.evaluation.figures import figures_of
from training.evaluation.outside import LogProbsFile
from training.evaluation.utterance_table import FACTS, heard_of, utterance_table
from training.network.dataset import SplitChoice, usable_cores
from training.network.feed.feature_folder import corpus_or_folder
from training.runs import run_dir_of

log = logging.getLogger(__name__)
_FORMAT = 2  # raised when the same inputs would give other figures or other keys
_NO_INPUTS = ("contamination", "rtf", "rtf_cpu")  # of what is told of an evaluation


@dataclass(frozen=True)
class EvaluationRequest:
    """What to measure. `model` is a run's id or folder, `language_model` a folder (None = greedy only);
    weights that are None come from the run's tuning, else from the defaults."""

    model: str
    corpus: str
    language_model: str | None = None
    split: str = "test"
    subset: str | None = None
    alpha: float | None = None
    beta: float | None = None
    beam_width: int | None = None
    mode: str | None = None
    log_probs: str | None = None  # a file of outputs instead of model and corpus; see outside.py


def evaluate(request: EvaluationRequest, store: Store | None = None) -> dict[str, Any]:
    """Measure and publish; returns evaluation.json's content with its path.

    Raises:
        DataError: the split or subset holds no utterance, the language model is of another alphabet, or the
            decoder is asked for what it cannot do.
        NotPublishedError, RunNotFoundError, ScorerError: corpus, run or language model cannot be used.
    """
    import native

    _check(request)
    store = store or open_store()
    measured = measured_by(request, store)
    run_dir, corpus = measured.run_dir, measured.corpus
    facts = facts_of(corpus, request)
    scorer, weights = None, Weights()
    if request.language_model is not None:
        scorer = native.Scorer.load(request.language_model)
        weights = chosen_weights(request, run_dir, scorer.lm_hash)
    alphabet_of_network(measured.labels, scorer)
    outputs, labels = measured.outputs(request, store), measured.labels
    texts = recognise(outputs, Decoder(labels, scorer, weights, usable_cores()))
    inputs = inputs_of_evaluation(request, store, weights)
    told = contamination(run_dir, corpus, request.split, scorer.lm_hash if scorer else None)
    return publish(
        facts, texts, {**inputs, **real_time_factors(outputs, texts), "contamination": told}, store
    )


def publish(facts: pa.Table, texts: Texts, told: dict[str, Any], store: Store) -> dict[str, Any]:
    """Write an evaluation of these texts with all that is `told` of it; answers evaluation.json with its path."""
    table = utterance_table(facts, texts)
    inputs = {key: value for key, value in told.items() if key not in _NO_INPUTS}
    evaluation = {
        **figures_of(heard_of(table)),
        **told,
        "kind": "evaluation",
        "id": _content_id(inputs, table),
    }
    folder = store.evaluations_dir / evaluation["id"]
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    write_bytes_atomic(folder / "utterances.parquet", buffer.getvalue())
    write_json_atomic(folder / "evaluation.json", evaluation)
    return {**evaluation, "path": str(folder)}


@dataclass(frozen=True)
class Measured:
    """Whose outputs are measured on what."""

    run_dir: Path
    corpus: Corpus
    labels: tuple[str, ...]

    def outputs(self, request: EvaluationRequest, store: Store) -> NetworkOutputs:
        """Log-probabilities of the rows asked for."""
        if isinstance(self.corpus, LogProbsFile):
            return self.corpus.outputs(store, request.split)
        choice = SplitChoice(request.split, (request.subset,) if request.subset else ())
        return network_outputs(self.run_dir, Wanted(self.corpus, choice), store)


def measured_by(request: EvaluationRequest, store: Store) -> Measured:
    """Who is measured on what. Raises DataError, NotPublishedError, RunNotFoundError for what is not there."""
    if request.log_probs is not None:
        outside = LogProbsFile.open(Path(request.log_probs))
        return Measured(outside.run_dir(store), outside, outside.labels)
    run_dir = run_dir_of(store, request.model)
    corpus = corpus_or_folder(store, request.corpus)
    return Measured(run_dir, corpus, labels_of_run(run_dir))


def _check(request: EvaluationRequest) -> None:
    """Refuses a decoder's settings that would be passed over or mean nothing."""
    chosen = {key: getattr(request, key) for key in ("alpha", "beta", "beam_width", "mode")}
    given = [f"{key.replace('_', ' ')} {value}" for key, value in chosen.items() if value is not None]
    if given and request.language_model is None:
        raise DataError(
            f"{', '.join(given)} is for the beam search with a language model, and none is named (--lm)"
        )
    if request.beam_width is not None and request.beam_width < 1:
        raise DataError(f"beam width {request.beam_width} must be at least 1")
    for key in ("alpha", "beta"):
        if chosen[key] is not None and not math.isfinite(chosen[key]):
            raise DataError(f"{key} {chosen[key]} is no finite number")


def facts_of(corpus: Corpus, request: EvaluationRequest) -> pa.Table:
    """The rows to measure, without sound."""
    batches = list(corpus.batches(split=request.split, subset=request.subset, columns=list(FACTS)))
    rows = sum(batch.num_rows for batch in batches)
    if rows == 0:
        there = ", ".join(f"{name}" for name in corpus.splits) or "none"
        what = f"split {request.split!r}" + (f" with subset {request.subset!r}" if request.subset else "")
        raise DataError(
            f"corpus {corpus.name} {corpus.version} has no utterance in {what}; its splits: {there}"
        )
    return pa.Table.from_batches(batches)


def chosen_weights(request: EvaluationRequest, run_dir: Path, lm_hash: str) -> Weights:
    """Those that were tuned, or the defaults, but for what is asked for."""
    tuned = weights_for(run_dir, lm_hash)
    return Weights(
        tuned.alpha if request.alpha is None else request.alpha,
        tuned.beta if request.beta is None else request.beta,
        tuned.beam_width if request.beam_width is None else request.beam_width,
        request.mode or tuned.mode,
    )


def real_time_factors(outputs: NetworkOutputs, texts: Texts) -> dict[str, Any]:
    """Seconds of work per second of speech: `rtf` by the clock, `rtf_cpu` summed over threads.

    The network's are those of the time when its log-probabilities were computed.
    """
    seconds = max(1e-9, outputs.seconds)
    wall = {"acoustic": outputs.acoustic["wall_s"], **texts.wall_s}
    cpu = {"acoustic": outputs.acoustic["cpu_s"], **texts.cpu_s}
    return {
        "rtf": {name: round(value / seconds, 7) for name, value in wall.items()},
        "rtf_cpu": {name: round(value / seconds, 7) for name, value in cpu.items()},
    }


def inputs_of_evaluation(request: EvaluationRequest, store: Store, weights: Weights) -> dict[str, Any]:
    """What the result depends on, as JSON."""
    if request.log_probs is not None:
        corpus: Corpus = LogProbsFile.open(Path(request.log_probs))
        run = f"outside-{corpus.version}"
    else:
        corpus, run = corpus_or_folder(store, request.corpus), run_dir_of(store, request.model).name
    lm = None
    if request.language_model is not None:
        manifest = read_json(Path(request.language_model) / "manifest.json")
        folder = Path(request.language_model).resolve()
        lm = {
            "name": manifest.get("name") or folder.parent.name,
            "version": manifest.get("version") or folder.name,
            "lm_hash": manifest["identity"]["lm_hash"],
        }
    return {
        "format": _FORMAT,
        "run": run,
        "corpus": corpus.name,
        "corpus_version": corpus.version,
        "split": request.split,
        "subset": request.subset,
        "language_model": lm,
        "decoder": weights.as_json() if lm else None,
    }


def _content_id(inputs: dict[str, Any], table: pa.Table) -> str:
    digest = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode())
    for column in ("utterance_id", "reference", "greedy", "corrected", "lm"):
        digest.update(json.dumps(table[column].to_pylist()).encode())
    return digest.hexdigest()[:16]


def evaluations(store: Store, rescored: bool = False) -> list[dict[str, Any]]:
    """All published evaluations of runs by themselves, sorted by run, corpus, language model; with `rescored` also those
    that other networks had a say in."""
    everything = [read_json(path) for path in sorted(store.evaluations_dir.glob("*/evaluation.json"))]
    found = [one for one in everything if rescored or "rescored" not in one]
    return sorted(
        found, key=lambda one: (one["run"], one["corpus"], json.dumps(one["language_model"], sort_keys=True))
    )


def find_evaluation(request: EvaluationRequest, store: Store) -> dict[str, Any] | None:
    """The published evaluation of exactly these inputs (with the weights it would use now), or None.

    A language model is the same when its binary is: a version whose inputs differ, and whose n-grams do not, measures
    nothing anew.
    """
    run_dir = run_dir_of(store, request.model)
    weights = Weights()
    if request.language_model is not None:
        manifest = read_json(Path(request.language_model) / "manifest.json")
        weights = chosen_weights(request, run_dir, manifest["identity"]["lm_hash"])
    wanted = inputs_of_evaluation(request, store, weights)
    plain = {key: value for key, value in wanted.items() if key != "language_model"}
    for one in evaluations(store):
        same = _lm_identity(one.get("language_model")) == _lm_identity(wanted["language_model"])
        if same and all(one.get(key) == value for key, value in plain.items()):
            return one
    return None


def _lm_identity(model: dict[str, Any] | None) -> tuple[Any, Any] | None:
    return None if model is None else (model.get("name"), model.get("lm_hash"))
