"""Searching the decoder's weights: which points to try next, what was measured so far, which point is best.

Points are kept in an optuna journal, finished ones only, so a search that was stopped goes on where it was and
ends with the same points: the next suggestion depends on the seed and on what was measured, nothing else.
    grid   a coarse grid of alpha and beta, then two finer ones around the best point
    tpe    the coarse grid, then optuna's tree-structured Parzen estimator
The best point has the fewest word edits; ties go to the cheaper search, then to the point whose surroundings
are better, then to fewer character edits, then to the smaller alpha and beta. Knows no network and no text.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from training.decoding.weights import DEFAULT_BEAM_WIDTH, DEFAULT_MODE, MODES, Weights
from training.network.dataset import evenly

log = logging.getLogger(__name__)
SAMPLERS = ("grid", "tpe")
_COARSE_ALPHAS = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5)
_COARSE_BETAS = (-1.0, 0.5, 2.0, 3.5)
_REFINEMENTS = 2  # each halves the steps around the best point so far
_ALPHAS, _BETAS = (0.0, 4.0), (-4.0, 6.0)  # where tpe looks
_STEP = 0.01
_NEAR_ALPHA, _NEAR_BETA = 0.5, 1.5  # how far a point's surroundings reach
_STUDY = "decoder"


@dataclass(frozen=True)
class Measured:
    """Errors at one point."""

    weights: Weights
    word_edits: int
    character_edits: int
    wer: float
    cer: float


@dataclass(frozen=True)
class Plan:
    """How to search: `trials` points in all (grid: as many as it has), `jobs` at a time."""

    sampler: str = "tpe"
    trials: int = 60
    seed: int = 1
    jobs: int = 1
    modes: tuple[str, ...] = (DEFAULT_MODE,)
    beam_widths: tuple[int, ...] = (DEFAULT_BEAM_WIDTH,)


Measure = Callable[[Weights], Measured]


class Search:
    """One search, resumed from its journal."""

    def __init__(self, plan: Plan, journal: Path, measure: Measure) -> None:
        self.plan = plan
        self.points: dict[Weights, Measured] = {}
        self._measure = measure
        self._told = 0  # points told to the estimator, repeated ones too
        self._study = _open_journal(journal)
        self._recorded = {one.weights: one for one in map(_measured, self._study.get_trials(deepcopy=False))}
        self._estimator = _quiet_optuna().create_study(direction="minimize")

    def run(self) -> Measured:
        """Measure what is not measured yet; returns the best point."""
        first = Weights(0.0, 0.0, self.plan.beam_widths[0], self.plan.modes[0])
        coarse = [_at(first, a, b) for a in _COARSE_ALPHAS for b in _COARSE_BETAS]
        few = self.plan.sampler == "tpe" and self.plan.trials < len(coarse)
        self._add(evenly(coarse, self.plan.trials) if few else coarse)
        if self.plan.sampler == "grid":
            self._refine(first)
            centre = best_of(self.points.values())
            others = [(m, w) for m in self.plan.modes for w in self.plan.beam_widths]
            self._add(Weights(centre.weights.alpha, centre.weights.beta, w, m) for m, w in others)
        else:
            while self._told < self.plan.trials:
                self._suggest(min(self.plan.jobs, self.plan.trials - self._told))
        return best_of(self.points.values())

    def _refine(self, first: Weights) -> None:
        alpha_step, beta_step = 0.5, 1.5
        for _ in range(_REFINEMENTS):
            centre = best_of(self.points.values()).weights
            alpha_step, beta_step = alpha_step / 2, beta_step / 2
            steps = [(i * alpha_step, k * beta_step) for i in (-1, 0, 1) for k in (-1, 0, 1)]
            self._add(_at(first, max(0.0, centre.alpha + a), centre.beta + b) for a, b in steps)

    def _add(self, places: Iterable[Weights]) -> None:
        """Measure places, as many at a time as there are jobs, and take them in in order."""
        fresh = [place for place in dict.fromkeys(places) if place not in self.points]
        for start in range(0, len(fresh), self.plan.jobs):
            chunk = fresh[start : start + self.plan.jobs]
            with ThreadPoolExecutor(self.plan.jobs) as pool:
                found = list(pool.map(self._measure_or_recall, chunk))
            for one in found:
                self._take(one)

    def _measure_or_recall(self, place: Weights) -> Measured:
        return self._recorded.get(place) or self._measure(place)

    def _take(self, one: Measured) -> None:
        self.points[one.weights] = one
        self._tell(self._estimator, one)
        self._told += 1
        if one.weights not in self._recorded:
            self._recorded[one.weights] = one
            self._tell(self._study, one)

    def _suggest(self, count: int) -> None:
        """Measure the next `count` points that the estimator hopes for; repeated ones only count."""
        optuna = _quiet_optuna()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            self._estimator.sampler = optuna.samplers.TPESampler(
                seed=self.plan.seed * 1_000_003 + self._told,
                n_startup_trials=0,
                multivariate=True,
                constant_liar=count > 1,
            )
        asked = [self._estimator.ask(_distributions(self.plan)) for _ in range(count)]
        places = [_weights(trial.params) for trial in asked]
        before = self._told
        self._add(places)
        for trial in asked:  # their values were told as points of their own
            self._estimator.tell(trial, state=optuna.trial.TrialState.FAIL)
        self._told = before + count

    def _tell(self, study: Any, one: Measured) -> None:
        names = ("word_edits", "character_edits", "wer", "cer")
        trial = _quiet_optuna().trial.create_trial(
            params=one.weights.as_json(),
            distributions=_distributions(self.plan),
            value=float(one.word_edits),
            user_attrs={name: getattr(one, name) for name in names},
        )
        study.add_trial(trial)


def _at(first: Weights, alpha: float, beta: float) -> Weights:
    return Weights(round(alpha, 4), round(beta, 4), first.beam_width, first.mode)


def best_of(points: Iterable[Measured]) -> Measured:
    """The best point by the module's rule; the order of `points` does not matter."""
    found = sorted(points, key=lambda one: (one.weights.alpha, one.weights.beta))
    fewest = min(one.word_edits for one in found)
    tied = [one for one in found if one.word_edits == fewest]

    def rank(one: Measured) -> tuple[float, ...]:
        at = one.weights
        cost = (float(at.beam_width), -float(MODES.index(at.mode)))
        return (*cost, surroundings(one, found), one.character_edits, at.alpha, at.beta)

    return min(tied, key=rank)


