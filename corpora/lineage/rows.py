"""Where an utterance, a donor, a speaker, a file or a sentence stands: in which versions, in which splits.

Asks the indexes of `corpora/browsing`. One that is missing is made when the version is small or in force; others are
named in `not_looked_at`, for making them takes minutes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from corpora.browsing.index import build_index, index_path
from corpora.browsing.search import Index
from store.store import Store
from store.versions import has_size

_SMALL = 20_000
_KINDS = {
    "utterance": ("utterance_id",),
    "donor": ("donor_id", "speaker_id"),
    "file": ("source_path", "transcript_path"),
    "sentence": ("text",),
}


@dataclass
class Place:
    """What one version holds of it.

    Attributes:
        by_split: rows by split; "refused" counts rejections.
        example: one of the rows, with source file, line and span.
    """

    kind: str
    corpus: str
    version: str
    by_split: dict[str, int]
    example: dict[str, Any]


@dataclass
class Places:
    """All places, and versions that were not looked at."""

    found: list[Place] = field(default_factory=list)
    not_looked_at: list[str] = field(default_factory=list)


def find_rows(store: Store, asked: str, kinds: tuple[str, ...]) -> Places:
    """Where rows stand whose id, donor or speaker, file or text is `asked`."""
    places = Places()
    for name in store.corpus_names():
        current = store.corpus(name).version
        for path in sorted((store.corpora_dir / name).glob("*/manifest.json")):
            version = path.parent.name
            if version == "current" or path.parent.is_symlink():
                continue
            index = _index(store, name, version, version == current)
            if index is None:
                places.not_looked_at.append(f"{name}@{version}")
                continue
            for kind in kinds:
                place = _asked(index, kind, (name, version), asked)
                if place is not None:
                    places.found.append(place)
                    break
    return places


def _index(store: Store, name: str, version: str, current: bool) -> Index | None:
    corpus = store.corpus(name, version)
    path = index_path(store, corpus)
    if not has_size(path, None):
        items = corpus.manifest.get("items", {})
        if not current and items.get("accepted", 0) + items.get("rejected", 0) > _SMALL:
            return None
        path = build_index(store, corpus)
    return Index(path)


def _asked(index: Index, kind: str, place: tuple[str, str], asked: str) -> Place | None:
    counted, example = index.where(_KINDS[kind], asked.lower() if kind == "sentence" else asked)
    return Place(kind, *place, counted, example) if counted else None
