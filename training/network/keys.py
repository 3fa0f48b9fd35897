"""A frozen dataclass as a TOML file: keys with help and a range, read with places, written with comments.

Generic: knows no key of any configuration. A field is made with `key`; its rule is checked when a file is
read, so that a number that means something else ends in a sentence before anything starts.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
import re
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from training.errors import ConfigError


@dataclass(frozen=True)
class Rule:
    """What a value must be: a test, and its words."""

    holds: Callable[[Any], bool]
    words: str


def at_least(low: float) -> Rule:
    """`low` or more, finite."""
    return Rule(lambda value: value >= low and math.isfinite(value), f"{low:g} or more")


def above(low: float) -> Rule:
    """More than `low`, finite."""
    return Rule(lambda value: value > low and math.isfinite(value), f"more than {low:g}")


def within(low: float, high: float, open_end: bool = False) -> Rule:
    """From `low` to `high`; with `open_end` below it."""
    words = f"{low:g} or more and below {high:g}" if open_end else f"{low:g} to {high:g}"
    return Rule(lambda value: low <= value < high if open_end else low <= value <= high, words)


def one_of(*names: str) -> Rule:
    """One of some words."""
    return Rule(lambda value: value in names, ", ".join(names[:-1]) + f" or {names[-1]}")


def each(rule: Rule, *counts: int, distinct: bool = False) -> Rule:
    """A list whose every entry keeps a rule; `counts` are the lengths it may have, any when left out."""
    many = f" ({' or '.join(map(str, counts))} of them)" if counts else ""

    def holds(value: Any) -> bool:
        fits = not counts or len(value) in counts
        return fits and all(map(rule.holds, value)) and not (distinct and len(set(value)) < len(value))

    return Rule(holds, f"a list, each {rule.words}{many}{', none twice' if distinct else ''}")


any_text = Rule(lambda value: "\n" not in value and "\0" not in value, "one line of text")
name = Rule(lambda value: bool(value.strip()) and value == value.strip(), "a name")
names = each(name, distinct=True)
either = Rule(lambda value: isinstance(value, bool), "true or false")


def key(default: Any, text: str, rule: Rule, since: int = 1) -> Any:
    """A dataclass field with its help, its range, and the format of the configuration that brought it."""
    return field(default=default, metadata={"help": text, "rule": rule, "since": since})


@dataclass(frozen=True)
class Place:
    """Where in which file a table stands, for messages."""

    file: str
    text: str
    section: str = ""

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


def build(kind: Any, table: dict[str, Any], place: Place) -> Any:
    """A dataclass from a parsed table.

    Raises:
        ConfigError: an unknown key (the nearest known one is named), a wrong type, a value out of range.
    """
    hints = typing.get_type_hints(kind)
    fields = {item.name: item for item in dataclasses.fields(kind)}
    values: dict[str, Any] = {}
    for key, value in table.items():
        label = f"{place.section}.{key}" if place.section else key
        if key not in fields:
            nearest = difflib.get_close_matches(key, fields, n=1, cutoff=0.0)
            raise ConfigError(
                f"{place.of(key)}: unknown key {label!r}; the nearest known key is {nearest[0]!r}"
            )
        if dataclasses.is_dataclass(hints[key]):
            if not isinstance(value, dict):
                raise ConfigError(
                    f"{place.of(key)}: {label!r} is a table: write [{label}] and its keys below it"
                )
            values[key] = build(hints[key], value, dataclasses.replace(place, section=label))
        else:
            values[key] = _convert(value, hints[key], f"{place.of(key)}: {label!r}")
            check(label, values[key], fields[key].metadata["rule"], place.of(key))
    return kind(**values)


def check(label: str, value: Any, rule: Rule, where: str) -> None:
    """Raise ConfigError when a value does not keep its rule."""
    if not rule.holds(value):
        raise ConfigError(f"{where}: {label} = {value!r} is impossible; expected {rule.words}")


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


def as_text(config: Any, comments: bool = False) -> str:
    """A dataclass as TOML, every key written out, in the order of the fields."""
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
            lines.append(f"{item.name} = {toml_value(value)}")
        for name, value in nested:
            lines.extend(["", f"[{name}]"])
            if comments:
                lines[-1:] = [f"# {(value.__doc__ or '').splitlines()[0]}", f"[{name}]"]
            write(value, name)

    write(config, "")
    return "\n".join(lines) + "\n"


def toml_value(value: Any) -> str:
    """One value as TOML."""
    if isinstance(value, tuple | list):
        return "[" + ", ".join(toml_value(one) for one in value) + "]"
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value)


def as_table(config: Any) -> dict[str, Any]:
    """All keys as a table, without those of later formats that hold their default.

    Two files that mean the same give the same table, also when one was written before a key existed.
    """
    table: dict[str, Any] = {}
    for item in dataclasses.fields(config):
        value = getattr(config, item.name)
        if dataclasses.is_dataclass(value):
            nested = as_table(value)
            if nested:
                table[item.name] = nested
        elif item.metadata["since"] == 1 or value != item.default:
            table[item.name] = value
    return table
