"""What the chain is told before it starts: the store's settings.toml, training.toml and extra text.

The DAGs read nothing else: which language models to build from what, which network to train on which
corpora, what to measure. Files are written only where their content changes. Starts nothing.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path

from lm.defaults import DEFAULT_ORDER, DEFAULT_PRUNE
from store.store import Store
from store.writing import write_bytes_atomic
from training.network.config import config_text, read_config


@dataclass(frozen=True)
class LanguageModelChoice:
    """One language model: its corpora's names, extra text files, n-gram order and pruning thresholds."""

    name: str
    corpora: tuple[str, ...]
    text: tuple[Path, ...] = ()
    order: int = DEFAULT_ORDER
    prune: tuple[int, ...] = DEFAULT_PRUNE


@dataclass(frozen=True)
class ChainSettings:
    """All settings of one kind of run.

    Attributes:
        config: the training configuration to start from; its seed and corpora are replaced.
        train_on, tune_on, evaluate: names of corpora.
        lexicons: language model → corpora it is measured on, where not all are meant.
    """

    config: Path
    seed: int
    train_on: tuple[str, ...]
    tune_on: tuple[str, ...]
    evaluate: tuple[str, ...]
    language_models: tuple[LanguageModelChoice, ...]
    lexicons: dict[str, tuple[str, ...]] = field(default_factory=dict)


def write_settings(store: Store, settings: ChainSettings) -> None:
    """Write `settings.toml` and `training.toml` into the store.

    Raises:
        ConfigError: the training configuration cannot be used. StoreError: the store cannot be written.
    """
    config = read_config(settings.config)
    config = dataclasses.replace(
        config, seed=settings.seed, data=dataclasses.replace(config.data, corpora=settings.train_on)
    )
    write_if_changed(store.root / "training.toml", config_text(config))
    write_if_changed(store.settings_path, settings_text(settings))


def settings_text(settings: ChainSettings) -> str:
    """The text of settings.toml."""
    lines = ["# Written by `make demo` and `make real`; what the DAGs build, train and measure."]
    for model in settings.language_models:
        lines += ["", "[[language_models]]", f"name = {json.dumps(model.name)}"]
        lines += [f"corpora = {json.dumps(model.corpora)}", f"order = {model.order}"]
        if model.text:
            lines.append(f"text = {json.dumps([str(path) for path in model.text])}")
        if model.prune:
            lines.append(f"prune = {json.dumps(model.prune)}")
    names = [model.name for model in settings.language_models]
    lines += ["", "[retrain]", 'config = "training.toml"', f"language_models = {json.dumps(names)}"]
    lines += [f"evaluate = {json.dumps(settings.evaluate)}", f"tune_corpora = {json.dumps(settings.tune_on)}"]
    if settings.lexicons:
        lines += ["", "[retrain.lexicons]"]
        lines += [
            f"{json.dumps(name)} = {json.dumps(corpora)}" for name, corpora in settings.lexicons.items()
        ]
    return "\n".join(lines) + "\n"


def write_if_changed(path: Path, text: str) -> None:
    """Write a file unless it holds this very text, so that its time of change means something."""
    data = text.encode()
    if not path.is_file() or path.read_bytes() != data:
        write_bytes_atomic(path, data)
