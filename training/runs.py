"""A run in the store: its inputs, its id, its folder.

    runs/<run id>/{config.toml, inputs.json, alphabet.txt, state.json, log.txt, checkpoints/}

The id is derived from the configuration, the versions of the corpora and the alphabet, so an input that is
trained already is recognised, and a run that was killed goes on where it stopped. The loop itself is
`loop.py`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast

from store.corpus import SPLITS, Corpus
from store.errors import StoreError
from store.store import Store
from store.writing import read_json, write_bytes_atomic, write_json_atomic
from training.devices import choose_device, choose_jax_device, keep_one_gpu, leased_gpu
from training.environment import environment
from training.errors import ConfigError, DataError, RunNotFoundError, TrainingError
from training.network.backends import start_backend
from training.network.backends.tensorflow_step import start_tensorflow
from training.network.checkpoint import Checkpoint, best_checkpoint, has_checkpoint
from training.network.choice import Choice, choose
from training.network.config import DataConfig, TrainingConfig, changes_sound, config_text, identity
from training.network.dataset import Clip, Dataset, SplitChoice, clips_of, evenly
from training.network.feed.cache import FeatureCache
from training.network.feed.feature_folder import FeatureFolder
from training.network.feed.reading import GroupReader
from training.network.feed.sound import read_sound_changes
from training.network.feed.sources import source_of
from training.network.feed.table import Learner
from training.network.feed.table_cache import cached_table
from training.network.loop import TrainingData, TrainingResult, train
from training.network.model import MANY_LABELS
from training.network.workers.cluster import this_cluster
from training.run_state import RunState, read_state

log = logging.getLogger(__name__)
_FORMAT = 1  # raised when the same inputs would train to something else
_SOUND = 2  # the same, where the sound is changed
_OUTPUT = 1  # the same, where the output layer starts at the shares of many labels


def corpora_of(config: TrainingConfig, store: Store) -> list[Corpus]:
    """The corpora of a run, see `choice.choose`."""
    return list(choose(config.data, store).corpora)


def inputs_of(config: TrainingConfig, store: Store) -> dict[str, Any]:
    """What the run depends on, as JSON: configuration hash, corpora with versions, alphabet."""
    chosen = choose(config.data, store)
    versions = {corpus.name: corpus.version for corpus in chosen.corpora}
    inputs = {
        "format": _FORMAT,
        "config": identity(config),
        "corpora": versions,
        "alphabet": chosen.alphabet.hash,
    }
    if changes_sound(config.augment):
        inputs["sound"] = _SOUND
    if len(chosen.alphabet.labels) > MANY_LABELS:
        inputs["output"] = _OUTPUT
    start = _start(config, store)
    return inputs if start is None else {**inputs, "start": [start.step, start.meta["identity"]]}


def _start(config: TrainingConfig, store: Store) -> Checkpoint | None:
    """The best network of `transfer.init_from`, or None.

    Raises:
        RunNotFoundError: there is no such run, or it has no checkpoint.
    """
    if not config.transfer.init_from:
        return None
    run_dir = run_dir_of(store, config.transfer.init_from)
    checkpoint = best_checkpoint(run_dir / "checkpoints")
    if checkpoint is None:
        raise RunNotFoundError(f"transfer.init_from: {run_dir} has no checkpoint to start from")
    return checkpoint


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
        TrainingError: another process trains it now. ConfigError: the backend knows no several workers.
    """
    cluster = this_cluster()
    if cluster.world > 1 and config.loop.backend != "tensorflow":
        raise ConfigError(
            f"loop.backend = {config.loop.backend!r}: several workers train on TensorFlow only; start one process, or set "
            'loop.backend = "tensorflow"'
        )
    run = run_id_for(config, store)
    run_dir = store.runs_dir / run
    done = _finished(run_dir)
    if done is not None:
        log.info("run %s is finished already", run)
        return done
    run_dir.mkdir(parents=True, exist_ok=True)
    with ExitStack() as open_things:
        if cluster.is_chief:
            try:
                open_things.enter_context(store.lock(f"runs/{run}", wait_s=0.0))
            except StoreError as error:
                raise TrainingError(f"run {run} is being trained by another process: {error}") from error
            open_things.enter_context(_log_file(run_dir))
            _write_inputs(config, store, run_dir)
        open_things.enter_context(leased_gpu(config.loop.device))
        if cluster.world > 1:
            keep_one_gpu(cluster.place_on_host)
        if start_backend(config.loop.backend, config.loop.threads, needed=True) == "jax":
            choose_jax_device(config.loop.device)
        else:
            choose_device(start_tensorflow(config.loop.threads), config.loop.device)
        state = open_things.enter_context(RunState(run_dir, run, writes=cluster.is_chief))
        _stop_on_sigterm(state)
        return train(config, load_data(config, store), run_dir, state, cluster)


