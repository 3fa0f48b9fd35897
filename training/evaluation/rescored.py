"""A run measured with other networks' opinion of its texts: `training rescore`.

The run's beam search proposes candidates, the others judge them too (`decoding/rescore.py`); the weights of language
model and words are picked on dev. The evaluation that is published has the run's own greedy and corrected texts, and as
`lm` those that all together took; `rescored` in its JSON names the networks, what was picked and where, and the run's
rate alone.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from scoring.wer import count_errors
from store.opening import open_store
from store.store import Store
from training.decoding.network_outputs import NetworkOutputs
from training.decoding.recognise import Decoder, Texts, recognise
from training.decoding.rescore import (
    Candidates,
    Doubles,
    Speller,
    candidates_of,
    log_likelihoods,
    pick_weights,
)
from training.decoding.stopwatch import Stopwatch
from training.decoding.weights import Weights, alphabet_of_network
from training.errors import DataError
from training.evaluation.contamination import contamination
from training.evaluation.evaluate import (
    EvaluationRequest,
    Measured,
    chosen_weights,
    facts_of,
    inputs_of_evaluation,
    measured_by,
    publish,
    real_time_factors,
)
from training.evaluation.outside import LogProbsFile
from training.network.dataset import usable_cores

if TYPE_CHECKING:
    from native import Scorer

log = logging.getLogger(__name__)
CANDIDATES = 100


@dataclass(frozen=True)
class RescoreRequest:
    """Whose candidates (`first`, with a language model), and who judges them too: runs, or files of outputs (.npz).

    `RUN:DIR` is a run that hears another folder of features of the same utterances; so a network can judge with itself,
    having heard the sound in another way.
    """

    first: EvaluationRequest
    others: tuple[str, ...]
    share: float | None = None  # of the others together; None: every network has the same say
    tune_split: str = "dev"
    candidates: int = CANDIDATES


def rescore(request: RescoreRequest, store: Store | None = None) -> dict[str, Any]:
    """Pick the weights on `tune_split`, measure the split, publish; answers evaluation.json's content with its path.

    Raises:
        DataError: nobody else is named, no language model, a network lacks an utterance or cannot write a word of it.
        NotPublishedError, RunNotFoundError, ScorerError: corpus, run or language model cannot be used.
    """
    import native

    _check(request)
    store, first = store or open_store(), request.first
    scorer = native.Scorer.load(str(first.language_model))
    networks = [measured_by(first, store), *(_other(name, first, store) for name in request.others)]
    weights = chosen_weights(first, networks[0].run_dir, scorer.lm_hash)
    panel = _Panel(networks, scorer, weights, request.candidates)
    tuned, truth = panel.candidates(replace(first, split=request.tune_split), store)
    share = len(request.others) / len(networks) if request.share is None else request.share
    alpha, beta, wrong = pick_weights(tuned, truth, share)
    wer = wrong / max(1, count_errors(truth, truth).words)
    log.info("alpha %.1f, beta %.1f: %.2f %% on %s", alpha, beta, 100 * wer, request.tune_split)

    outputs = networks[0].outputs(first, store)
    texts = recognise(outputs, Decoder(networks[0].labels, scorer, weights, usable_cores()))
    watch = Stopwatch()
    with watch:
        measured, references = panel.candidates(first, store)
    chosen = [one.texts[one.best(share, alpha, beta)] if one.texts else "" for one in measured]
    alone = count_errors(references, texts.by_decoder["lm"]).wer
    together = _together(texts, chosen, watch)
    told = {
        **inputs_of_evaluation(first, store, weights),
        "rescored": {
            "networks": [_name(one, networks[0]) for one in networks],
            "candidates": request.candidates,
            "share": round(share, 4),
            "alpha": alpha,
            "beta": beta,
            "picked_on": {"split": request.tune_split, "utterances": len(truth), "wer": wer},
            "alone_wer": alone,
        },
        **real_time_factors(outputs, together),
        "contamination": _contamination(request, networks, scorer),
    }
    return publish(facts_of(networks[0].corpus, first), together, told, store)


def _together(alone: Texts, chosen: list[str], watch: Stopwatch) -> Texts:
    """The first network's texts with those that all chose, and the time that took on top."""
    return Texts(
        {**alone.by_decoder, "lm": chosen},
        [None] * len(chosen),
        {**alone.wall_s, "decoder": alone.wall_s["decoder"] + watch.wall_s},
        {**alone.cpu_s, "decoder": alone.cpu_s["decoder"] + watch.cpu_s},
    )


