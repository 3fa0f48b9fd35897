"""Archives become corpora: validated Parquet shards with every refusal on record.

    sources/ → importers/ → audio/, text/ → quality/ → versions/, and refresh/ is the whole stage for one corpus
    utterance.py   what a row is           importer.py   what an importer is           store/   where it all lies

This module re-exports the vocabulary and imports nothing heavy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from corpora.errors import CorporaError
    from corpora.importer import AudioRef, Ignored, Importer, ImportOptions, RawSegment, Scan, WorkUnit
    from corpora.utterance import REJECTIONS_SCHEMA, SCHEMA, Rejection, Utterance
    from store.corpus import SPLITS, Corpus
    from store.store import Store

__all__ = [
    "REJECTIONS_SCHEMA",
    "SCHEMA",
    "SPLITS",
    "AudioRef",
    "CorporaError",
    "Corpus",
    "Ignored",
    "ImportOptions",
    "Importer",
    "RawSegment",
    "Rejection",
    "Scan",
    "Store",
    "Utterance",
    "WorkUnit",
]

_HOMES = {
    "AudioRef": "corpora.importer",
    "CorporaError": "corpora.errors",
    "Corpus": "store.store",
    "Ignored": "corpora.importer",
    "ImportOptions": "corpora.importer",
    "Importer": "corpora.importer",
    "REJECTIONS_SCHEMA": "corpora.utterance",
    "RawSegment": "corpora.importer",
    "Rejection": "corpora.utterance",
    "SCHEMA": "corpora.utterance",
    "SPLITS": "corpora.utterance",
    "Scan": "corpora.importer",
    "Store": "store.store",
    "Utterance": "corpora.utterance",
    "WorkUnit": "corpora.importer",
}


def __getattr__(name: str) -> Any:
    """Imports a name's module when the name is first used: most commands need few of them."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
