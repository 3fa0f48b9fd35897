"""Which language models of the settings are behind their inputs; asked by schedules, builds nothing."""

from __future__ import annotations

import logging
from pathlib import Path

from lm.model.folder import why_not_published
from lm.request import inputs_hash
from lm.settings import read_settings
from store.errors import NotPublishedError
from store.opening import open_store
from store.store import Store

_log = logging.getLogger(__name__)


def due_language_models(store: Store | Path | str | None = None) -> list[str]:
    """Names of the models that `why_due` answers."""
    return [*why_due(store)]


def why_due(store: Store | Path | str | None = None) -> dict[str, str]:
    """The models whose current version was not built from exactly what a build would read now, or is damaged: why.

    A model that names a corpus which is not published yet waits for it and is not due. Raises what
    `read_settings` and `inputs_hash` raise otherwise.
    """
    opened = store if isinstance(store, Store) else open_store(store)
    if not opened.corpus_names():
        return {}
    due = {}
    for request in read_settings(opened):
        name = str(request.publish)
        try:
            wanted = inputs_hash(request)
        except NotPublishedError as error:
            _log.warning("language model %s waits: %s", name, error)
            continue
        reason = why_not_published(opened, name, wanted)
        if reason is None:
            _log.info("language model %s is up to date", name)
        else:
            _log.info("language model %s is due: %s", name, reason)
            due[name] = reason
    return due
