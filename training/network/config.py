"""The training configuration: frozen dataclasses read from one TOML file.

Every key has a default and a line of help; `example_text()` renders them all (config.example.toml is that
text). Unknown keys are refused with their line and the nearest known key. Holds no paths into a store and
reads no corpus.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import re
import tomllib
import types
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.errors import ConfigError


def _key(default: Any, text: str) -> Any:
    """A dataclass field with its help text."""
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True)
class DataConfig:
    """Which published utterances are learnt from."""

    corpora: tuple[str, ...] = _key(
        (), "published corpora, each NAME or NAME@VERSION; [] = all that have train_split"
    )
    train_split: str = _key("train", "split whose utterances are learnt")
    dev_split: str = _key("dev", "split measured while training; never learnt from")
    subsets: tuple[str, ...] = _key(
        (), "only these official parts of train_split (train-clean-100 …); [] = all"
    )
    min_duration_s: float = _key(0.1, "shorter training utterances are left out, seconds")
    max_duration_s: float = _key(30.0, "longer training utterances are left out, seconds")
    max_train_hours: float = _key(0.0, "learn from at most this many hours, chosen evenly; 0 = all")
    max_dev_utterances: int = _key(400, "dev utterances measured per validation, chosen evenly; 0 = all")


@dataclass(frozen=True)
class FeatureConfig:
    """The front end: Hann window, mel filters, MFCC, context."""

    sample_rate_hz: int = _key(16000, "audio at another rate is resampled to this one first, Hz")
    window_s: float = _key(0.032, "analysis window, seconds")
    hop_s: float = _key(0.020, "one network step, seconds")
    mel_filters: int = _key(40, "mel filters between low_hz and half the rate")
    low_hz: float = _key(20.0, "lower edge of the lowest mel filter, Hz")
    coefficients: int = _key(26, "cepstral coefficients per frame")
    context: int = _key(9, "frames added on either side of each frame (zeros at the ends)")


@dataclass(frozen=True)
class ModelConfig:
    """Widths of the network; 2048 is the full size of 122.7 million weights."""

    n_hidden: int = _key(
        128, "width of the dense layers and cells per direction (2048 = full size; CPU: 64 to 256)"
    )
    dropout: float = _key(0.05, "share of units dropped after the dense layers 1, 2, 3 and 5 while training")
    relu_clip: float = _key(20.0, "upper limit of the clipped rectifier")
    forget_bias: float = _key(1.0, "initial bias of the LSTM's forget gate")


@dataclass(frozen=True)
class OptimiserConfig:
    """Adam and its learning rate."""

    learning_rate: float = _key(0.001, "peak learning rate (0.0001 for the full size)")
    beta1: float = _key(0.9, "Adam's decay of the first moment")
    beta2: float = _key(0.999, "Adam's decay of the second moment")
    epsilon: float = _key(1e-8, "Adam's epsilon")
    clip_norm: float = _key(0.0, "gradients are scaled down to this global norm; 0 = off")
    warmup_steps: int = _key(0, "steps over which the rate rises linearly to its peak")
    decay: str = _key("none", "after warm-up: none, linear or cosine, down to final_rate at the last step")
    final_rate: float = _key(0.05, "share of the peak rate left at the last step when decay is not none")


@dataclass(frozen=True)
class LoopConfig:
    """How long, how often measured, how often saved."""

    epochs: int = _key(12, "passes over the training data (used when steps is 0)")
    steps: int = _key(0, "optimiser steps; 0 = epochs times the batches of an epoch")
    batch_size: int = _key(32, "utterances per step")
    batch_frames: int = _key(0, "at most this many padded frames per step; 0 = no limit")
    bucket_batches: int = _key(
        16, "batches drawn together and sorted by length: less padding, less shuffling"
    )
    sorted_first_epoch: bool = _key(True, "the first epoch goes from short to long utterances")
    dev_every_epochs: int = _key(
        1, "dev is measured after every so many epochs and after the last step; 0 = at the end only"
    )
    checkpoint_every_s: float = _key(
        60.0, "seconds between checkpoints inside an epoch; one is also made at every epoch's end"
    )
    keep_checkpoints: int = _key(2, "newest checkpoints kept, beside the best one on dev")
    max_bad_batches: int = _key(
        20, "batches with a non-finite loss that are set aside before the run is given up"
    )
    threads: int = _key(0, "CPU threads for the network; 0 = all cores this process may use")


@dataclass(frozen=True)
class AugmentConfig:
    """Changes made to training utterances only, each epoch anew, from the seed."""

    speeds: tuple[float, ...] = _key(
        (1.0,), "playing speeds; each utterance is heard at one of them per epoch (pitch moves too)"
    )
    time_masks: int = _key(0, "stretches of frames silenced per utterance (set to the training mean)")
    time_mask_frames: int = _key(10, "longest stretch silenced, frames")
    feature_noise: float = _key(0.0, "deviation of Gaussian noise added to every whitened coefficient")
    feature_offset: float = _key(
        0.0, "deviation of a Gaussian offset per utterance and coefficient (another voice, another room)"
    )


@dataclass(frozen=True)
class TrainingConfig:
    """Everything a training run depends on, besides the corpora themselves."""

    seed: int = _key(1, "seed of the weights, the order of batches, dropout and augmentation")
    data: DataConfig = DataConfig()
    features: FeatureConfig = FeatureConfig()
    model: ModelConfig = ModelConfig()
    optimiser: OptimiserConfig = OptimiserConfig()
    loop: LoopConfig = LoopConfig()
    augment: AugmentConfig = AugmentConfig()


# Keys that change how a run is carried out but not what it learns.
_OUTSIDE_IDENTITY = frozenset({"checkpoint_every_s", "keep_checkpoints", "threads"})


def read_config(path: Path) -> TrainingConfig:
    """Read and check a TOML file.

    Raises:
        ConfigError: the file cannot be read, is not TOML, or holds an unknown key or an impossible value; the
            message names file, line, key and the nearest known key.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: the configuration cannot be read: {error}") from error
    return parse_config(text, str(path))