def _stop_on_sigterm(state: RunState) -> None:
    """A request to end lets the run save a checkpoint first; only a process' main thread can be asked."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda number, frame: state.stop_requested.set())


def _finished(run_dir: Path) -> TrainingResult | None:
    """The result of a run that ended and still has its weights, else None."""
    try:
        state = read_state(run_dir)
    except StoreError:
        return None
    if state is None or state["state"] != "finished" or not has_checkpoint(run_dir / "checkpoints"):
        return None
    return TrainingResult(run_dir.name, run_dir, state["step"], state["dev_wer"], state.get("best_dev_wer"))


def _write_inputs(config: TrainingConfig, store: Store, run_dir: Path) -> None:
    write_bytes_atomic(run_dir / "config.toml", config_text(config, comments=True).encode())
    write_json_atomic(run_dir / "inputs.json", inputs_of(config, store))
    write_json_atomic(run_dir / "environment.json", environment(this_cluster().world))
    choose(config.data, store).alphabet.save(run_dir / "alphabet.txt")


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


def no_dev(chosen: Choice, data: DataConfig) -> str:
    """What is said where no corpus of a run has the split that would be measured."""
    there = "; ".join(f"{one.name} has {', '.join(one.splits) or 'none'}" for one in chosen.corpora)
    return f"no utterance is in the split {data.dev_split!r} (data.dev_split; {there})"


def feed_reader(config: TrainingConfig, store: Store) -> tuple[GroupReader, Choice]:
    """What reads the training utterances of a run, its table made; no sound is read yet.

    Raises:
        DataError: no corpus fits, or `subsets` or `dev_split` names an unknown part.
    """
    features, data, speeds = config.features, config.data, config.augment.speeds
    chosen = choose(data, store)
    if data.dev_split not in SPLITS:
        raise DataError(f"{no_dev(chosen, data)}; did you mean 'dev'?")
    limits = dataclasses.replace(data, max_hours=chosen.max_hours)
    tempo = max(1.0, *config.augment.tempo) if config.augment.tempo_probability else 1.0
    learner = Learner(chosen.alphabet, speeds, tempo)
    table = cached_table(chosen.corpora, limits, features, learner, store.cache_dir / "tables")
    changes = read_sound_changes(config.augment, config.seed, features.sample_rate_hz, store)
    cache = None
    if data.feature_cache_gb:
        limit = round(data.feature_cache_gb * 1e9)
        cache = FeatureCache(store.cache_dir / "features", limit, features, speeds)
    return GroupReader(table, features, speeds, chosen.alphabet, cache, changes), chosen


def load_data(config: TrainingConfig, store: Store) -> TrainingData:
    """What a run learns from, and its dev utterances in memory.

    Raises:
        DataError: nothing is left to learn from.
    """
    if config.data.feature_folder:
        return _features_alone(config, store)
    features, data = config.features, config.data
    reader, chosen = feed_reader(config, store)
    for sentence in chosen.passed_over:
        log.warning("%s", sentence)
    log.info(
        "language %s, alphabet %s of %d labels",
        chosen.language,
        chosen.alphabet.hash[:12],
        len(chosen.alphabet),
    )
    source = source_of(reader, data.shuffle_hours, chosen.weights)
    dev_choice = SplitChoice(data.dev_split)
    dev_ids = evenly(row_ids(chosen.corpora, dev_choice), data.max_dev_utterances)
    dev_clips = chosen_clips(chosen.corpora, dev_choice, {name for name, _ in dev_ids})
    dev_set = Dataset.from_clips(dev_clips, chosen.alphabet, features)
    log.info(
        "%d training utterances found, features of %d dev utterances computed", len(source), len(dev_set)
    )
    if len(dev_set) == 0:
        log.warning(
            "%s; nothing is measured while training, and the last weights are taken", no_dev(chosen, data)
        )
    return TrainingData(source, dev_set, chosen.alphabet, start=_start(config, store))


def _features_alone(config: TrainingConfig, store: Store) -> TrainingData:
    """What a run learns from a folder of features.

    Raises:
        ConfigError: the front end or an augmentation needs sound, or the folder's frames are others.
    """
    chosen = choose(config.data, store)
    folder = cast(FeatureFolder, chosen.corpora[0])
    if folder.configured(config).features != config.features:
        raise ConfigError(
            f"{folder.path}: its frames have {folder.coefficients} values every {folder.settings['hop_s']:g} s; set "
            "features.coefficients and features.hop_s so, or start with --features"
        )
    if config.data.leave_out:
        raise ConfigError("data.leave_out tells utterances by their sound, and data.feature_folder has none")
    if config.augment.speeds != (1.0,) or changes_sound(config.augment):
        raise ConfigError("augment: speeds and changes of sound need sound, and data.feature_folder has none")
    sets = []
    for split, speeds in ((config.data.train_split, (1.0,)), (config.data.dev_split, None)):
        clips = clips_of(folder, SplitChoice(split))
        sets.append(Dataset.from_clips(clips, chosen.alphabet, config.features, speeds))
    return TrainingData(sets[0], sets[1], chosen.alphabet, start=_start(config, store))


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
    """States of all runs, or of one; runs without a state file are left out.

    A state file that cannot be read makes a row of its own among all (`damaged`), an error when asked for.
    """
    if model is not None:
        directories = [run_dir_of(store, model)]
    else:
        directories = sorted(path for path in store.runs_dir.glob("*") if path.is_dir())
    states = [
        state
        for directory in directories
        if (state := _shown_state(directory) if model else _state_or_damage(directory)) is not None
    ]
    if model is not None and not states:
        raise RunNotFoundError(f"{directories[0]}: no state.json there; it has never been started")
    return states


def _shown_state(run_dir: Path) -> dict[str, Any] | None:
    """The state with all that a list of runs shows.

    Raises:
        StoreError: it is not readable, or something is missing or no number.
    """
    state = read_state(run_dir)
    if state is None:
        return None
    shown: dict[str, type | tuple[type, ...]] = {"run": str, "state": str, "step": int, "steps": int}
    odd = [key for key, kind in shown.items() if not isinstance(state.get(key), kind)]
    odd += [key for key in ("dev_wer", "eta_s") if not isinstance(state.get(key), (int, float, type(None)))]
    if odd or "epoch" not in state:
        raise StoreError(
            f"{run_dir / 'state.json'} does not say {', '.join(odd) or 'epoch'}; the run is not lost: train it again and "
            "it goes on from its last checkpoint"
        )
    return state


def _state_or_damage(run_dir: Path) -> dict[str, Any] | None:
    try:
        return _shown_state(run_dir)
    except StoreError as error:
        empty = {"step": 0, "steps": 0, "epoch": 0, "dev_wer": None, "eta_s": None}
        return {"run": run_dir.name, "state": "damaged", "message": str(error), **empty}


def run_inputs(run_dir: Path) -> dict[str, Any]:
    """inputs.json of a run, {} when it was not trained from a store."""
    path = run_dir / "inputs.json"
    loaded: dict[str, Any] = read_json(path) if path.exists() else {}
    return loaded
