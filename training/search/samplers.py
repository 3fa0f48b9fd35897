"""How the next trial is chosen: optuna's samplers by name, and the binary search of 2017.

The binary search is for one number whose error rate first falls and then rises, as it does for dropout: too
little learns the training set by heart, too much learns nothing. It measures the middle and both ends, then
always halves the wider interval beside the best point so far. Measures nothing itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from training.errors import ConfigError
from training.search.space import Space

if TYPE_CHECKING:
    pass

SAMPLERS = ("tpe", "random", "binary")


def sampler_of(name: str, space: Space, seed: int) -> Any:
    """An optuna sampler.

    Raises:
        ConfigError: an unknown name, or a binary search of anything but one range.
    """
    import optuna

    if name == "tpe":
        return optuna.samplers.TPESampler(seed=seed, constant_liar=True, n_startup_trials=8)
    if name == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    if name != "binary":
        raise ConfigError(f"sampler {name!r} is not known; there are {', '.join(SAMPLERS)}")
    if len(space.parameters) != 1 or space.parameters[0].choices:
        raise ConfigError("a binary search needs exactly one parameter, a range with low and high")
    return _binary_sampler()


def next_point(low: float, high: float, measured: Mapping[float, float], pending: Sequence[float]) -> float:
    """Where a binary search measures next, from error rates by point and points that are being measured."""
    taken = sorted({*measured, *pending})
    for first in ((low + high) / 2, low, high):
        if not any(math.isclose(first, one, abs_tol=1e-9) for one in taken):
            return first
    if not measured:
        return _middle_of_widest(taken)
    best = min(measured, key=lambda point: (measured[point], point))
    place = taken.index(best)
    left = [(best - taken[place - 1], (taken[place - 1] + best) / 2)] if place else []
    right = [(taken[place + 1] - best, (taken[place + 1] + best) / 2)] if place + 1 < len(taken) else []
    return max(left + right, key=lambda one: (round(one[0], 9), -one[1]))[1]


def _middle_of_widest(points: Sequence[float]) -> float:
    gaps = [(later - earlier, (later + earlier) / 2) for earlier, later in pairwise(points)]
    return max(gaps, key=lambda one: (round(one[0], 9), -one[1]))[1]


def _binary_sampler() -> Any:
    import optuna
    from optuna.trial import TrialState

    class BinarySampler(optuna.samplers.BaseSampler):  # type: ignore[misc]
        """`next_point` over the trials of a study."""

        def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:
            return {}

        def sample_relative(self, study: Any, trial: Any, search_space: Any) -> dict[str, Any]:
            return {}

        def sample_independent(self, study: Any, trial: Any, param_name: str, param_distribution: Any) -> Any:
            scale, back = (math.log, math.exp) if param_distribution.log else (float, float)
            measured: dict[float, float] = {}
            pending: list[float] = []
            for other in study.get_trials(deepcopy=False):
                if param_name not in other.params or other.number == trial.number:
                    continue
                point = scale(other.params[param_name])
                if other.state == TrialState.COMPLETE:
                    measured[point] = min(other.value, measured.get(point, math.inf))
                elif other.state == TrialState.RUNNING:
                    pending.append(point)
                elif other.state == TrialState.PRUNED or "message" in other.user_attrs:
                    measured.setdefault(point, math.inf)
            chosen = back(
                next_point(scale(param_distribution.low), scale(param_distribution.high), measured, pending)
            )
            if hasattr(param_distribution, "step") and param_distribution.step:
                return round(chosen)
            return min(param_distribution.high, max(param_distribution.low, chosen))

    return BinarySampler()