def surroundings(one: Measured, points: Sequence[Measured]) -> float:
    """Mean word edits of the points around, the nearer the heavier, at the same beam settings."""
    at = one.weights
    same = [p for p in points if (p.weights.beam_width, p.weights.mode) == (at.beam_width, at.mode)]
    alphas = np.array([p.weights.alpha for p in same])
    betas = np.array([p.weights.beta for p in same])
    squares = ((alphas - at.alpha) / _NEAR_ALPHA) ** 2 + ((betas - at.beta) / _NEAR_BETA) ** 2
    heavy = np.exp(-squares / 2)
    return round(float((heavy * [p.word_edits for p in same]).sum() / heavy.sum()), 6)


def _quiet_optuna() -> Any:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _distributions(plan: Plan) -> dict[str, Any]:
    distributions = _quiet_optuna().distributions
    return {
        "alpha": distributions.FloatDistribution(*_ALPHAS),
        "beta": distributions.FloatDistribution(*_BETAS),
        "beam_width": distributions.CategoricalDistribution(plan.beam_widths),
        "mode": distributions.CategoricalDistribution(plan.modes),
    }


def _weights(parameters: dict[str, Any]) -> Weights:
    """A suggestion, on a grid of hundredths."""
    rounded = [round(round(parameters[name] / _STEP) * _STEP, 4) for name in ("alpha", "beta")]
    return Weights(rounded[0], rounded[1], int(parameters["beam_width"]), str(parameters["mode"]))


def _measured(trial: Any) -> Measured:
    found = trial.params
    weights = Weights(found["alpha"], found["beta"], int(found["beam_width"]), str(found["mode"]))
    return Measured(weights, **trial.user_attrs)


def _open_journal(path: Path) -> Any:
    """The study in a journal file; a damaged file is begun anew."""
    optuna = _quiet_optuna()
    path.parent.mkdir(parents=True, exist_ok=True)
    for attempt in (1, 2):
        backend = optuna.storages.journal.JournalFileBackend(str(path))
        try:
            storage = optuna.storages.JournalStorage(backend)
            study = optuna.create_study(
                storage=storage, study_name=_STUDY, direction="minimize", load_if_exists=True
            )
            study.get_trials(deepcopy=False)
            return study
        except (ValueError, KeyError, TypeError) as error:
            if attempt == 2:
                raise
            log.warning("%s cannot be read (%s): the search begins anew", path, error)
            path.unlink(missing_ok=True)
    return None
