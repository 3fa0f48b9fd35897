"""The decoder's weights, picked on dev: the network runs once, the beam search many times.

Writes `runs/<run>/decoder-<lm hash>.json` (what was chosen, every point measured) and a picture of the surface
beside it; the points also lie in `runs/<run>/tuning/<key>.journal`, where a search that was stopped goes on.
The key is made of everything a measurement depends on.
"""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scoring.wer import ErrorRates, count_errors, unit_of
from store.corpus import Corpus
from store.opening import open_store
from store.store import Store
from store.writing import sha256_file, write_bytes_atomic, write_json_atomic
from training.decoding.network_outputs import Batch, NetworkOutputs, Wanted, labels_of_run, network_outputs
from training.decoding.search import SAMPLERS, Measured, Plan, Search
from training.decoding.weights import (
    DEFAULT_BEAM_WIDTH,
    DEFAULT_MODE,
    MODES,
    Weights,
    alphabet_of_network,
    weights_path,
)
from training.errors import ConfigError, DataError
from training.network.dataset import SplitChoice, evenly, usable_cores
from training.network.feed.feature_folder import corpus_or_folder
from training.runs import row_ids, run_dir_of

if TYPE_CHECKING:
    from native import Alphabet, Scorer

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TuneRequest:
    """Which network, language model and dev utterances; `language_model` is its folder.

    Several modes or beam widths are searched too. `trials` counts points of the sampler `tpe`; `jobs` points are
    measured at a time, and the same jobs, seed and trials give the same choice.
    """

    model: str
    language_model: str
    corpora: tuple[str, ...] | list[str]
    split: str = "dev"
    max_utterances: int = 300
    beam_widths: tuple[int, ...] | list[int] = (DEFAULT_BEAM_WIDTH,)
    modes: tuple[str, ...] | list[str] = (DEFAULT_MODE,)
    sampler: str = "tpe"
    trials: int = 60
    seed: int = 1
    jobs: int = 1
    log_probs: str | None = None  # a file of outputs instead of model and corpora; see evaluation/outside.py

    @property
    def plan(self) -> Plan:
        """How to search.

        Raises:
            ConfigError: an unknown sampler or mode, or a count below one.
        """
        for what, value, known in (("sampler", [self.sampler], SAMPLERS), ("mode", self.modes, MODES)):
            for one in value:
                if one not in known:
                    raise ConfigError(f"{what} {one!r} is not known; there are {', '.join(known)}")
        counts = {"trials": self.trials, "jobs": self.jobs, "beam width": min(self.beam_widths, default=0)}
        for name, count in counts.items():
            if count < 1:
                raise ConfigError(f"{name} {count} must be at least 1")
        modes, widths = tuple(dict.fromkeys(self.modes)), tuple(dict.fromkeys(self.beam_widths))
        return Plan(self.sampler, self.trials, self.seed, self.jobs, modes, widths)


class CachedLogProbabilities:
    """Log-probabilities of a set of utterances in memory, to be decoded again and again."""

    def __init__(self, outputs: list[NetworkOutputs]) -> None:
        self.texts = [text for one in outputs for text in one.texts]
        self._batches: list[Batch] = []
        first = 0
        for one in outputs:
            self._batches += [(i + first, p, n) for i, p, n in one.batches()]
            first += len(one)

    def errors(self, alphabet: Alphabet, scorer: Scorer, weights: Weights, threads: int = 1) -> ErrorRates:
        """Error rates of the beam search at these weights."""
        import native

        found = [""] * len(self.texts)
        priced = scorer.with_weights(weights.alpha, weights.beta)
        for indices, log_probs, lengths in self._batches:
            answers = native.decode(
                log_probs,
                lengths,
                alphabet,
                scorer=priced,
                beam_width=weights.beam_width,
                threads=threads,
                mode=weights.mode,
            )
            for index, hypotheses in zip(indices, answers, strict=True):
                found[int(index)] = hypotheses[0].text if hypotheses else ""
        return count_errors(self.texts, found)


