"""The store's `settings.toml`, read in one place: which tables there are, and a sentence for what is not one of them.

What a table may hold is known by the room it is for: `[thresholds]` by corpora.quality.thresholds,
`[[language_models]]` by lm.settings, `[retrain]` by training.settings, `[slurm]` by training.dispatch.slurm,
`[notices]` by whoever sends them. The file is optional.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from native.errors import SpeechmillError
from store.errors import UsageError

TABLES = ("thresholds", "language_models", "retrain", "slurm", "notices")
_ARRAYS = {"language_models"}  # written with two brackets


def read_table(path: Path, name: str, error_class: type[SpeechmillError] = UsageError) -> Any:
    """One table of the settings: a dict, or a list of dicts for `[[…]]`; empty where there is no file or no such table.

    Raises:
        error_class: the file is no TOML, holds a table nobody knows, or writes a table with the wrong brackets.
    """
    empty: Any = [] if name in _ARRAYS else {}
    if not path.is_file():
        return empty
    import tomllib  # not in Python 3.10, on which a store without settings works

    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeError) as error:
        raise error_class(f"{path} is no valid TOML: {error}") from error
    except OSError as error:
        raise error_class(f"{path} cannot be read: {error.strerror or error}") from error
    refuse_unknown(said, TABLES, f"{path}: there is no table", error_class)
    for table, value in said.items():
        is_array = isinstance(value, list) and all(isinstance(entry, dict) for entry in value)
        if table in _ARRAYS and not is_array:
            raise error_class(f"{path}: write [[{table}]] with two brackets")
        if table not in _ARRAYS and not isinstance(value, dict):
            raise error_class(f"{path}: write [{table}] with one bracket, then one NAME = VALUE a line")
    return said.get(name, empty)


def refuse_unknown(
    said: Iterable[str], known: Iterable[str], where: str, error_class: type[SpeechmillError] = UsageError
) -> None:
    """Refuse the first name that is not known.

    Args:
        where: what the sentence begins with, for example "settings.toml: unknown key".

    Raises:
        error_class: names it, the nearest known one, and all there are.
    """
    there = list(known)
    for name in said:
        if name not in there:
            folded = {one.casefold(): one for one in there}
            near = difflib.get_close_matches(str(name).casefold(), folded, n=1, cutoff=0.6)
            hint = f"did you mean {folded[near[0]]!r}? " if near else ""
            raise error_class(f"{where} {name!r}; {hint}there are: {', '.join(there)}")
