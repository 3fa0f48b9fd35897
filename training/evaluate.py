"""A run and a corpus -> word error rates, greedy and with a language model, with their intervals and times.

    evaluations/<id>/{evaluation.json, utterances.parquet}

Log-probabilities are computed batch by batch, decoded at once and dropped. Written last: evaluation.json.
The id comes from the inputs and the texts found, never from timings. Weights come from
`decoder_weights.py`, drawn pages from `report.py`.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpora.store import Corpus, Store, read_json, write_bytes_atomic, write_json_atomic
from training.acoustic import LogProbabilities, Network, load_network
from training.dataset import Dataset, SplitChoice, clips_of, usable_cores
from training.decoder_weights import Weights, alphabet_of_network, weights_for
from training.errors import DataError
from training.runs import run_dir_of
from training.stopwatch import Stopwatch
from training.wer import ErrorRates, count_errors, wer_interval

log = logging.getLogger(__name__)
_FACTS = ("utterance_id", "speaker_id", "gender", "subset", "duration_s", "text", "text_scoring", "measures")


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


@dataclass(frozen=True)
class _Texts:
    """What was heard, in the corpus' order, and how long it took."""

    greedy: list[str]
    lm: list[str] | None
    acoustic: Stopwatch
    decoder: Stopwatch


def evaluate(request: EvaluationRequest, store: Store | None = None) -> dict[str, Any]:
    """Measure and publish; returns evaluation.json's content with its path.

    Raises:
        DataError: the split or subset holds no utterance, or the language model is of another alphabet.
        NotPublishedError, RunNotFoundError, ScorerError: corpus, run or language model cannot be used.
    """
    import native

    store = store or Store.open()
    run_dir, corpus = run_dir_of(store, request.model), store.corpus(request.corpus)
    facts = _facts(corpus, request)
    scorer = None
    weights = Weights()
    if request.language_model is not None:
        scorer = native.Scorer.load(request.language_model)
        weights = _weights(request, run_dir, scorer.lm_hash)
        scorer = scorer.with_weights(weights.alpha, weights.beta)
    network = load_network(run_dir)
    alphabet_of_network(network.labels, scorer)
    texts = _recognise(request, corpus, network, (scorer, weights))
    evaluation = _summary(facts, texts)
    inputs = inputs_of_evaluation(request, store, weights)
    evaluation.update({**inputs, "kind": "evaluation"})
    table = _utterance_table(facts, texts)
    evaluation["id"] = _content_id(inputs, table)
    folder = store.evaluations_dir / evaluation["id"]
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    write_bytes_atomic(folder / "utterances.parquet", buffer.getvalue())
    write_json_atomic(folder / "evaluation.json", evaluation)
    return {**evaluation, "path": str(folder)}


def _facts(corpus: Corpus, request: EvaluationRequest) -> pa.Table:
    """The rows to measure, without sound."""
    batches = list(corpus.batches(split=request.split, subset=request.subset, columns=list(_FACTS)))
    rows = sum(batch.num_rows for batch in batches)
    if rows == 0:
        there = ", ".join(f"{name}" for name in corpus.splits) or "none"
        what = f"split {request.split!r}" + (f" with subset {request.subset!r}" if request.subset else "")
        raise DataError(
            f"corpus {corpus.name} {corpus.version} has no utterance in {what}; its splits: {there}"
        )
    return pa.Table.from_batches(batches)


def _weights(request: EvaluationRequest, run_dir: Path, lm_hash: str) -> Weights:
    tuned = weights_for(run_dir, lm_hash)
    return Weights(
        tuned.alpha if request.alpha is None else request.alpha,
        tuned.beta if request.beta is None else request.beta,
        request.beam_width or tuned.beam_width,
    )


def _recognise(
    request: EvaluationRequest, corpus: Corpus, network: Network, decoder: tuple[Any, Weights]
) -> _Texts:
    """Run the network over the rows, and both decoders over its output."""
    import native

    scorer, weights = decoder
    alphabet = alphabet_of_network(network.labels)
    choice = SplitChoice(request.split, (request.subset,) if request.subset else ())
    acoustic, decoding = Stopwatch(), Stopwatch()
    probabilities = LogProbabilities(network)
    probabilities.warm_up()
    with acoustic:
        dataset = Dataset.from_clips(
            clips_of(corpus, choice, scoring=True), alphabet, network.config.features
        )
    greedy = [""] * len(dataset)
    lm = [""] * len(dataset) if scorer is not None else None
    batches = probabilities.of_dataset(dataset)
    while True:
        with acoustic:
            one = next(batches, None)
        if one is None:
            break
        indices, log_probs, lengths = one
        for index, hypothesis in zip(indices, native.greedy(log_probs, lengths, alphabet), strict=True):
            greedy[int(index)] = hypothesis.text
        if lm is None:
            continue
        with decoding:
            answers = native.decode(
                log_probs,
                lengths,
                alphabet,
                scorer=scorer,
                beam_width=weights.beam_width,
                threads=usable_cores(),
            )
        for index, hypotheses in zip(indices, answers, strict=True):
            lm[int(index)] = hypotheses[0].text if hypotheses else ""
    return _Texts(greedy, lm, acoustic, decoding)


