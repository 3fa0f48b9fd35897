"""What is searched: keys of a training configuration with ranges or choices, read from a small TOML file.

    [parameters]
    "model.dropout" = { low = 0.0, high = 0.6 }
    "optimiser.learning_rate" = { low = 0.0003, high = 0.01, log = true }
    "model.n_hidden" = { choices = [64, 96, 128] }

Every value that can come out is a value the configuration takes: the ends of each range and all choices are
tried when the file is read. Runs nothing.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.errors import ConfigError
from training.network.config import TrainingConfig, config_text, identity, parse_config
from training.network.keys import toml_value

Value = float | int | str | bool


@dataclass(frozen=True)
class Parameter:
    """One searched key: a range (`log` = by factors; whole numbers when both ends are) or some choices."""

    key: str
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    choices: tuple[Value, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether only whole numbers come out."""
        return not self.choices and isinstance(self.low, int) and isinstance(self.high, int)

    def suggest(self, trial: Any) -> Value:
        """The value of an optuna trial."""
        if self.choices:
            chosen: Value = trial.suggest_categorical(self.key, list(self.choices))
            return chosen
        if self.whole:
            return int(trial.suggest_int(self.key, int(self.low), int(self.high), log=self.log))
        return float(trial.suggest_float(self.key, self.low, self.high, log=self.log))


@dataclass(frozen=True)
class Space:
    """All searched keys and the configuration that the other keys come from."""

    base: TrainingConfig
    parameters: tuple[Parameter, ...]

    def config(self, values: Mapping[str, Value]) -> TrainingConfig:
        """The configuration of a trial.

        Raises:
            ConfigError: a value is impossible.
        """
        return with_values(self.base, values)

    @property
    def key(self) -> str:
        """16 hex digits of all that a search depends on but its corpora."""
        content = [identity(self.base), [dataclasses.asdict(one) for one in self.parameters]]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


DEFAULT_SPACE = """
[parameters]
"model.dropout" = { low = 0.0, high = 0.6 }
"optimiser.learning_rate" = { low = 0.0003, high = 0.01, log = true }
"model.n_hidden" = { choices = [64, 96, 128, 192] }
"model.initialisation" = { choices = ["glorot", "he", "release_2017"] }
"augment.feature_noise" = { low = 0.0, high = 0.4 }
"augment.feature_offset" = { low = 0.0, high = 0.4 }
"augment.time_masks" = { low = 0, high = 2 }
"""
DROPOUT_SPACE = """
[parameters]
"model.dropout" = { low = 0.0, high = 0.6 }
"""


def with_values(base: TrainingConfig, values: Mapping[str, Value]) -> TrainingConfig:
    """A configuration with some keys (`section.key`) changed, checked as one that is read."""
    config = base
    for key, value in values.items():
        section, _, name = key.rpartition(".")
        table: Any = getattr(config, section, None) if section else config
        if name not in getattr(table, "__dataclass_fields__", {}):
            raise ConfigError(f"the search names {key!r}, which is no key of a training configuration")
        current = getattr(table, name)
        held: Any = (
            float(value) if isinstance(current, float) and not isinstance(value, str | bool) else value
        )
        if isinstance(current, tuple):
            raise ConfigError(f"the search names {key!r}, which is a list; only single values are searched")
        changed: Any = dataclasses.replace(table, **{name: held})
        config = dataclasses.replace(config, **{section: changed}) if section else changed
    return parse_config(config_text(config), "trial")


def read_space(path: Path | None, base: TrainingConfig, default: str = DEFAULT_SPACE) -> Space:
    """The space of a file, or the default one.

    Raises:
        ConfigError: unreadable, an unknown key, a range that is none, or a value that no configuration takes.
    """
    place = str(path) if path else "the default search"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8") if path else default)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{place}: cannot be read: {error}") from error
    unknown = sorted(set(table) - {"parameters"})
    if unknown or not isinstance(table.get("parameters"), dict) or not table["parameters"]:
        what = f"unknown table {unknown[0]!r}" if unknown else "no [parameters]"
        raise ConfigError(f"{place}: {what}; a search is a table [parameters] of keys and ranges")
    space = Space(base, tuple(_parameter(key, entry, place) for key, entry in table["parameters"].items()))
    for parameter in space.parameters:
        for value in parameter.choices or (parameter.low, parameter.high):
            space.config({parameter.key: value})
    return space


def _parameter(key: str, entry: Any, place: str) -> Parameter:
    known = {"low", "high", "log", "choices"}
    if not isinstance(entry, dict) or set(entry) - known:
        raise ConfigError(
            f"{place}: {key} = {toml_value(entry)}: write {{ low, high, log }} or {{ choices }}"
        )
    choices = entry.get("choices", [])
    if "choices" in entry:
        if not isinstance(choices, list) or not choices or set(entry) != {"choices"}:
            raise ConfigError(f"{place}: {key}: choices is a list of values and stands alone")
        return Parameter(key, choices=tuple(choices))
    low: Any = entry.get("low")
    high: Any = entry.get("high")
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (low, high))
    if not numbers or not low < high or (entry.get("log") and low <= 0):
        raise ConfigError(f"{place}: {key}: low must be below high, and above 0 where log is true")
    return Parameter(key, low, high, entry.get("log") is True)
