"""Which language models the chain keeps up to date: `[[language_models]]` in the store's settings.toml.

    [[language_models]]
    name = "default"
    corpora = ["*"]            # or names; [] = text only
    text = ["novels.tar.xz"]   # relative to the store, or absolute
    order = 3
    prune = [0, 0, 1]
    vocabulary_size = 200000   # or vocabulary = "words.txt"
    pronunciations = "cmudict.txt"  # how words are said, in the labels of `alphabet`
    alphabet = "alphabet.txt"  # the letters of the text; without it those of the language
    language = "de"            # without it that of the corpora named, else English
    labels = "characters"      # or "bytes": the network writes the bytes of UTF-8
    unit = "words"             # or "characters"; without it what the alphabet asks for
    binary = "probing"
    interpolate = true         # one model of each source, mixed by weights tuned on dev
    dev = "dev.txt"            # … on these sentences instead of the corpora's dev transcripts
    quantise = 8               # with binary = "trie"

Without the file or the table there is one model of all corpora, as `lm/defaults.py` says. Unknown keys are refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lm.defaults import DEFAULT_NAME, DEFAULT_ORDER, DEFAULT_PRUNE
from lm.errors import LanguageModelUsageError
from lm.request import BuildRequest
from store.opening import open_store
from store.settings import read_table, refuse_unknown
from store.store import Store

_TYPES: dict[str, type] = {
    "name": str,
    "corpora": list,
    "text": list,
    "order": int,
    "prune": list,
    "vocabulary_size": int,
    "vocabulary": str,
    "pronunciations": str,
    "keep_held_out": bool,
    "interpolate": bool,
    "dev": str,
    "alphabet": str,
    "language": str,
    "labels": str,
    "unit": str,
    "binary": str,
    "quantise": int,
}
_ITEM_TYPES: dict[str, type] = {"corpora": str, "text": str, "prune": int}


def read_settings(store: Store | Path | str | None = None) -> list[BuildRequest]:
    """The language models to publish, in the order of the file.

    Raises LanguageModelUsageError naming the file, the key and what is wrong with it.
    """
    opened = store if isinstance(store, Store) else open_store(store)
    tables: list[dict[str, Any]] = read_table(
        opened.settings_path, "language_models", LanguageModelUsageError
    )
    if not tables:
        return [BuildRequest(publish=DEFAULT_NAME, store=opened.root)]
    requests = [_request(table, opened) for table in tables]
    names = [request.publish for request in requests]
    doubled = sorted({str(name) for name in names if names.count(name) > 1})
    if doubled:
        raise LanguageModelUsageError(
            f"{opened.settings_path}: language model {', '.join(doubled)} stands twice"
        )
    return requests


def request_for(name: str, store: Store | Path | str | None = None) -> BuildRequest:
    """The request of one name. Raises LanguageModelUsageError listing the names there are."""
    requests = read_settings(store)
    for request in requests:
        if request.publish == name:
            return request
    there = ", ".join(str(request.publish) for request in requests)
    raise LanguageModelUsageError(f"no language model {name!r} in the settings; there are: {there}")


def _request(table: dict[str, Any], store: Store) -> BuildRequest:
    """One table of the file as a request."""
    _check_types(table, store.settings_path)
    named = table.get("corpora", ["*"])
    return BuildRequest(
        publish=table.get("name", DEFAULT_NAME),
        corpora=None if "*" in named else tuple(named),
        text=tuple(store.root / Path(text).expanduser() for text in table.get("text", [])),
        order=table.get("order", DEFAULT_ORDER),
        prune=tuple(table.get("prune", DEFAULT_PRUNE)),
        vocabulary_size=table.get("vocabulary_size"),
        vocabulary=store.root / table["vocabulary"] if "vocabulary" in table else None,
        pronunciations=store.root / table["pronunciations"] if "pronunciations" in table else None,
        keep_held_out=table.get("keep_held_out", False),
        interpolate=table.get("interpolate", False),
        dev=store.root / Path(table["dev"]).expanduser() if "dev" in table else None,
        alphabet=store.root / Path(table["alphabet"]).expanduser() if "alphabet" in table else None,
        labels=table.get("labels", "characters"),
        unit=table.get("unit", ""),
        language=table.get("language"),
        binary=table.get("binary", "probing"),
        quantise=table.get("quantise"),
        store=store.root,
    )


def _check_types(table: dict[str, Any], path: Path) -> None:
    """Refuses unknown keys and values of a wrong type."""
    refuse_unknown(table, _TYPES, f"{path}: [[language_models]] has an unknown key", LanguageModelUsageError)
    for key, value in table.items():
        items = value if isinstance(value, list) else []
        fitting = isinstance(value, _TYPES[key]) and (_TYPES[key] is bool or not isinstance(value, bool))
        if not fitting or not all(isinstance(item, _ITEM_TYPES.get(key, object)) for item in items):
            kind = f"a list of {_ITEM_TYPES[key].__name__}" if key in _ITEM_TYPES else _TYPES[key].__name__
            raise LanguageModelUsageError(f"{path}: {key} = {value!r} in [[language_models]] must be {kind}")
