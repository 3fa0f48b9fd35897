"""A model of several sources: one model each, mixed by weights that are best for dev transcripts or a file of sentences.

The training transcripts of all corpora together are one source, every `--text` argument is another. Each gets
its own sentences and its own run of `lmplz`; the arithmetic is in `interpolation.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lm import kenlm
from lm.errors import LanguageModelUsageError, ResourceError
from lm.mixing.interpolation import Floats, Weights, interpolate, tune_weights
from lm.request import BuildRequest, Inputs
from lm.text.files import expand_paths
from lm.text.sentences import Part, SentenceSources, transcripts, write_sentences
from native import HeldOut, LanguageModel
from store.writing import explain_write

_BYTES_PER_NGRAM = 110  # of memory, for each component; measured with three components of 1.3 million
_log = logging.getLogger(__name__)


def sources_of(request: BuildRequest, inputs: Inputs) -> list[tuple[str, SentenceSources]]:
    """The sources to mix, by name. Raises LanguageModelUsageError where there is nothing to mix or to tune on."""
    labels, found = tuple(inputs.alphabet.labels), []
    bare = SentenceSources((), (), labels, request.workers, inputs.language)
    if inputs.training:
        found.append(("transcripts", replace(bare, training=inputs.training)))
    for path in request.text:
        found.append((f"text {path.name}", replace(bare, text=tuple(expand_paths([path])))))
    if len(found) < 2:
        raise LanguageModelUsageError("--interpolate needs two sources: corpora and a text, or two texts")
    return found


def dev_sentences(request: BuildRequest, inputs: Inputs, work: Path) -> list[str]:
    """The sentences that the weights are tuned on: those of `request.dev`, else the corpora's dev transcripts.

    Raises:
        LanguageModelUsageError: there is none, or the file cleaned to nothing.
    """
    if request.dev is None:
        found = [text for one in inputs.tuned_on if "dev" in one.splits for text in transcripts(one, "dev")]
        if not found:
            raise LanguageModelUsageError(
                "--interpolate finds its weights on dev transcripts, and no corpus in the store has any; "
                "name a file of such sentences with --dev"
            )
        return found
    labels, clean = tuple(inputs.alphabet.labels), work / "dev.txt"
    source = SentenceSources((), tuple(expand_paths([request.dev])), labels, request.workers, inputs.language)
    with explain_write(clean):
        write_sentences(clean, source, HeldOut([], 1))
    found = clean.read_text(encoding="utf-8").splitlines()
    if not found:
        raise LanguageModelUsageError(
            f"--dev {request.dev} holds no sentence in the alphabet's letters; is it text of this language?"
        )
    return found


def estimate(
    parts: Sequence[Part], dev: Sequence[str], arpa: Path, options: kenlm.EstimateOptions
) -> tuple[kenlm.Estimate, dict[str, Any]]:
    """Estimates every part, tunes the weights, writes the mixture to `arpa`.

    Returns what the estimate came to and the manifest's `interpolation` but for what the weights were tuned on. Raises
    the errors of `kenlm.estimate`.
    """
    used = [part for part in parts if part.counts.total.kept]
    decisions = [f"{part.name} is left out: no sentence of it is left" for part in parts if part not in used]
    arpas, estimates = [], []
    for index, part in enumerate(used):
        arpas.append(arpa.parent / f"part{index}.arpa")
        estimates.append(kenlm.estimate(part.text, arpas[-1], part.counts.longest_words, options))
        decisions += [f"{part.name}: {decision}" for decision in estimates[-1].decisions]
    _check_memory(estimates)
    weights = tune_weights(_token_scores(arpas, dev))
    _log.info(
        "weights %s", ", ".join(f"{p.name} {w:.4f}" for p, w in zip(used, weights.weights, strict=True))
    )
    ngrams = interpolate(arpas, weights.weights, arpa)
    for path in arpas:
        path.unlink()
    fallback = any(one.discount_fallback for one in estimates)
    answer = kenlm.Estimate(len(ngrams), tuple(ngrams), fallback, tuple(decisions))
    return answer, _record(used, estimates, weights)


def _check_memory(estimates: Sequence[kenlm.Estimate]) -> None:
    """Raises ResourceError where the n-grams of all components will not fit, before minutes are spent."""
    ngrams = sum(sum(one.ngrams) for one in estimates)
    needed, free = ngrams * len(estimates) * _BYTES_PER_NGRAM, kenlm.available_bytes()
    if needed > free:
        raise ResourceError(
            f"mixing {len(estimates)} models of {ngrams} n-grams needs about {needed >> 20} MiB of memory, but "
            f"only {free >> 20} MiB are free; prune more, lower the order, or end other programs"
        )


def _token_scores(arpas: Sequence[Path], dev: Sequence[str]) -> Floats:
    """[tokens, components] log10 of every word and sentence end of the dev sentences; -inf for unknown words."""
    columns = []
    for path in arpas:
        model = LanguageModel.load(path)
        scores = [
            -np.inf if unknown else log10 for text in dev for _, log10, unknown in model.score_sentence(text)
        ]
        columns.append(np.array(scores, np.float64))
    return np.stack(columns, axis=1)


def _record(parts: Sequence[Part], estimates: Sequence[kenlm.Estimate], weights: Weights) -> dict[str, Any]:
    return {
        "components": [
            {
                "name": part.name,
                "weight": round(weight, 6),
                "sentences": part.counts.total.kept,
                "order": one.order,
                "ngrams": list(one.ngrams),
                "perplexity": alone,
            }
            for part, one, weight, alone in zip(parts, estimates, weights.weights, weights.alone, strict=True)
        ],
        "tokens": weights.tokens,
        "tokens_unknown_to_all": weights.skipped,
        "iterations": weights.iterations,
        "perplexity": weights.perplexity,
    }
