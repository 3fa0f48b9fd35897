"""The decoder's weights, picked on dev: the network runs once, then the beam search over a grid of alpha
and beta.

Coarse grid first, then two finer ones around the best point. The best point has the fewest word edits; ties
go to the point whose neighbours do better, then to fewer character edits. The choice and the whole surface
are written as `runs/<run>/decoder-<lm hash>.json`, which `evaluate` reads; language model files are never
changed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora.store import Store, read_json, write_json_atomic
from training.acoustic import LogProbabilities, load_network
from training.dataset import Clip, Dataset, SplitChoice, evenly, usable_cores
from training.errors import DataError
from training.runs import chosen_clips, row_ids, run_dir_of
from training.wer import ErrorRates, count_errors

if TYPE_CHECKING:
    from native import Alphabet, Scorer

log = logging.getLogger(__name__)
DEFAULT_ALPHA = 0.93  # natural-log weights of the last DeepSpeech releases
DEFAULT_BETA = 1.18
DEFAULT_BEAM_WIDTH = 100
_COARSE_ALPHAS = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5)
_COARSE_BETAS = (-1.0, 0.5, 2.0, 3.5)
_REFINEMENTS = 2  # each halves the steps around the best point so far


@dataclass(frozen=True)
class Weights:
    """What the beam search is called with; alpha and beta weigh natural logarithms."""

    alpha: float = DEFAULT_ALPHA
    beta: float = DEFAULT_BETA
    beam_width: int = DEFAULT_BEAM_WIDTH


@dataclass(frozen=True)
class TuneRequest:
    """Which network, language model and dev utterances; `language_model` is its folder."""

    model: str
    language_model: str
    corpora: tuple[str, ...] | list[str]
    split: str = "dev"
    max_utterances: int = 300
    beam_width: int = DEFAULT_BEAM_WIDTH


@dataclass(frozen=True)
class Point:
    """One point of the surface."""

    alpha: float
    beta: float
    word_edits: int
    character_edits: int
    wer: float
    cer: float


class CachedLogProbabilities:
    """Log-probabilities of a set of utterances, kept so that they can be decoded again and again."""

    def __init__(self, probabilities: LogProbabilities, dataset: Dataset) -> None:
        self.texts = dataset.texts
        self._batches = [(i, p, n) for i, p, n in probabilities.of_dataset(dataset)]

    def errors(self, alphabet: Alphabet, scorer: Scorer, beam_width: int) -> ErrorRates:
        """Error rates of the beam search with this scorer."""
        import native

        found = [""] * len(self.texts)
        for indices, log_probs, lengths in self._batches:
            answers = native.decode(
                log_probs, lengths, alphabet, scorer=scorer, beam_width=beam_width, threads=usable_cores()
            )
            for index, hypotheses in zip(indices, answers, strict=True):
                found[int(index)] = hypotheses[0].text if hypotheses else ""
        return count_errors(self.texts, found)


def tune_decoder(request: TuneRequest, store: Store | None = None) -> dict[str, Any]:
    """Pick alpha and beta on dev and write them into the run's folder; returns what was written, with its
    path.

    Raises:
        DataError: the split has no utterance. ScorerError: the language model does not fit the network.
    """
    import native

    store = store or Store.open()
    run_dir = run_dir_of(store, request.model)
    scorer = native.Scorer.load(request.language_model, alpha=DEFAULT_ALPHA, beta=DEFAULT_BETA)
    network = load_network(run_dir)
    alphabet = alphabet_of_network(network.labels, scorer)
    clips = _dev_clips(request, store)
    dataset = Dataset.from_clips(clips, alphabet, network.config.features)
    if len(dataset) == 0:
        raise DataError(f"no utterance in split {request.split!r} of {', '.join(request.corpora)} to tune on")
    cached = CachedLogProbabilities(LogProbabilities(network), dataset)

    def measure(alpha: float, beta: float) -> Point:
        rates = cached.errors(alphabet, scorer.with_weights(alpha, beta), request.beam_width)
        words = rates.substitutions + rates.deletions + rates.insertions
        characters = sum(one.character_edits for one in rates.per_utterance)
        return Point(alpha, beta, words, characters, rates.wer, rates.cer)

    best, surface = _search(measure)
    log.info(
        "alpha %.3f, beta %.3f: dev WER %.2f %% over %d points",
        best.alpha,
        best.beta,
        100 * best.wer,
        len(surface),
    )
    chosen = {
        "alpha": best.alpha,
        "beta": best.beta,
        "beam_width": request.beam_width,
        "wer": best.wer,
        "cer": best.cer,
        "lm_hash": scorer.lm_hash,
        "corpora": {name: store.corpus(name).version for name in request.corpora},
        "split": request.split,
        "utterances": len(dataset),
        "surface": [{"alpha": p.alpha, "beta": p.beta, "wer": p.wer, "cer": p.cer} for p in surface],
    }
    path = weights_path(run_dir, scorer.lm_hash)
    write_json_atomic(path, chosen)
    return {**chosen, "run": run_dir.name, "path": str(path)}


def _dev_clips(request: TuneRequest, store: Store) -> Iterator[Clip]:
    corpora = [store.corpus(name) for name in request.corpora]
    choice = SplitChoice(request.split)
    ids = {name for name, _ in evenly(row_ids(corpora, choice), request.max_utterances)}
    return chosen_clips(corpora, choice, ids, scoring=True)


def _search(measure: Any) -> tuple[Point, list[Point]]:
    """The best point and all points measured, sorted."""
    points: dict[tuple[float, float], Point] = {}

    def add(alphas: Iterable[float], betas: Iterable[float]) -> None:
        for alpha in alphas:
            for beta in betas:
                place = (round(max(0.0, alpha), 4), round(beta, 4))
                if place not in points:
                    points[place] = measure(*place)

    add(_COARSE_ALPHAS, _COARSE_BETAS)
    alpha_step, beta_step = 0.5, 1.5
    for _ in range(_REFINEMENTS):
        centre = _best(points, alpha_step, beta_step)
        alpha_step, beta_step = alpha_step / 2, beta_step / 2
        add(
            [centre.alpha + k * alpha_step for k in (-1, 0, 1)],
            [centre.beta + k * beta_step for k in (-1, 0, 1)],
        )
    return _best(points, alpha_step, beta_step), [points[place] for place in sorted(points)]


def _best(points: dict[tuple[float, float], Point], alpha_step: float, beta_step: float) -> Point:
    def rank(point: Point) -> tuple[float, ...]:
        near = [
            other.word_edits
            for other in points.values()
            if abs(other.alpha - point.alpha) <= alpha_step * 1.01
            and abs(other.beta - point.beta) <= beta_step * 1.01
        ]
        return (point.word_edits, sum(near) / len(near), point.character_edits, point.alpha, point.beta)

    return min(points.values(), key=rank)


def weights_path(run_dir: Path, lm_hash: str) -> Path:
    """Where a run's weights for a language model lie."""
    return run_dir / f"decoder-{lm_hash[:16]}.json"


def weights_for(run_dir: Path, lm_hash: str) -> Weights:
    """The tuned weights, or the defaults when nothing was tuned."""
    path = weights_path(run_dir, lm_hash)
    if not path.exists():
        return Weights()
    chosen = read_json(path)
    return Weights(float(chosen["alpha"]), float(chosen["beta"]), int(chosen["beam_width"]))


def alphabet_of_network(labels: tuple[str, ...], scorer: Scorer | None = None) -> Alphabet:
    """The network's alphabet, blank last.

    Raises:
        DataError: the language model was built for another one.
    """
    import native

    alphabet = native.Alphabet(list(labels))
    if scorer is not None and scorer.alphabet.hash != alphabet.hash:
        raise DataError(
            f"the language model's alphabet has {len(scorer.alphabet.labels)} labels and is another than the "
            f"network's of {len(labels)}: build the language model from corpora of the same alphabet"
        )
    return alphabet
