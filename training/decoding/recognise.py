"""Log-probabilities on disk -> texts by each decoder, with the time each took.

    greedy      the likeliest label of every frame; where the lexicon is of pronunciations each word is then written
                as the most probable one that sounds so
    corrected   greedy through the spell corrector (needs a language model of words)
    lm          beam search with language model and lexicon

Decoders run over threads; the texts do not depend on how many.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from training.decoding.correct import correct_texts, counts_words
from training.decoding.network_outputs import NetworkOutputs
from training.decoding.stopwatch import Stopwatch
from training.decoding.weights import Weights, alphabet_of_network

if TYPE_CHECKING:
    from native import Scorer

DECODERS = ("greedy", "corrected", "lm")


@dataclass(frozen=True)
class Decoder:
    """How to decode: None for the scorer = greedy only."""

    labels: tuple[str, ...]
    scorer: Scorer | None
    weights: Weights
    threads: int


@dataclass(frozen=True)
class Texts:
    """What was heard by each decoder, in the corpus' order, and seconds of work for each (wall and CPU).

    Attributes:
        confidences: of the beam search's texts, mean over their words, 0 to 1; None without words.
    """

    by_decoder: dict[str, list[str]]
    confidences: list[float | None]
    wall_s: dict[str, float]
    cpu_s: dict[str, float]


def recognise(outputs: NetworkOutputs, decoder: Decoder) -> Texts:
    """Texts of all utterances; those without a frame are empty."""
    import native

    alphabet = alphabet_of_network(decoder.labels, decoder.scorer)
    greedy, lm = [""] * len(outputs), [""] * len(outputs)
    confidences: list[float | None] = [None] * len(outputs)
    watches = {"greedy": Stopwatch(), "corrector": Stopwatch(), "decoder": Stopwatch()}
    weights = decoder.weights
    for indices, log_probs, lengths in outputs.batches():
        with watches["greedy"]:
            found = native.greedy(log_probs, lengths, alphabet)
        for index, hypothesis in zip(indices, found, strict=True):
            greedy[int(index)] = hypothesis.text
        if decoder.scorer is None:
            continue
        with watches["decoder"]:
            answers = native.decode(
                log_probs,
                lengths,
                alphabet,
                scorer=decoder.scorer.with_weights(weights.alpha, weights.beta),
                beam_width=weights.beam_width,
                threads=decoder.threads,
                mode=weights.mode,
            )
        for index, hypotheses in zip(indices, answers, strict=True):
            lm[int(index)] = hypotheses[0].text
            sure = [word.confidence for word in hypotheses[0].words]
            confidences[int(index)] = sum(sure) / len(sure) if sure else None
    texts = {"greedy": greedy}
    if decoder.scorer is not None:
        texts["greedy"] = [decoder.scorer.in_words(text) for text in greedy]
        if counts_words(decoder.scorer):
            with watches["corrector"]:
                texts["corrected"] = correct_texts(greedy, decoder.scorer, decoder.threads)
        texts["lm"] = lm
    return Texts(
        texts,
        confidences,
        {name: watch.wall_s for name, watch in watches.items()},
        {name: watch.cpu_s for name, watch in watches.items()},
    )