def parse_config(text: str, place: str = "configuration") -> TrainingConfig:
    """Like `read_config`, from a text; `place` names it in messages."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{place}: not valid TOML: {error}") from error
    config: TrainingConfig = _build(TrainingConfig, table, _Place(place, text, ""))
    _check_values(config, place)
    return config


@dataclass(frozen=True)
class _Place:
    """Where in which file a table stands, for messages."""

    file: str
    text: str
    section: str

    def of(self, key: str) -> str:
        """`file:line` of a key or table, as far as it can be found in the text."""
        section = ""
        for number, line in enumerate(self.text.splitlines(), start=1):
            header = re.match(r"\s*\[\s*([\w.-]+)\s*\]", line)
            if header:
                section = header.group(1)
                if not self.section and section.split(".")[0] == key:
                    return f"{self.file}:{number}"
            elif section == self.section and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]", line):
                return f"{self.file}:{number}"
        return self.file


def _build(kind: Any, table: dict[str, Any], place: _Place) -> Any:
    hints = typing.get_type_hints(kind)
    known = [item.name for item in dataclasses.fields(kind)]
    values: dict[str, Any] = {}
    for key, value in table.items():
        label = f"{place.section}.{key}" if place.section else key
        if key not in known:
            nearest = difflib.get_close_matches(key, known, n=1, cutoff=0.0)
            raise ConfigError(
                f"{place.of(key)}: unknown key {label!r}; the nearest known key is {nearest[0]!r}"
            )
        if dataclasses.is_dataclass(hints[key]):
            if not isinstance(value, dict):
                raise ConfigError(
                    f"{place.of(key)}: {label!r} is a table: write [{label}] and its keys below it"
                )
            values[key] = _build(hints[key], value, dataclasses.replace(place, section=label))
        else:
            values[key] = _convert(value, hints[key], f"{place.of(key)}: {label!r}")
    return kind(**values)


def _convert(value: Any, hint: Any, where: str) -> Any:
    if typing.get_origin(hint) is tuple or isinstance(hint, types.GenericAlias):
        item = typing.get_args(hint)[0]
        if not isinstance(value, list):
            raise ConfigError(f"{where} is a list of {item.__name__}, not {value!r}")
        return tuple(_convert(one, item, where) for one in value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (hint is not bool and isinstance(value, bool)):
        raise ConfigError(f"{where} is of type {hint.__name__}, not {value!r}")
    return value


def _check_values(config: TrainingConfig, place: str) -> None:
    f, m, o, p, a = config.features, config.model, config.optimiser, config.loop, config.augment
    rules = [
        ("features.sample_rate_hz", f.sample_rate_hz >= 4000, f.sample_rate_hz, "at least 4000"),
        ("features.hop_s", 0 < f.hop_s <= f.window_s, f.hop_s, "above 0 and at most window_s"),
        ("features.mel_filters", f.mel_filters >= 1, f.mel_filters, "at least 1"),
        ("features.low_hz", 0 <= f.low_hz < f.sample_rate_hz / 2, f.low_hz, "below half the sample rate"),
        ("features.coefficients", 1 <= f.coefficients <= f.mel_filters, f.coefficients, "1 to mel_filters"),
        ("features.context", f.context >= 0, f.context, "0 or more"),
        ("model.n_hidden", m.n_hidden >= 1, m.n_hidden, "at least 1"),
        ("model.dropout", 0 <= m.dropout < 1, m.dropout, "0 or more and below 1"),
        ("model.relu_clip", m.relu_clip > 0, m.relu_clip, "above 0"),
        ("optimiser.learning_rate", o.learning_rate > 0, o.learning_rate, "above 0"),
        ("optimiser.decay", o.decay in ("none", "linear", "cosine"), o.decay, "none, linear or cosine"),
        ("optimiser.final_rate", 0 <= o.final_rate <= 1, o.final_rate, "0 to 1"),
        ("loop.epochs", p.epochs >= 1 or p.steps >= 1, p.epochs, "at least 1 when steps is 0"),
        ("loop.steps", p.steps >= 0, p.steps, "0 or more"),
        ("loop.batch_size", p.batch_size >= 1, p.batch_size, "at least 1"),
        ("loop.bucket_batches", p.bucket_batches >= 1, p.bucket_batches, "at least 1"),
        ("loop.keep_checkpoints", p.keep_checkpoints >= 1, p.keep_checkpoints, "at least 1"),
        (
            "augment.speeds",
            bool(a.speeds) and all(0.5 <= s <= 2 for s in a.speeds),
            a.speeds,
            "one or more of 0.5 to 2",
        ),
        ("augment.time_masks", a.time_masks >= 0, a.time_masks, "0 or more"),
        ("augment.feature_noise", a.feature_noise >= 0, a.feature_noise, "0 or more"),
        ("augment.feature_offset", a.feature_offset >= 0, a.feature_offset, "0 or more"),
    ]
    for name, holds, value, expected in rules:
        if not holds:
            raise ConfigError(f"{place}: {name} = {value!r} is impossible; expected {expected}")


def config_text(config: TrainingConfig, comments: bool = False) -> str:
    """The configuration as TOML, every key written out, in the order of the dataclasses."""
    lines: list[str] = []

    def write(table: Any, section: str) -> None:
        nested = []
        for item in dataclasses.fields(table):
            value = getattr(table, item.name)
            if dataclasses.is_dataclass(value):
                nested.append((item.name, value))
                continue
            if comments:
                lines.append(f"# {item.metadata['help']}")
            lines.append(f"{item.name} = {_toml(value)}")
        for name, value in nested:
            lines.extend(["", f"[{name}]"])
            if comments:
                lines[-1:] = [f"# {(value.__doc__ or '').splitlines()[0]}", f"[{name}]"]
            write(value, name)

    write(config, "")
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value)


def example_text() -> str:
    """The text of config.example.toml: every key with its default and a comment."""
    return "# Every key of a training configuration, with its default.\n" + config_text(
        TrainingConfig(), comments=True
    )


def identity(config: TrainingConfig) -> str:
    """Hex SHA-256 of all keys that change what a run learns."""
    table = dataclasses.asdict(config)
    table["loop"] = {key: value for key, value in table["loop"].items() if key not in _OUTSIDE_IDENTITY}
    return hashlib.sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()
