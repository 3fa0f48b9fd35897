"""The chain from the outside: refresh every corpus that changed, then follow what the assets drive, to the
end.

What it does: starts `corpus_refresh` runs, reads states from Airflow and progress from the store, fails at
the first failed run with its reason, and starts a stage by hand only where its input is ready and no event
will come.

What it does not do: no stage of the chain itself runs here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corpora.refresh.group_cache import find_group
from corpora.refresh.plan import RefreshRequest, input_key
from demo.display import Display
from demo.orchestrator import UNFINISHED, Airflow, OrchestrationError
from lm.due import due_language_models
from store.console import format_duration
from store.errors import NotPublishedError, StoreError
from store.store import Store
from store.writing import read_json, write_json_atomic
from training.run_state import read_state
from training.runs import run_id_for
from training.settings import read_retrain, retrain_is_due

_POLL_S = 1.5
_PATIENCE_S = 20.0  # an asset event takes Airflow some seconds
_DOWNSTREAM = ("language_model", "retrain", "data_quality")
_WORKERS = 2


@dataclass(frozen=True)
class Source:
    """One corpus to be: name it is published under, importer, paths, donation file."""

    name: str
    importer: str
    paths: tuple[Path, ...]
    donation: Path | None = None

    @property
    def request(self) -> RefreshRequest:
        """As the importing stage takes it."""
        return RefreshRequest(self.importer, tuple(p.resolve() for p in self.paths), donation=self.donation)

    @property
    def conf(self) -> dict[str, Any]:
        """As the DAG `corpus_refresh` takes it."""
        conf: dict[str, Any] = {"importer": self.importer, "sources": [str(p.resolve()) for p in self.paths]}
        if self.donation is not None:
            conf["donation"] = str(self.donation.resolve())
        return {**conf, "workers": _WORKERS}


@dataclass
class Chain:
    """One pass of the chain over `sources`.

    Attributes:
        stops_at_failure: a corpus that cannot be imported ends the pass; else it is noted in `failed` with its reason.
        earlier: the runs that stood there before.
    """

    store: Store
    airflow: Airflow
    display: Display
    sources: tuple[Source, ...]
    stops_at_failure: bool = True
    earlier: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    tallies: dict[str, Tally] = field(default_factory=dict)
    active_s: float = 0.0

    def go(self, settle: Callable[[], bool] | None = None) -> None:
        """All of it.

        Args:
            settle: called when all corpora are imported, before anything follows from them: writes the settings and
                says whether anything shall follow.

        Raises:
            OrchestrationError: a run failed; says which task, why, and where its log lies.
        """
        self.display.stage("import")
        self.earlier = {
            f"{dag_id}/{run['dag_run_id']}"
            for dag_id in _DOWNSTREAM
            for run in self.airflow.runs(dag_id)
            if run["state"] not in UNFINISHED
        }
        outdated = [source for source in self.sources if not is_current(self.store, source)]
        self.airflow.unpause(*([] if settle is None else [("corpus_refresh",)]))
        if outdated:
            self._refresh(outdated)
        else:
            self.display.say("nothing has changed")
        if settle is not None:
            if not settle():
                return
            self.airflow.unpause()
        self.active_s = time.monotonic() if outdated else 0.0
        self._follow()

    def _refresh(self, sources: list[Source]) -> None:
        pending = {self.airflow.trigger("corpus_refresh", source.conf): source for source in sources}
        runs = dict(pending)
        began_s = time.monotonic()
        while pending:
            for run_id, source in list(pending.items()):
                state = self.airflow.run("corpus_refresh", run_id)["state"]
                if state == "failed":
                    why = self.airflow.why_failed("corpus_refresh", run_id)
                    if self.stops_at_failure:
                        raise OrchestrationError(f"{source.name}: {why}")
                    self.failed[source.name] = why
                    del pending[run_id]
                if state == "success":
                    del pending[run_id]
                    remember(self.store, source)
            self.display.say(self._refresh_line(runs, set(pending), began_s))
            if pending:
                time.sleep(_POLL_S)

    def _refresh_line(self, runs: dict[str, Source], pending: set[str], began_s: float) -> str:
        for run_id, source in runs.items():
            finished = run_id not in pending
            if source.name in self.failed:
                continue
            tally = (published_tally if finished else staged_tally)(self.store, source.name)
            if finished or tally.groups:
                self.tallies[source.name] = tally  # while it is sealed the last tally stands
        tallies = [self.tallies.get(source.name, Tally()) for source in runs.values()]
        total = Tally.sum(tallies)
        done = len(runs) - len(pending)
        share = total.groups_done / total.groups if total.groups and all(t.groups for t in tallies) else 0.0
        elapsed_s = time.monotonic() - began_s
        eta = f", {format_duration(elapsed_s * (1 - share) / share)} left" if 0 < share < 1 else ""
        return (
            f"{done}/{len(runs)} corpora, {total.utterances} utterances, {total.hours:.2f} h, "
            f"{total.rejected} rejected{eta}"
        )

    def _follow(self) -> None:
        """Until everything that follows from the corpora is built, trained and measured."""
        while True:
            active = self._active_runs()
            if active:
                self.active_s = time.monotonic()
                self._show(active)
            elif not self._next_by_hand():
                return
            time.sleep(_POLL_S)

    def _active_runs(self) -> dict[str, str]:
        """DAG → its run at work. Raises OrchestrationError for a run that failed meanwhile."""
        active: dict[str, str] = {}
        for dag_id in _DOWNSTREAM:
            for run in self.airflow.runs(dag_id):
                run_id = run["dag_run_id"]
                if f"{dag_id}/{run_id}" in self.earlier:
                    continue
                if run["state"] == "failed":
                    raise OrchestrationError(self.airflow.why_failed(dag_id, run_id))
                if run["state"] in UNFINISHED:
                    active[dag_id] = run_id
        return active

    def _next_by_hand(self) -> bool:
        """Start what is due and was not started by an event for a while; False when nothing is due."""
        due = "language_model" if due_language_models(self.store) else ""
        if not due and retrain_is_due(self.store):
            due = "retrain"
        if not due:
            return False
        if time.monotonic() - self.active_s > _PATIENCE_S:
            self.airflow.trigger(due, {})
            self.active_s = time.monotonic()
        return True

    def _show(self, active: dict[str, str]) -> None:
        if "retrain" in active:
            states: dict[str, list[str]] = {}
            for task in self.airflow.tasks("retrain", active["retrain"]):
                states.setdefault(task["task_id"], []).append(task["state"] or "waiting")
            self._show_retrain(states)
        elif "language_model" in active:
            self.display.stage("language model")
            self.display.say("counting n-grams, binary, lexicon")
        elif "data_quality" in active:
            self.display.stage("report")
            self.display.say("pages of the corpora")

    def _show_retrain(self, states: dict[str, list[str]]) -> None:
        def finished(task_id: str) -> bool:
            return bool(states.get(task_id)) and all(state == "success" for state in states[task_id])

        if not finished("train"):
            if finished("check"):
                self.display.stage("training")
                self.display.say(training_line(self.store))
        elif not finished("evaluate"):
            name = "evaluation" if finished("tune_decoder") else "decoder weights"
            self.display.stage(name)
            done = sum(state == "success" for state in states.get("evaluate", []))
            self.display.say(
                f"{done}/{len(states.get('evaluate', []))} tasks on test"
                if name == "evaluation"
                else "on dev"
            )
        else:
            self.display.stage("report")
            self.display.say("pages")


def training_line(store: Store) -> str:
    """Step, dev WER and time left of the run that the settings ask for."""
    state = read_state(store.runs_dir / run_id_for(read_retrain(store).config, store))
    if state is None or not state.get("steps"):
        return "starting"
    line = f"step {state['step']}/{state['steps']}, epoch {state['epoch'] + 1}"
    if state.get("dev_wer") is not None:
        line += f", dev WER {100 * state['dev_wer']:.1f} % greedy"
    return line + (f", {format_duration(state['eta_s'])} left" if state.get("eta_s") else "")


@dataclass(frozen=True)
class Tally:
    """How far the import of one corpus is."""

    groups_done: int = 0
    groups: int = 0
    utterances: int = 0
    hours: float = 0.0
    rejected: int = 0

    @staticmethod
    def sum(tallies: list[Tally]) -> Tally:
        """All together."""
        return Tally(
            sum(t.groups_done for t in tallies),
            sum(t.groups for t in tallies),
            sum(t.utterances for t in tallies),
            sum(t.hours for t in tallies),
            sum(t.rejected for t in tallies),
        )


def staged_tally(store: Store, name: str) -> Tally:
    """What the import at work has finished so far, from its staging folder."""
    work_dir = store.root / "staging" / "corpora" / name
    try:
        plans = sorted(work_dir.glob("*/plan.json"), key=lambda path: path.stat().st_mtime)
        if not plans:
            return Tally()
        plan = read_json(plans[-1])
        groups = plan["groups"]
        folders = [find_group(plan, index) for index in range(len(groups))]
        counts = [read_json(folder / "counts.json") for folder in folders if folder is not None]
    except (StoreError, OSError, KeyError):
        return Tally()  # just being sealed: the manifest will say
    return Tally(
        len(counts),
        len(groups),
        sum(one["accepted"] for one in counts),
        sum(one["duration_s"] for one in counts) / 3600,
        sum(one["rejected"] for one in counts),
    )


def published_tally(store: Store, name: str) -> Tally:
    """The published corpus as a finished tally."""
    manifest = store.corpus(name).manifest
    hours = sum(split["hours"] for split in manifest["splits"].values())
    items = manifest["items"]
    return Tally(1, 1, items["accepted"], hours, items["rejected"])


def _note(store: Store, name: str) -> Path:
    return store.cache_dir / "demo" / f"{name}.json"


def remember(store: Store, source: Source) -> None:
    """Note that the current version of the corpus was made from this source as it is now."""
    version = store.corpus(source.name).version
    write_json_atomic(_note(store, source.name), {"input": input_key(source.request), "version": version})


def is_current(store: Store, source: Source) -> bool:
    """Whether the published version was made from this source as it is now, by the rules as they are now."""
    if not _note(store, source.name).is_file():
        return False
    note = read_json(_note(store, source.name))
    try:
        version = store.corpus(source.name).version
    except NotPublishedError:
        return False
    return bool(note == {"input": input_key(source.request), "version": version})
