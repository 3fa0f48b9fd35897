"""What the chain keeps trained and measured: `[retrain]` in the store's settings.toml.

    [retrain]
    config = "training.toml"              # relative to the store, or absolute; default: every key's default
    language_models = ["default"]         # measured with each of these
    evaluate = ["librispeech"]            # corpora; default: all with a test split
    tune_corpora = ["librispeech"]        # whose dev picks the decoder's weights; default: all with dev

    [retrain.lexicons]                    # a language model's own corpora, where not all are meant
    digits = ["fsdd"]

Answers what is due and what to measure; trains and measures nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from store.errors import StoreError
from store.opening import open_store
from store.settings import read_table, refuse_unknown
from store.store import Store
from training.errors import ConfigError
from training.evaluation.evaluate import EvaluationRequest, find_evaluation
from training.network.checkpoint import has_checkpoint
from training.network.choice import choose, language_of
from training.network.config import TrainingConfig, read_config
from training.run_state import read_state
from training.runs import run_id_for

_KEYS = ("config", "language_models", "evaluate", "tune_corpora", "lexicons")


@dataclass(frozen=True)
class Retrain:
    """The settings, with defaults filled in from what is published."""

    config: TrainingConfig
    language_models: tuple[str, ...]
    evaluate: tuple[str, ...]
    tune_corpora: tuple[str, ...]
    lexicons: dict[str, tuple[str, ...]]


def read_retrain(store: Store | None = None) -> Retrain:
    """The store's settings.

    Raises:
        ConfigError: the file is not TOML, or [retrain] has an unknown key or a wrong type.
    """
    store = store or open_store()
    table = _table(store.settings_path)
    path = table.get("config")
    config = read_config(_beside(store, path)) if path else TrainingConfig()
    language = choose(config.data, store).language if store.corpus_names() else ""
    published = [store.corpus(name) for name in store.corpus_names()]
    corpora = {one.name: one.splits for one in published if language_of(one) == language}
    with_test = [name for name, splits in corpora.items() if "test" in splits]
    with_dev = [name for name, splits in corpora.items() if "dev" in splits]
    return Retrain(
        config=config,
        language_models=_names(table, "language_models", ["default"]),
        evaluate=_names(table, "evaluate", with_test),
        tune_corpora=_names(table, "tune_corpora", with_dev),
        lexicons={name: tuple(chosen) for name, chosen in table.get("lexicons", {}).items()},
    )


def _table(path: Path) -> dict[str, Any]:
    table: dict[str, Any] = read_table(path, "retrain", ConfigError)
    refuse_unknown(table, _KEYS, f"{path}: [retrain] has an unknown key", ConfigError)
    return table


def _beside(store: Store, path: Any) -> Path:
    if not isinstance(path, str):
        raise ConfigError(f"{store.settings_path}: [retrain] config is a path, not {path!r}")
    return store.root / path  # an absolute path stays as it is


def _names(table: dict[str, Any], key: str, default: list[str]) -> tuple[str, ...]:
    value = table.get(key, default)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ConfigError(f"settings.toml: [retrain] {key} is a list of names, not {value!r}")
    return tuple(value)


def tunings_of(run: str, store: Store | None = None) -> list[dict[str, Any]]:
    """One entry per language model: keyword arguments of `tune_decoder.TuneRequest`, as JSON."""
    store = store or open_store()
    retrain = read_retrain(store)
    return [
        {"model": run, "language_model": str(store.language_model(name)), "corpora": corpora}
        for name in retrain.language_models
        if (corpora := [one for one in retrain.tune_corpora if one in retrain.lexicons.get(name, (one,))])
    ]


def evaluations_of(run: str, store: Store | None = None) -> list[dict[str, Any]]:
    """One entry per corpus and language model: keyword arguments of `EvaluationRequest`, as JSON."""
    store = store or open_store()
    retrain = read_retrain(store)
    return [
        {"model": run, "corpus": corpus, "language_model": str(store.language_model(name))}
        for corpus in retrain.evaluate
        for name in retrain.language_models
        if corpus in retrain.lexicons.get(name, (corpus,))
    ]


def missing_evaluations(run: str, store: Store | None = None) -> list[dict[str, Any]]:
    """Of `evaluations_of` those that were not measured yet with what is published now."""
    store = store or open_store()
    return [
        entry
        for entry in evaluations_of(run, store)
        if find_evaluation(EvaluationRequest(**entry), store) is None
    ]


def retrain_is_due(store: Store | None = None) -> bool:
    """Whether the network of the current inputs is not trained yet, or one of its evaluations is missing."""
    store = store or open_store()
    retrain = read_retrain(store)
    run = run_id_for(retrain.config, store)
    try:
        state = read_state(store.runs_dir / run)
    except StoreError:
        return True
    if state is None or state["state"] != "finished":
        return True
    if not has_checkpoint(store.runs_dir / run / "checkpoints"):
        return True
    return bool(missing_evaluations(run, store))
