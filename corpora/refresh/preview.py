"""What a refresh would do, and what the archives below the allowed roots are; publishes nothing."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from corpora.doctor import Aids, describe, examine
from corpora.refresh.group_cache import find_group
from corpora.refresh.plan import RefreshRequest, plan_refresh, read_plan
from corpora.sources.allowed import Offer, look_inside
from native.errors import SpeechmillError
from store.errors import NotPublishedError
from store.opening import open_store
from store.store import Store

_log = logging.getLogger(__name__)


def look_at_offers(store: Store, environ: Mapping[str, str] | None = None) -> list[Offer]:
    """Look inside what is new below the roots; answers what the form offers now."""

    def importers_of(path: Path) -> tuple[str, ...]:
        try:
            found = examine([path], store.cache_dir / "unpacked" / "offers")
        except (SpeechmillError, OSError) as error:
            _log.info("%s is not offered: %s", path, error)
            return ()
        return tuple(name for name, outlook in found["importers"].items() if "problem" not in outlook)

    return look_inside(store, importers_of, environ)


def preview(request: RefreshRequest) -> dict[str, Any]:
    """What a refresh would do, without doing it: names and tables are read, no sound.

    Returns:
        headline (one line), text (what `doctor` says), corpus, unchanged, groups and groups_new (to be imported anew).

    Raises what `plan_refresh` raises.
    """
    store = open_store(request.store)
    plan = read_plan(plan_refresh(request))
    new = sum(1 for index in range(len(plan.groups)) if find_group(plan, index) is None)
    here = [path for path in request.sources if isinstance(path, Path)]
    aids = Aids(request.donation, alphabets=store.alphabets_dir)
    text = describe(examine(here, store.cache_dir / "unpacked" / "offers", aids)) if here else ""
    facts = {
        "corpus": plan.name,
        "unchanged": bool(plan.unchanged),
        "groups": len(plan.groups),
        "groups_new": new,
    }
    return {**facts, "headline": f"dry run: {_would(store, facts)}", "text": text}


def _would(store: Store, facts: Mapping[str, Any]) -> str:
    name = facts["corpus"]
    if facts["unchanged"]:
        return f"{name} is published from exactly this; a refresh would change nothing"
    try:
        now = f"{store.corpus(name).manifest['utterances']:,} utterances are published now"
    except (NotPublishedError, SpeechmillError):
        now = "nothing is published under this name yet"
    return f"{name} would be imported: {facts['groups_new']} of {facts['groups']} groups anew; {now}"
