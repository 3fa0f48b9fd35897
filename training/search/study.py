"""A search: trials are ordinary runs, handed to a dispatcher, measured on dev, pruned when they fall behind.

    searches/<id>/search.json        what is searched, every trial, the best one; rewritten after each trial
    searches/<id>/journal.log        optuna's own record, from which a search that was stopped goes on

The id is made of the base configuration, the corpora, the space, the sampler and the seed: the same call
finds the same search, and asks only for the trials that are still missing. A trial that a killed search left
unfinished is taken up again with its values; its run goes on from its checkpoint.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from store.errors import StoreError
from store.store import Store
from store.writing import write_json_atomic
from training.dispatch import BACKENDS, Job
from training.errors import ConfigError, DataError, TrainingError
from training.network.choice import choose
from training.network.curves import read_curve
from training.runs import inputs_of, no_dev
from training.search.samplers import SAMPLERS, sampler_of
from training.search.space import Space

log = logging.getLogger(__name__)
_POLL_S = 1.0
_NAME = "search"
_WARM_UP_EPOCHS = 2
_FIRST_TRIALS = 5  # that are never pruned: there must be something to compare with


@dataclass(frozen=True)
class SearchRequest:
    """What to search and how: `trials` in all, `jobs` at a time, by a backend of `dispatch`."""

    space: Space
    trials: int = 20
    sampler: str = "tpe"
    seed: int = 1
    jobs: int = 1
    backend: str = "local"
    prune: bool = True

    def check(self) -> None:
        """Raises ConfigError when the request cannot be."""
        for name, value in (("trials", self.trials), ("jobs", self.jobs)):
            if value < 1:
                raise ConfigError(f"{name} {value} must be at least 1")
        if self.sampler not in SAMPLERS:
            raise ConfigError(f"sampler {self.sampler!r} is not known; there are {', '.join(SAMPLERS)}")
        if self.backend not in BACKENDS:
            raise ConfigError(f"backend {self.backend!r} is not known; there are {', '.join(BACKENDS)}")
        sampler_of(self.sampler, self.space, self.seed)


def search_id(request: SearchRequest, store: Store) -> str:
    """16 hex digits; see above."""
    inputs = inputs_of(request.space.base, store)
    content = [inputs["corpora"], inputs["alphabet"], request.space.key, request.sampler, request.seed]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def search(request: SearchRequest, store: Store) -> dict[str, Any]:
    """Run the trials that are missing; returns search.json with its path.

    Raises:
        ConfigError: the request cannot be. DataError: there is nothing to measure the trials on.
        TrainingError: every trial failed, or another process searches.
    """
    request.check()
    data = request.space.base.data
    chosen = choose(data, store)
    if not any(data.dev_split in corpus.splits for corpus in chosen.corpora):
        raise DataError(f"trials are compared on dev, and {no_dev(chosen, data)}")
    name = search_id(request, store)
    folder = store.root / "searches" / name
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with store.lock(f"searches/{name}", wait_s=0.0):
            return _Search(request, store, folder).run()
    except StoreError as error:
        if "lock" not in str(error):
            raise
        raise TrainingError(f"search {name} is being run by another process: {error}") from error


@dataclass
class _Trial:
    """A trial whose run is under way."""

    trial: Any
    run: str
    reported: int = -1
    values: dict[str, Any] = field(default_factory=dict)


class _Search:
    def __init__(self, request: SearchRequest, store: Store, folder: Path) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._request, self._store, self._folder = request, store, folder
        self._dispatcher = BACKENDS[request.backend](store)
        backend = optuna.storages.journal.JournalFileBackend(str(folder / "journal.log"))
        pruner = optuna.pruners.MedianPruner(_FIRST_TRIALS, _WARM_UP_EPOCHS)
        self._study = optuna.create_study(
            storage=optuna.storages.JournalStorage(backend), study_name=_NAME, direction="minimize",
            load_if_exists=True, pruner=pruner if request.prune else optuna.pruners.NopPruner(),
        )  # fmt: skip
        self._states = optuna.trial.TrialState

    def run(self) -> dict[str, Any]:
        self._take_up()
        active: list[_Trial] = []
        try:
            while active or self._missing(active) > 0:
                free = min(self._missing(active), self._request.jobs - len(active))
                active += self._start(free) if free > 0 else []
                active = [one for one in active if not self._ended(one)]
                if active:
                    time.sleep(_POLL_S)
        finally:
            for one in active:
                self._dispatcher.cancel(one.run)
        answer = self._write()
        if answer["best"] is None:
            raise TrainingError(
                f"none of {len(answer['trials'])} trials gave an error rate; see {answer['path']}"
            )
        return answer

    def _take_up(self) -> None:
        """Trials that a killed search left running are asked for again, with their values."""
        for trial in self._study.get_trials(states=(self._states.RUNNING,)):
            self._study.tell(trial.number, state=self._states.FAIL)
            self._study.enqueue_trial(trial.params, user_attrs={"again": trial.number})
            log.info("trial %d was left unfinished and is taken up again", trial.number)

    def _missing(self, active: list[_Trial]) -> int:
        """Trials still to be started; those left by a killed search do not count twice."""
        done = [one for one in self._study.get_trials(deepcopy=False) if _counts(one)]
        return self._request.trials - len(done) - len(active)

    def _start(self, count: int) -> list[_Trial]:
        """So many trials at once: on Slurm they are one array."""
        asked = [self._ask() for _ in range(count)]
        runs = self._dispatcher.submit_all([Job(self._request.space.config(values)) for _, values in asked])
        started = []
        for (trial, values), run in zip(asked, runs, strict=True):
            trial.set_user_attr("run", run)
            log.info("trial %d, run %s: %s", trial.number, run, _told(values))
            started.append(_Trial(trial, run, values=values))
        return started

    def _ask(self) -> tuple[Any, dict[str, Any]]:
        """A trial and its values."""
        number = len(self._study.get_trials(deepcopy=False))
        self._study.sampler = sampler_of(
            self._request.sampler, self._request.space, self._request.seed + number
        )
        trial = self._study.ask()
        return trial, {one.key: one.suggest(trial) for one in self._request.space.parameters}

    def _ended(self, one: _Trial) -> bool:
        """Report what dev said since the last look; tell the study when the trial is over."""
        state = self._dispatcher.poll(one.run)
        for point in read_curve(self._store.runs_dir / one.run):
            if point.get("dev_wer") is None or point["epoch"] <= one.reported:
                continue
            one.reported = int(point["epoch"])
            one.trial.report(point["dev_wer"], one.reported)
            if one.trial.should_prune():
                self._dispatcher.cancel(one.run)
                self._study.tell(one.trial, state=self._states.PRUNED)
                log.info("trial %d is pruned after epoch %d", one.trial.number, one.reported + 1)
                self._write()
                return True
        if not state.ended:
            return False
        error_rate = (state.details or {}).get("best_dev_wer", state.dev_wer)
        if state.state == "finished" and error_rate is not None:
            self._study.tell(one.trial, error_rate)
            log.info("trial %d: dev WER %.2f %%", one.trial.number, 100 * error_rate)
        else:
            one.trial.set_user_attr("message", state.message or "no dev utterance to measure on")
            self._study.tell(one.trial, state=self._states.FAIL)
            log.warning("trial %d failed: %s", one.trial.number, state.message)
        self._write()
        return True

    def _write(self) -> dict[str, Any]:
        trials = [
            {
                "number": one.number, "run": one.user_attrs.get("run"), "state": one.state.name.lower(),
                "values": one.params, "dev_wer": one.value if one.state == self._states.COMPLETE else None,
                "message": one.user_attrs.get("message", ""),
                "dev_by_epoch": {str(epoch): rate for epoch, rate in one.intermediate_values.items()},
            }
            for one in self._study.get_trials(deepcopy=False)
            if _counts(one)
        ]  # fmt: skip
        finished = [one for one in trials if one["dev_wer"] is not None]
        best = min(finished, key=lambda one: (one["dev_wer"], one["number"]), default=None)
        answer = {
            "id": self._folder.name, "sampler": self._request.sampler, "seed": self._request.seed,
            "parameters": [one.key for one in self._request.space.parameters], "trials": trials, "best": best,
            "importance": self._importance(len(finished)),
        }  # fmt: skip
        write_json_atomic(self._folder / "search.json", answer)
        return {**answer, "path": str(self._folder)}

    def _importance(self, finished: int) -> dict[str, float]:
        """Share of the spread of the error rate that each parameter explains; {} with few trials or one key."""
        import optuna

        if finished < 4 or len(self._request.space.parameters) < 2:
            return {}
        evaluator = optuna.importance.PedAnovaImportanceEvaluator()
        try:
            found = optuna.importance.get_param_importances(self._study, evaluator=evaluator)
        except (ValueError, RuntimeError):  # all trials alike
            return {}
        return {key: round(float(value), 4) for key, value in found.items()}


def _counts(trial: Any) -> bool:
    """Whether a trial was measured, or failed by itself: not one that a killed search left."""
    return trial.state.name in ("COMPLETE", "PRUNED") or "message" in trial.user_attrs


def _told(values: dict[str, Any]) -> str:
    return ", ".join(
        f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}"
        for key, value in values.items()
    )
