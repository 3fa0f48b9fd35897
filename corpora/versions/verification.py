"""Whether what is published is what was sealed: manifests, shards, rejections, `current`, who has withdrawn.

Files whose size and time of change have been seen before are not read again, unless all bytes are asked for. One
damaged corpus hides no other. Nothing is mended here: the refresh of a corpus does that.
"""

from __future__ import annotations

from typing import Any

from corpora.versions.withdrawals import withdrawn_donors
from store.corpus import Corpus
from store.errors import NotPublishedError, StoreError
from store.store import Store


def verify(store: Store, names: list[str] | None = None, full: bool = False) -> list[dict[str, Any]]:
    """Look at the current versions of corpora (None = all, also those in quarantine).

    Returns:
        One entry per corpus: corpus, version ("" where it cannot be read), files (how many were compared), damage:
        a list of {path, kind, reason}; `kind` is missing, size, content, current or withdrawn.

    Raises:
        NotPublishedError: a corpus that was named is not there.
    """
    troubles = store.corpus_troubles()
    published = [*store.corpus_names(), *store.quarantined_names()]
    wanted = sorted({*published, *troubles, *_noted(store)}) if names is None else names
    return [_of(store, name, troubles.get(name), full) for name in wanted]


def _noted(store: Store) -> list[str]:
    """Corpora that have a note of who withdrew, published or not."""
    return [path.parent.name for path in store.corpora_dir.glob("*/withdrawn.json")]


def _of(store: Store, name: str, trouble: str | None, full: bool) -> dict[str, Any]:
    damage, corpus = _damaged_notes(store, name), None
    if trouble is None:
        corpus = _open(store, name, needed=not damage)
    if corpus is not None:
        damage += [{"path": d.path, "kind": d.kind, "reason": d.reason} for d in corpus.find_damage(full)]
    elif trouble is not None:
        damage.append({"path": "current", "kind": "current", "reason": trouble})
    return {
        "corpus": name,
        "version": corpus.version if corpus else "",
        "files": 1 + len(corpus.manifest["shards"]) + 1 if corpus and not damage else 0,
        "damage": damage,
    }


def _open(store: Store, name: str, needed: bool) -> Corpus | None:
    """The corpus, in force or in quarantine; None where nothing of it is published and a note of it suffices."""
    try:
        return store.corpus(name)
    except NotPublishedError:
        if name in store.quarantined_names():
            return store.quarantined(name)
        if needed and name not in _noted(store):
            raise
    return None


def _damaged_notes(store: Store, name: str) -> list[dict[str, Any]]:
    try:
        withdrawn_donors(store, name)
    except StoreError as error:
        return [{"path": "withdrawn.json", "kind": "withdrawn", "reason": str(error)}]
    return []
