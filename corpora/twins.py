"""A donated sound that the store holds already: one copy is kept, and none that a test set holds is learnt from.

Compared is the hash of the decoded samples, so that the same recording in another container is found too. Only
donations are asked: what official corpora share is told by leakage.py.
"""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from corpora.store import Store

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
    for other in store.corpus_names():
        corpus = store.corpus(other)
        if other == name:
            continue
        donated = corpus.manifest["importer"] == "donated"
        for batch in corpus.batches(columns=["audio_sha256", "split"]):
            hashes = pd.Series(
                [int(text[:16], 16) for text in batch["audio_sha256"].to_pylist()], dtype="uint64"
            )
            held = pc.is_in(batch["split"], pa.array(["dev", "test"])).to_numpy(zero_copy_only=False)
            if donated:
                seen = index["audio_hash"].isin(hashes) & (verdicts == "")
                verdicts[seen] = ELSEWHERE
            verdicts[index["audio_hash"].isin(hashes[held])] = HELD
    return verdicts
