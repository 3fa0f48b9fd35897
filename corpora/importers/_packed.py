"""What importers of packed sets share: splits by name, licence and language, speakers that are not named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from corpora.importer import CorpusFacts, ImportOptions
from corpora.options import Option
from corpora.sources.source import Source

LICENCE = Option("licence", "SPDX name of the licence, where the set states none")
LANGUAGE = Option("language", "BCP 47 name of the language, where the set states none")
_SPLITS = {
    "train": r"train(?:ing)?",
    "dev": r"dev|val(?:id(?:ation)?)?",
    "test": r"test(?:ing)?|eval(?:uation)?",
}
_GENDERS = {"f": "f", "female": "f", "m": "m", "male": "m", "x": "x", "other": "x"}
_STATED = re.compile(
    r"^(licen[cs]e|language):[ \t]*(?:\n[ \t]*-[ \t]+)?[\"']?([A-Za-z0-9][A-Za-z0-9.+-]*)", re.MULTILINE
)
_SPDX = {"apache": "Apache", "mit": "MIT", "cc": "CC", "by": "BY", "sa": "SA", "nc": "NC", "nd": "ND"}


def split_of(path: str) -> str:
    """train, dev or test by the last part of a path that says so, else ""."""
    for part in reversed(re.split(r"[/!]+", path)):
        for split, pattern in _SPLITS.items():
            if re.search(rf"(?:^|[^a-z])(?:{pattern})(?:[^a-z]|$)", part.lower()):
                return split
    return ""


def gender_of(value: Any) -> str | None:
    """f, m, x or None."""
    return _GENDERS.get(str(value).lower())


def facts_of(name: str, source: Source, options: ImportOptions, splits: Iterable[str]) -> CorpusFacts:
    """Licence and language by option, else by the set's card (README.md); without a licence it waits in quarantine."""
    stated = _card(source)
    licence = str(options.options.get("licence") or stated.get("license") or stated.get("licence") or "")
    language = str(options.options.get("language") or stated.get("language") or "en")
    why = "" if licence else "no licence is stated: say --licence NAME (SPDX)"
    rule = "official" if {"dev", "test"} & set(splits) else "speaker"
    return CorpusFacts(name, _spdx(licence) or "unknown", language, split_rule=rule, quarantine=why)


def _card(source: Source) -> dict[str, str]:
    names = [name for name in source.names_matching(r"(?:^|/)README\.md$") if "!/" not in name]
    if not names:
        return {}
    text = source.read_bytes(names[0])[: 1 << 16].decode("utf-8", "replace")
    front = text.split("\n---", 1)[0] if text.startswith("---") else ""
    return {key: value for key, value in _STATED.findall(front)}


def _spdx(licence: str) -> str:
    """cc-by-4.0 -> CC-BY-4.0, apache-2.0 -> Apache-2.0."""
    return "-".join(
        _SPDX.get(part, part.upper() if part.startswith("cc") else part) for part in licence.split("-")
    )


def first_text(row: Mapping[str, Any], names: Iterable[str]) -> str | None:
    """The value of the first of the columns that holds a text."""
    return next((row[name] for name in names if isinstance(row.get(name), str) and row[name]), None)
