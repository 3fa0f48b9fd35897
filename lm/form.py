"""A build that a person asks for once, by a form: the standing settings of a model with some of them changed.

The standing settings are those of `settings.toml`; what is asked for here does not change them. Nothing is
built, and whether text may be named at all is the caller's question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lm.defaults import DEFAULT_NAME
from lm.errors import LanguageModelUsageError
from lm.model.folder import why_not_published
from lm.request import BuildRequest, inputs_hash
from lm.settings import read_settings
from store.opening import open_store
from store.store import Store

KEYS = ("name", "order", "prune", "vocabulary_size", "text", "interpolate")


def asked_for(form: Mapping[str, Any]) -> dict[str, Any]:
    """What of a form is filled in; {} where everything is left to the settings.

    Raises LanguageModelUsageError for a key that no build has.
    """
    unknown = sorted(set(form) - set(KEYS))
    if unknown:
        raise LanguageModelUsageError(f"unknown setting {', '.join(unknown)}; there are: {', '.join(KEYS)}")
    return {key: _whole(value) for key, value in form.items() if value not in (None, [], "", False)}


def _whole(value: Any) -> Any:
    """Whole numbers as such: JSON's integers may be written 3.0."""
    if isinstance(value, list):
        return [_whole(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def request_of(asked: Mapping[str, Any], store: Store | Path | str | None = None) -> BuildRequest:
    """The request that `asked` stands for: the settings of that name (or the defaults, from all corpora), changed.

    Raises LanguageModelUsageError where the settings file cannot be read.
    """
    opened = store if isinstance(store, Store) else open_store(store)
    name = asked.get("name", DEFAULT_NAME)
    standing = {request.publish: request for request in read_settings(opened)}
    request = standing.get(name) or BuildRequest(publish=name, store=opened.root)
    changes: dict[str, Any] = {
        key: asked[key] for key in ("order", "vocabulary_size", "interpolate") if key in asked
    }
    if "prune" in asked:
        changes["prune"] = tuple(asked["prune"])
    if "text" in asked:
        changes["text"] = (*request.text, *_paths(asked["text"]))
    return replace(request, **changes)


def _paths(names: Sequence[str]) -> list[Path]:
    return [Path(name) for name in names]


def is_current(request: BuildRequest) -> bool:
    """True when the published model of that name was built from exactly these inputs and settings and is whole."""
    store = open_store(request.store)
    return why_not_published(store, str(request.publish), inputs_hash(request)) is None