def _references(facts: pa.Table) -> list[str]:
    pairs = zip(facts["text"].to_pylist(), facts["text_scoring"].to_pylist(), strict=True)
    return [scoring if scoring is not None else text for text, scoring in pairs]


def _summary(facts: pa.Table, texts: _Texts) -> dict[str, Any]:
    references = _references(facts)
    speakers = [name or "" for name in facts["speaker_id"].to_pylist()]
    seconds = float(pc.sum(facts["duration_s"]).as_py())
    found = {"greedy": count_errors(references, texts.greedy)}
    if texts.lm is not None:
        found["lm"] = count_errors(references, texts.lm)
    factors = {"acoustic": texts.acoustic.wall_s / seconds, "decoder": texts.decoder.wall_s / seconds}
    cpu = {"acoustic": texts.acoustic.cpu_s / seconds, "decoder": texts.decoder.cpu_s / seconds}
    return {
        "greedy": rates_as_json(found["greedy"], speakers),
        "lm": rates_as_json(found["lm"], speakers) if "lm" in found else None,
        "utterances": facts.num_rows,
        "words": found["greedy"].words,
        "hours": seconds / 3600,
        "rtf": {name: round(value, 6) for name, value in factors.items()},
        "rtf_cpu": {name: round(value, 6) for name, value in cpu.items()},
        "speakers": _by_group(found, speakers),
        "genders": _by_group(found, [name or "unknown" for name in facts["gender"].to_pylist()]),
    }


def rates_as_json(rates: ErrorRates, speakers: list[str]) -> dict[str, Any]:
    """Error rates with their 95 % interval, as the contract names them."""
    return {
        "wer": rates.wer,
        "wer_mean_per_utterance": rates.wer_mean_per_utterance,
        "cer": rates.cer,
        "wer_interval": list(wer_interval(rates, speakers)),
        "substitutions": rates.substitutions,
        "deletions": rates.deletions,
        "insertions": rates.insertions,
    }


def _by_group(found: Mapping[str, ErrorRates], groups: list[str]) -> dict[str, Any]:
    """Utterances and WER of each decoder, for each group."""
    table: dict[str, Any] = {}
    for name in sorted(set(groups)):
        members = [index for index, group in enumerate(groups) if group == name]
        entry: dict[str, Any] = {"utterances": len(members)}
        for decoder, rates in found.items():
            entry[decoder] = ErrorRates(tuple(rates.per_utterance[index] for index in members)).wer
        table[name] = entry
    return table


def inputs_of_evaluation(request: EvaluationRequest, store: Store, weights: Weights) -> dict[str, Any]:
    """What the result depends on, as JSON."""
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
        "run": run_dir_of(store, request.model).name,
        "corpus": request.corpus,
        "corpus_version": store.corpus(request.corpus).version,
        "split": request.split,
        "subset": request.subset,
        "language_model": lm,
        "decoder": {"alpha": weights.alpha, "beta": weights.beta, "beam_width": weights.beam_width}
        if lm
        else None,
    }


def _content_id(inputs: dict[str, Any], table: pa.Table) -> str:
    digest = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode())
    for column in ("utterance_id", "reference", "greedy", "lm"):
        digest.update(json.dumps(table[column].to_pylist()).encode())
    return digest.hexdigest()[:16]


def _utterance_table(facts: pa.Table, texts: _Texts) -> pa.Table:
    """One row per utterance, for the report and for whoever looks closer."""
    references = _references(facts)
    greedy = count_errors(references, texts.greedy).per_utterance
    lm_texts = texts.lm if texts.lm is not None else [None] * len(references)
    lm = count_errors(references, texts.lm).per_utterance if texts.lm is not None else None
    table = facts.select(["utterance_id", "speaker_id", "gender", "subset", "duration_s"])
    table = table.append_column("snr_db", pc.struct_field(facts["measures"], "snr_db"))
    for name, values, kind in (
        ("reference", references, pa.string()),
        ("greedy", texts.greedy, pa.string()),
        ("lm", lm_texts, pa.string()),
        ("words", [one.words for one in greedy], pa.int32()),
        ("greedy_edits", [one.edits for one in greedy], pa.int32()),
        ("lm_edits", [one.edits for one in lm] if lm else [None] * len(references), pa.int32()),
    ):
        table = table.append_column(name, pa.array(values, kind))
    return table


def evaluations(store: Store) -> list[dict[str, Any]]:
    """All published evaluations, sorted by run, corpus, language model."""
    found = [read_json(path) for path in sorted(store.evaluations_dir.glob("*/evaluation.json"))]
    return sorted(
        found, key=lambda one: (one["run"], one["corpus"], json.dumps(one["language_model"], sort_keys=True))
    )


def find_evaluation(request: EvaluationRequest, store: Store) -> dict[str, Any] | None:
    """The published evaluation of exactly these inputs (with the weights it would use now), or None."""
    run_dir = run_dir_of(store, request.model)
    weights = Weights()
    if request.language_model is not None:
        manifest = read_json(Path(request.language_model) / "manifest.json")
        weights = _weights(request, run_dir, manifest["identity"]["lm_hash"])
    wanted = inputs_of_evaluation(request, store, weights)
    for one in evaluations(store):
        if all(one.get(key) == value for key, value in wanted.items()):
            return one
    return None