def tune_decoder(request: TuneRequest, store: Store | None = None) -> dict[str, Any]:
    """Pick the weights on dev and write them into the run's folder; returns what was written, with its path.

    Raises:
        ConfigError: the request cannot be. DataError: the split has no utterance, or the language model is of another
            alphabet than the network.
        ScorerError: the language model cannot be used.
    """
    import native

    store, plan = store or open_store(), request.plan
    scorer = native.Scorer.load(request.language_model)
    run_dir, labels, corpora, outputs = _tuned_on(request, store, scorer)
    alphabet = alphabet_of_network(labels, scorer)
    cached = CachedLogProbabilities(outputs)
    threads = max(1, usable_cores() // plan.jobs)

    def measure(weights: Weights) -> Measured:
        rates = cached.errors(alphabet, scorer, weights, threads)
        characters = sum(one.character_edits for one in rates.per_utterance)
        return Measured(weights, int(rates.edits.sum()), characters, rates.wer, rates.cer)

    key = _key(outputs, scorer.lm_hash, plan)
    with store.lock(f"runs/{run_dir.name}/tuning/{key}"):
        search = Search(plan, run_dir / "tuning" / f"{key}.journal", measure)
        best = search.run()
    shown = (best.weights.alpha, best.weights.beta, 100 * best.wer, len(search.points))
    log.info("alpha %.3f, beta %.3f: dev error rate %.2f %% over %d points", *shown)
    chosen = _chosen(request, best, search) | {
        "corpora": {one.name: one.version for one in corpora},
        "lm_hash": scorer.lm_hash,
        "utterances": len(cached.texts),
        "unit": unit_of(cached.texts),
    }
    return _write(run_dir, chosen)


def _tuned_on(
    request: TuneRequest, store: Store, scorer: Scorer
) -> tuple[Path, tuple[str, ...], list[Corpus], list[NetworkOutputs]]:
    """Where the weights go, the network's labels, the corpora and their log-probabilities.

    Refuses the language model of another alphabet before the network has heard anything.
    """
    if request.log_probs is not None:
        from training.evaluation.outside import LogProbsFile

        outside = LogProbsFile.open(Path(request.log_probs))
        ids = evenly(
            [row["id"] for row in outside.rows if row["split"] == request.split], request.max_utterances
        )
        if not ids:
            raise DataError(f"no utterance in split {request.split!r} of {outside.path} to tune on")
        found = [outside.outputs(store, request.split, frozenset(ids))]
        return outside.run_dir(store), outside.labels, [outside], found
    run_dir = run_dir_of(store, request.model)
    corpora, labels = [corpus_or_folder(store, name) for name in request.corpora], labels_of_run(run_dir)
    alphabet_of_network(labels, scorer)
    return run_dir, labels, corpora, _dev_outputs(request, run_dir, corpora, store)


def _dev_outputs(
    request: TuneRequest, run_dir: Path, corpora: list[Corpus], store: Store
) -> list[NetworkOutputs]:
    """Log-probabilities of at most `max_utterances`, spread evenly over the corpora's split."""
    choice = SplitChoice(request.split)
    chosen = [name for name, _ in evenly(row_ids(corpora, choice), request.max_utterances)]
    if not chosen:
        raise DataError(f"no utterance in split {request.split!r} of {', '.join(request.corpora)} to tune on")
    found = []
    for corpus in corpora:
        own = frozenset(n.removeprefix(f"{corpus.name}/") for n in chosen if n.startswith(f"{corpus.name}/"))
        if own:
            found.append(network_outputs(run_dir, Wanted(corpus, choice, own), store))
    return found


def _key(outputs: list[NetworkOutputs], lm_hash: str, plan: Plan) -> str:
    """What a measurement depends on: log-probabilities, language model, beam settings, the decoder itself."""
    from native import _core

    parts = {
        "log_probs": [one.path.name for one in outputs],
        "lm_hash": lm_hash,
        "modes": plan.modes,
        "beam_widths": plan.beam_widths,
        "decoder": sha256_file(Path(_core.__file__)),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _chosen(request: TuneRequest, best: Measured, search: Search) -> dict[str, Any]:
    points = sorted(
        search.points.values(),
        key=lambda p: (p.weights.mode, p.weights.beam_width, p.weights.alpha, p.weights.beta),
    )
    return {
        **best.weights.as_json(),
        "wer": best.wer,
        "cer": best.cer,
        "split": request.split,
        "sampler": search.plan.sampler,
        "seed": search.plan.seed,
        "surface": [{**p.weights.as_json(), "wer": p.wer, "cer": p.cer} for p in points],
    }


def _write(run_dir: Path, chosen: dict[str, Any]) -> dict[str, Any]:
    from training.pages.surface_plot import surface_svg

    path = weights_path(run_dir, chosen["lm_hash"])
    write_bytes_atomic(path.with_suffix(".svg"), surface_svg(chosen).encode())
    write_json_atomic(path, chosen)
    return {**chosen, "run": run_dir.name, "path": str(path)}
