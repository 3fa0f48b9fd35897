"""A run in the store: its inputs, its id, its folder.

    runs/<run id>/{config.toml, inputs.json, alphabet.txt, state.json, log.txt, checkpoints/}

The id is derived from the configuration, the versions of the corpora and the alphabet, so an input that is
trained already is recognised, and a run that was killed goes on where it stopped. The loop itself is
`loop.py`.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store.corpus import Corpus
from store.errors import StoreError
from store.store import Store
from store.writing import read_json, write_bytes_atomic, write_json_atomic
from training.errors import DataError, RunNotFoundError, TrainingError
from training.network.config import DataConfig, TrainingConfig, config_text, identity
from training.network.dataset import Clip, Dataset, SplitChoice, choice_for_training, clips_of, evenly
from training.network.loop import TrainingData, TrainingResult, train
from training.run_state import RunState, read_state

if TYPE_CHECKING:
    from native import Alphabet

log = logging.getLogger(__name__)
_FORMAT = 1  # raised when the same inputs would train to something else


def corpora_of(config: TrainingConfig, store: Store) -> list[Corpus]:
    """The corpora of a run, by name: those named, or all that have the training split.

    Raises:
        DataError: none has it. NotPublishedError: a named one does not exist.
    """
    data = config.data
    if data.corpora:
        named = [entry.partition("@") for entry in data.corpora]
        corpora = [store.corpus(name, version or None) for name, _, version in named]
    else:
        corpora = [store.corpus(name) for name in store.corpus_names()]
        corpora = [corpus for corpus in corpora if data.train_split in corpus.splits]
    if not any(data.train_split in corpus.splits for corpus in corpora):
        there = ", ".join(corpus.name for corpus in corpora) or "none published"
        raise DataError(f"no corpus in {store.root} has a split {data.train_split!r} to learn from ({there})")
    return corpora


def inputs_of(config: TrainingConfig, store: Store) -> dict[str, Any]:
    """What the run depends on, as JSON: configuration hash, corpora with versions, alphabet."""
    versions = {corpus.name: corpus.version for corpus in corpora_of(config, store)}
    return {"format": _FORMAT, "config": identity(config), "corpora": versions, "alphabet": _alphabet().hash}


def run_id_for(config: TrainingConfig, store: Store) -> str:
    """The id of the run that these inputs give: 16 hex digits."""
    text = json.dumps(inputs_of(config, store), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def run_dir_of(store: Store, model: str | Path) -> Path:
    """The folder of a run given by its id, a unique beginning of it, or a path.

    Raises:
        RunNotFoundError: there is none.
    """
    path = Path(model)
    if path.is_dir():
        return path.resolve()
    found = sorted(one for one in store.runs_dir.glob(f"{model}*") if one.is_dir()) if str(model) else []
    if len(found) == 1:
        return found[0]
    there = ", ".join(sorted(one.name for one in store.runs_dir.glob("*"))) or "none yet"
    what = f"{len(found)} runs begin with it" if found else "there is none"
    raise RunNotFoundError(f"run {model!r}: {what} in {store.runs_dir}; runs: {there}")


def train_in_store(config: TrainingConfig, store: Store) -> TrainingResult:
    """Train the run of these inputs, or go on with it; a finished one is returned as it is.

    Raises:
        TrainingError: another process trains it now.
    """
    run = run_id_for(config, store)
    run_dir = store.runs_dir / run
    done = _finished(run_dir)
    if done is not None:
        log.info("run %s is finished already", run)
        return done
    run_dir.mkdir(parents=True, exist_ok=True)
    with ExitStack() as open_things:
        try:
            open_things.enter_context(store.lock(f"runs/{run}", wait_s=0.0))
        except StoreError as error:
            raise TrainingError(f"run {run} is being trained by another process: {error}") from error
        open_things.enter_context(_log_file(run_dir))
        state = open_things.enter_context(RunState(run_dir, run))
        _stop_on_sigterm(state)
        _write_inputs(config, store, run_dir)
        return train(config, load_data(config, store), run_dir, state)


def _stop_on_sigterm(state: RunState) -> None:
    """A request to end lets the run save a checkpoint first; only a process' main thread can be asked."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda number, frame: state.stop_requested.set())


def _finished(run_dir: Path) -> TrainingResult | None:
    state = read_state(run_dir)
    if state is None or state["state"] != "finished":
        return None
    return TrainingResult(run_dir.name, run_dir, state["step"], state["dev_wer"], state.get("best_dev_wer"))


