"""What dev and test share with train: sentences, speakers and sound."""

from __future__ import annotations

from typing import Any

import pandas as pd


def within(index: pd.DataFrame, min_words: int) -> dict[str, Any]:
    """How many dev and test utterances of a corpus say a sentence that is also in its train.

    Args:
        index: split, text_hash, words; one row per accepted utterance.

    Returns:
        {"dev": n, "test": n, "min_words": words} counting sentences of at least `min_words` words, and
        "dev_any", "test_any" counting all of them.
    """
    trained = index.loc[index["split"] == "train", "text_hash"].unique()
    found: dict[str, Any] = {"min_words": min_words}
    for split in ("dev", "test"):
        said = index[index["split"] == split]
        repeated = said[said["text_hash"].isin(trained)]
        found[f"{split}_any"] = len(repeated)
        found[split] = int((repeated["words"] >= min_words).sum())
    return found
