"""The texts of the interface, one TOML file a language; English says which keys there are."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collect.errors import CollectError, UnusableSentenceError

_FOLDER = Path(__file__).resolve().parents[1] / "texts"
DEFAULT = "en"


@dataclass(frozen=True)
class Texts:
    """One language: its code, its own name, its direction, its sentences by key, its refusals by the English sentence."""

    language: str
    name: str
    direction: str
    entries: Mapping[str, str]
    refusals: Mapping[str, str]

    def __call__(self, key: str, **values: Any) -> str:
        """The sentence of a key, its {places} filled in."""
        return self.entries[key].format(**values)

    def refusal(self, error: CollectError) -> str:
        """Why something cannot be had, in this language; in English where nobody has translated it."""
        if isinstance(error, UnusableSentenceError):
            said = self(f"unusable_{error.check}")
            return f"{said} ({error})" if self.language == DEFAULT else said
        template = self.refusals.get(error.template)
        return str(error) if template is None else template.format(**error.values)

    def starting(self, *prefixes: str) -> dict[str, str]:
        """The entries whose keys begin so, for the modules of a page."""
        return {key: text for key, text in self.entries.items() if key.startswith(prefixes)}


def load_texts(folder: Path = _FOLDER) -> dict[str, Texts]:
    """All languages there are files of, by code."""
    found = {}
    for path in sorted(folder.glob("*.toml")):
        table = tomllib.loads(path.read_text("utf-8"))
        found[path.stem] = Texts(
            path.stem, table["name"], table["direction"], table["texts"], table.get("refusals", {})
        )
    return found


def choose(texts: Mapping[str, Texts], wanted: list[str]) -> Texts:
    """The first language of `wanted` that is there, by its primary subtag; else English."""
    for code in wanted:
        found = texts.get(code.partition("-")[0].lower())
        if found is not None:
            return found
    return texts[DEFAULT]


def accepted_languages(header: str) -> list[str]:
    """`de-AT,de;q=0.9,en;q=0.8` → codes, the most wanted first; nonsense is passed over."""
    found: list[tuple[float, str]] = []
    for part in header[:500].split(","):
        code, _, quality = part.strip().partition(";q=")
        try:
            found.append((-float(quality or 1), code.strip()))
        except ValueError:
            continue
    return [code for _, code in sorted(found, key=lambda pair: pair[0]) if code]