def _write_inputs(config: TrainingConfig, store: Store, run_dir: Path) -> None:
    write_bytes_atomic(run_dir / "config.toml", config_text(config, comments=True).encode())
    write_json_atomic(run_dir / "inputs.json", inputs_of(config, store))
    _alphabet().save(run_dir / "alphabet.txt")


@contextmanager
def _log_file(run_dir: Path) -> Iterator[None]:
    """Logs also into log.txt, unless standard error already is that file (a dispatched job)."""
    path = run_dir / "log.txt"
    if path.exists() and os.path.samestat(os.fstat(2), path.stat()):
        yield
        return
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()


def load_data(config: TrainingConfig, store: Store) -> TrainingData:
    """Features and labels of the run's corpora.

    Raises:
        DataError: a corpus was normalised to another alphabet, or nothing is left to learn from.
    """
    alphabet = _alphabet()
    corpora = corpora_of(config, store)
    for corpus in corpora:
        if corpus.manifest["alphabet_hash"] != alphabet.hash:
            raise DataError(
                f"corpus {corpus.name} {corpus.version} was normalised to another alphabet than the "
                "network's; refresh it before training"
            )
    features, data = config.features, config.data
    train_clips = chosen_clips(corpora, choice_for_training(data), _train_ids(corpora, data))
    train_set = Dataset.from_clips(train_clips, alphabet, features, config.augment.speeds)
    dev_choice = SplitChoice(data.dev_split)
    dev_ids = evenly(row_ids(corpora, dev_choice), data.max_dev_utterances)
    dev_clips = chosen_clips(corpora, dev_choice, {name for name, _ in dev_ids})
    dev_set = Dataset.from_clips(dev_clips, alphabet, features)
    log.info("features of %d training and %d dev utterances computed", len(train_set), len(dev_set))
    return TrainingData(train_set, dev_set, alphabet)


def _train_ids(corpora: Sequence[Corpus], data: DataConfig) -> set[str] | None:
    """The ids to learn from when hours are limited, else None for all."""
    if not data.max_train_hours:
        return None
    rows = row_ids(corpora, choice_for_training(data))
    hours = sum(duration_s for _, duration_s in rows) / 3600
    if hours <= data.max_train_hours:
        return None
    return {name for name, _ in evenly(rows, max(1, int(len(rows) * data.max_train_hours / hours)))}


def row_ids(corpora: Sequence[Corpus], choice: SplitChoice) -> list[tuple[str, float]]:
    """Ids with corpus name, and durations, of the chosen rows; reads no audio."""
    rows: list[tuple[str, float]] = []
    for corpus in corpora:
        columns = ["utterance_id", "subset", "duration_s"]
        for batch in corpus.batches(split=choice.split, columns=columns):
            taken = [row for row in batch.to_pylist() if choice.takes(row)]
            rows.extend((f"{corpus.name}/{row['utterance_id']}", row["duration_s"]) for row in taken)
    return rows


def chosen_clips(
    corpora: Sequence[Corpus], choice: SplitChoice, ids: set[str] | None, scoring: bool = False
) -> Iterator[Clip]:
    """The clips of the chosen rows whose `corpus/utterance_id` is among `ids` (None = all)."""
    for corpus in corpora:
        for clip in clips_of(corpus, choice, scoring):
            if ids is None or f"{corpus.name}/{clip.utterance_id}" in ids:
                yield clip


def status(store: Store, model: str | None = None) -> list[dict[str, Any]]:
    """States of all runs, or of one; runs without a state file are left out."""
    if model is not None:
        directories = [run_dir_of(store, model)]
    else:
        directories = sorted(path for path in store.runs_dir.glob("*") if path.is_dir())
    states = [state for directory in directories if (state := read_state(directory)) is not None]
    if model is not None and not states:
        raise RunNotFoundError(f"{directories[0]}: no state.json there; it has never been started")
    return states


def run_inputs(run_dir: Path) -> dict[str, Any]:
    """inputs.json of a run, {} when it was not trained from a store."""
    path = run_dir / "inputs.json"
    loaded: dict[str, Any] = read_json(path) if path.exists() else {}
    return loaded


def _alphabet() -> Alphabet:
    from corpora.text.normaliser import default_alphabet

    return default_alphabet()
