"""Archives become corpora: validated Parquet shards with every refusal on record.

    utterance.py   what a row is           importer.py   what an importer is
    sources.py → importers/ → audio.py → transcript.py → quality.py → shards.py → manifest.py
    refresh.py     the whole stage for one corpus        store.py      where it all lies

This module re-exports the vocabulary and imports nothing heavy.
"""

from __future__ import annotations

from corpora.errors import CorporaError
from corpora.importer import AudioRef, Ignored, Importer, ImportOptions, RawSegment, Scan, WorkUnit
from corpora.store import Corpus, Store
from corpora.utterance import REJECTIONS_SCHEMA, SCHEMA, SPLITS, Rejection, Utterance

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
