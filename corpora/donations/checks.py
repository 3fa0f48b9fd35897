"""Checks of values of a donation.toml: of which kind they are, which numbers, encodings and genders make sense.

Every one raises ValueError with the key, its value and what belongs there; donation.py says in which file.
"""

from __future__ import annotations

import codecs
import math
from collections.abc import Iterable, Mapping
from dataclasses import Field, dataclass
from typing import Any

_GENDERS = {"f", "m", "x", "female", "male"}
_NO_ENCODINGS = {"undefined", "idna", "punycode", "unicode_escape", "raw_unicode_escape"}


def check_kinds(values: Mapping[str, Any], known: Iterable[Field[Any]], place: str) -> None:
    """Texts are texts, numbers numbers, lists and tables hold texts: TOML would let a list pass for a speaker.

    Raises:
        ValueError: names the key, its value and what belongs there.
    """
    for entry in known:
        value = values.get(entry.name)
        wanted = _WANTED.get(str(entry.type).partition("[")[0].partition(" ")[0])
        if wanted is None:
            continue  # a section, made of checked values
        if value is None or not isinstance(value, wanted.kinds):
            wrong = value is not None
        else:
            wrong = isinstance(value, bool) and bool not in wanted.kinds
            texts = (
                value
                if isinstance(value, list | tuple)
                else value.values()
                if isinstance(value, dict)
                else ()
            )
            wrong = wrong or not all(isinstance(text, str) for text in texts)
        if wrong:
            raise ValueError(f"{place}{entry.name} = {str(value)[:60]!r} is not {wanted.told}")
        if isinstance(value, str) and any(ord(c) < 32 and c != "\t" for c in value):
            raise ValueError(f"{place}{entry.name} holds a control character")


@dataclass(frozen=True)
class _Wanted:
    kinds: tuple[type, ...]
    told: str


_WANTED = {
    "str": _Wanted((str,), "a text"),
    "bool": _Wanted((bool,), "true or false"),
    "float": _Wanted((int, float), "a number"),
    "int": _Wanted((int,), "a whole number"),
    "tuple": _Wanted((list, tuple), "a list of texts"),
    "Mapping": _Wanted((dict,), "a table of texts"),
}


def check_numbers(values: Mapping[str, Any]) -> None:
    for name, least, most in (
        ("time_stretch", 0.5, 2.0),
        ("time_offset_s", -1e6, 1e6),
        ("audio_track", 0, 99),
        ("dev_share", 0, 0.5),
    ):
        value = values.get(name)
        if value is not None and not (math.isfinite(value) and least <= value <= most):
            raise ValueError(f"{name} = {value}; it lies between {least:g} and {most:g}")


def check_encoding(name: str) -> None:
    """An encoding of texts, that reads what everybody writes; `hex` and `zip` are none."""
    if name == "auto":
        return
    try:
        info = codecs.lookup(name)
        plain = info._is_text_encoding and b"a b".decode(name) == "a b"
    except (LookupError, ValueError, TypeError):
        info, plain = None, False
    if (
        info is None
        or not (plain or info.name.startswith(("utf-16", "utf-32")))
        or info.name in _NO_ENCODINGS
    ):
        raise ValueError(
            f"encoding = {name[:40]!r} is no encoding of text; for example utf-8, cp1252, utf-16"
        )


def check_genders(genders: Mapping[str, str]) -> None:
    strange = sorted(value for value in genders.values() if value.lower() not in _GENDERS)
    if strange:
        raise ValueError(f"genders: {strange[0][:40]!r} is none of {', '.join(sorted(_GENDERS))}")