def _check(request: RescoreRequest) -> None:
    if not request.others:
        raise DataError("no other network is named that could judge the candidates (--others)")
    if request.first.language_model is None:
        raise DataError("candidates come from the beam search, which needs a language model (--lm)")
    if request.share is not None and not 0 <= request.share <= 1:
        raise DataError(f"share {request.share} of the other networks must lie between 0 and 1")
    if request.candidates < 2:
        raise DataError(f"{request.candidates} candidates leave nothing to choose from; at least 2")


def _other(name: str, first: EvaluationRequest, store: Store) -> Measured:
    """A run that hears the same corpus or a folder of its own, or a file of outputs."""
    if name.endswith(".npz"):
        return measured_by(replace(first, log_probs=name), store)
    run, colon, folder = name.partition(":")
    if colon:
        return measured_by(replace(first, model=run, corpus=folder, log_probs=None), store)
    if first.log_probs is not None:
        raise DataError(
            f"{name}: the first network is a file of outputs, so what {name} would hear is not there"
        )
    return measured_by(replace(first, model=name), store)


def _name(network: Measured, first: Measured) -> str:
    """The run, with what it has heard where that is not what the first has; the file of outputs."""
    run, heard = network.run_dir.name, network.corpus.name
    if isinstance(network.corpus, LogProbsFile):
        return f"outside-{network.corpus.version}"
    return run if heard == first.corpus.name else f"{run}:{heard}"


def _contamination(request: RescoreRequest, networks: Sequence[Measured], scorer: Scorer) -> list[str]:
    split = request.first.split
    told = contamination(networks[0].run_dir, networks[0].corpus, split, scorer.lm_hash)
    for one in networks[1:]:
        name = _name(one, networks[0])
        told += [f"{name}: {line}" for line in contamination(one.run_dir, one.corpus, split, None)]
    if request.tune_split == split:
        told.append(f"the weights were picked on the split {split!r} that is measured")
    return told


class _Panel:
    """The networks, the first of which proposes."""

    def __init__(
        self, networks: Sequence[Measured], scorer: Scorer, weights: Weights, candidates: int
    ) -> None:
        self._networks, self._scorer, self._weights, self._candidates = networks, scorer, weights, candidates
        self._alphabet = alphabet_of_network(networks[0].labels, scorer)
        self._spellers = [Speller(alphabet_of_network(one.labels), scorer) for one in networks]

    def candidates(self, request: EvaluationRequest, store: Store) -> tuple[list[Candidates], list[str]]:
        """Those of every utterance of a split, in the corpus' order, and what was said."""
        outputs = [one.outputs(request, store) for one in self._networks]
        if not len(outputs[0]):
            raise DataError(f"no utterance in split {request.split!r} of {self._networks[0].corpus.name}")
        places = [
            _places_of(outputs[0], other, _name(one, self._networks[0]))
            for other, one in zip(outputs, self._networks, strict=True)
        ]
        judges = [
            partial(_judged, other, place, speller)
            for other, place, speller in zip(outputs, places, self._spellers, strict=True)
        ]
        proposed = self._proposed(outputs[0])

        def weighed(number: int) -> Candidates:
            return candidates_of(number, proposed[number], judges, self._scorer)

        with ThreadPoolExecutor(usable_cores()) as pool:
            return list(pool.map(weighed, range(len(proposed)))), list(outputs[0].texts)

    def _proposed(self, outputs: NetworkOutputs) -> list[list[str]]:
        import native

        texts: list[list[str]] = [[] for _ in range(len(outputs))]
        priced = self._scorer.with_weights(self._weights.alpha, self._weights.beta)
        for indices, log_probs, lengths in outputs.batches():
            answers = native.decode(
                log_probs, lengths, self._alphabet, scorer=priced, beam_width=self._weights.beam_width,
                threads=usable_cores(), n_best=self._candidates, mode=self._weights.mode,
            )  # fmt: skip
            for index, hypotheses in zip(indices, answers, strict=True):
                texts[int(index)] = list(dict.fromkeys(one.text for one in hypotheses))
        return texts


def _places_of(first: NetworkOutputs, other: NetworkOutputs, name: str) -> list[int]:
    """Where the utterances of the first stand in the other.

    Raises:
        DataError: one is missing there.
    """
    where = {utterance: place for place, utterance in enumerate(other.utterance_ids)}
    missing = [one for one in first.utterance_ids if one not in where]
    if missing:
        raise DataError(
            f"{name} has not heard {len(missing)} of {len(first)} utterances, {missing[0]!r} the first"
        )
    return [where[one] for one in first.utterance_ids]


def _judged(
    outputs: NetworkOutputs, places: Sequence[int], speller: Speller, number: int, texts: Sequence[str]
) -> Doubles:
    return log_likelihoods(outputs.of(places[number]), texts, speller)
