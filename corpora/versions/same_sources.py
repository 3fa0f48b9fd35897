"""Archives that two published corpora were made from: told, never refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from native.errors import SpeechmillError
from store.store import Store


def published_twice(store: Store, name: str, sources: Iterable[Mapping[str, Any]]) -> list[str]:
    """Sentences about sources of the corpus `name` that another published corpus has too, by their SHA-256."""
    own = {str(one["sha256"]): str(one["name"]) for one in sources if one.get("sha256")}
    said = []
    for other in store.corpus_names():
        if other == name:
            continue
        try:
            theirs = {str(one.get("sha256")) for one in store.corpus(other).manifest["sources"]}
        except SpeechmillError:  # a damaged one is shown where corpora are shown
            continue
        same = sorted(own[sha256] for sha256 in own.keys() & theirs)
        if same:
            said.append(
                f"{', '.join(same)} is published as {other} too: its hours count twice, and what one tests the other learns"
            )
    return said
