"""The limits of all checks: one table, what differs by importer, and what a user sets otherwise.

In the store's settings.toml:

    [thresholds]             # of every corpus
    max_duration_s = 30
    [thresholds.fisher]      # of the corpus that is published under this name
    leaked_sentences = 0.2

`refresh --threshold NAME=VALUE` wins over both for one refresh. The manifest says which limits a version was made with.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from store.errors import UsageError
from store.settings import read_table, refuse_unknown


@dataclass(frozen=True)
class Thresholds:
    """The one table of limits."""

    min_duration_s: float = 0.1
    max_duration_s: float = 40.0
    slow_chars_per_s: float = 2.0
    fast_chars_per_s: float = 30.0
    pace_fence: float = 3.0
    silence_ratio: float = 0.8
    clipped_ratio: float = 0.002
    snr_db: float = 10.0
    quiet_dbfs: float = -35.0
    narrow_band_hz: float = 4300.0
    dc_offset: float = 0.02
    leakage_words: int = 5
    leaked_sentences: float = 0.01
    swapped_db: float = 12.0

    def as_dict(self) -> dict[str, float]:
        """For the manifest."""
        return asdict(self)


# What differs by importer. In spontaneous speech even people who never met say the same common sentences.
_OF_IMPORTER: dict[str, dict[str, float]] = {
    "fisher": {"leaked_sentences": 0.15},
    "switchboard": {"leaked_sentences": 0.15},
    "hub5_2000": {"leaked_sentences": 0.15},
    "rt03": {"leaked_sentences": 0.15},
}
_SHARES = {"silence_ratio", "clipped_ratio", "dc_offset", "leaked_sentences"}
_ANY_SIGN = {"quiet_dbfs", "snr_db", "swapped_db"}


def thresholds_of(importer: str, *overrides: Mapping[str, float]) -> Thresholds:
    """The limits for a corpus of this importer.

    Args:
        overrides: checked tables, a later one wins.

    Raises:
        UsageError: the shortest duration is not below the longest.
    """
    table = replace(Thresholds(), **_OF_IMPORTER.get(importer, {}))  # type: ignore[arg-type]
    for override in overrides:
        table = replace(table, **override)  # type: ignore[arg-type]
    for low, high in (("min_duration_s", "max_duration_s"), ("slow_chars_per_s", "fast_chars_per_s")):
        if getattr(table, low) >= getattr(table, high):
            raise UsageError(
                f"the threshold {low} ({getattr(table, low)}) must be below {high} ({getattr(table, high)})"
            )
    return table


def settings_of(path: Path, name: str) -> dict[str, float]:
    """What the store's settings say of the corpus of this name; {} without a file or a table.

    Raises:
        UsageError: no valid TOML, no such threshold, or a value that cannot be one; names file, key and value.
    """
    common, by_name = _tables(path)
    return {**common, **by_name.get(name, {})}


def all_settings(path: Path) -> list[Any]:
    """All that the settings say of thresholds, for the key of a refresh whose corpus has no name yet.

    Raises what `settings_of` raises.
    """
    return [*_tables(path)]


def _tables(path: Path) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    table: dict[str, Any] = read_table(path, "thresholds")
    common = {key: value for key, value in table.items() if not isinstance(value, dict)}
    by_name = {key: value for key, value in table.items() if isinstance(value, dict)}
    return (
        checked(common, f"{path} [thresholds]"),
        {name: checked(table, f"{path} [thresholds.{name}]") for name, table in sorted(by_name.items())},
    )


def parse(given: Sequence[str]) -> dict[str, float]:
    """What `--threshold NAME=VALUE` says.

    Raises:
        UsageError: not of that form, no such threshold, or a value that cannot be one.
    """
    said: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"--threshold {text}: wanted NAME=VALUE, for example max_duration_s=30")
        try:
            said[name.strip()] = float(value)
        except ValueError:
            said[name.strip()] = value
    return checked(said, "--threshold")


def checked(table: Mapping[str, Any], where: str) -> dict[str, float]:
    """A table whose names and values can be thresholds, whole numbers and others as the table has them.

    Raises:
        UsageError: one cannot; names the place, the key, the value and what is allowed.
    """
    known = {name: type(value) for name, value in Thresholds().as_dict().items()}
    found: dict[str, float] = {}
    refuse_unknown(table, known, f"{where}: no threshold is called")
    for name, value in table.items():
        wanted = _range_of(name)
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not number or not wanted[0] <= value <= wanted[1] or (known[name] is int and value != int(value)):
            kind = "a whole number" if known[name] is int else "a number"
            limits = f" from {wanted[0]:g} to {wanted[1]:g}" if math.isfinite(wanted[1]) else ""
            at_least = f" of at least {wanted[0]:g}" if not limits and math.isfinite(wanted[0]) else ""
            raise UsageError(f"{where}: {name} is {value!r}; wanted: {kind}{limits}{at_least}")
        found[name] = known[name](value)
    return found


def _range_of(name: str) -> tuple[float, float]:
    if name in _SHARES:
        return 0.0, 1.0
    if name in _ANY_SIGN:
        return -math.inf, math.inf
    return (1.0 if name == "leakage_words" else 0.0), math.inf
