"""A donated sound that the store holds already: one copy is kept, and none that a test set holds is learnt from.

Compared is the hash of the decoded samples, so that the same recording in another container is found too. Only
donations are asked: what official corpora share is told by leakage.py.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from corpora.quality.leakage import readable_traces
from store.store import Store

HELD = "in_a_test_set"
ELSEWHERE = "donated_before"


def twin_verdicts(store: Store, name: str, index: pd.DataFrame) -> pd.Series:
    """Why rows of a donation must not be published, "" where nothing speaks against it.

    Args:
        index: `audio_hash` (first 64 bits of the SHA-256 of the samples) of every row of the donation.

    Returns:
        `HELD` where dev or test of another corpus has the sound, `ELSEWHERE` where another donation has it.
    """
    verdicts = pd.Series("", index=index.index, dtype=object)
    hashes = index["audio_hash"].to_numpy(dtype=np.uint64)
    for other in store.corpus_names():
        corpus = store.corpus(other)
        if other == name:
            continue
        there = readable_traces(store, corpus)
        if there is None:
            continue
        if corpus.manifest["importer"] == "donated":
            verdicts[np.isin(hashes, there.audio) & (verdicts == "").to_numpy()] = ELSEWHERE
        verdicts[np.isin(hashes, there.audio[there.split > 0])] = HELD
    return verdicts
