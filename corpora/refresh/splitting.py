"""The split of every row of an index: rows of a speaker in a recording are decided as one.

`splits.py` knows the rules; this module brings an index of any size to it in a small form and takes the
answer back to the rows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from corpora.importer import CorpusFacts
from corpora.quality.splits import HELD_FLAGS, Assignment, assign
from corpora.versions.index import read_rows


def corpus_facts(values: dict[str, Any]) -> CorpusFacts:
    """The facts as a plan has them."""
    lists = {key: tuple(values[key]) for key in ("dev_speakers", "test_speakers")}
    return CorpusFacts(**{**values, **lists})


def split_rows(
    index: pd.DataFrame, groups: list[Path], facts: CorpusFacts, earlier: Mapping[str, str]
) -> Assignment:
    """What `assign` answers, with the split of every accepted row of the index (null for the others).

    Args:
        index: what `read_index` answers, with `verdict` ("" = accepted) and `correction` (see curation/applying.py).
        groups: the folders it was read from.
        earlier: the split of each speaker in the version before.
    """
    kept = index[index["verdict"] == ""]
    if facts.split_rule == "utterance":
        texts = read_rows(groups, kept, ["utterance_id", "text", "speaker_id", "recording_id", "flags"])
        said = kept["correction"][kept["correction"] != ""].map(lambda one: json.loads(one)["text"])
        texts.loc[said.index, "text"] = said
        found = assign(
            texts.assign(split=kept["split"].astype(object), duration_s=kept["duration_s"]), facts, earlier
        )
        return replace(found, splits=found.splits.reindex(index.index).astype(object))
    keys = pd.DataFrame(
        {
            "speaker_id": kept["speaker_id"].astype(object),
            "recording_id": kept["recording_id"].astype(object) if "recording_id" in kept else "",
            "split": kept["split"].astype(object),
            "flags": kept["flag_set"].astype(object).map(_held_flags),
        },
        index=kept.index,
    )
    number = keys.groupby(list(keys.columns), sort=True).ngroup()
    firsts = dict.fromkeys(keys.columns, "first")
    small = keys.assign(duration_s=kept["duration_s"]).groupby(number).agg({**firsts, "duration_s": "sum"})
    small["flags"] = small["flags"].map(str.split)
    found = assign(small, facts, earlier)
    splits = number.map(found.splits)
    told = dict(found.told)
    if "utterances_left_out" in told:
        told["utterances_left_out"] = int((splits == "").sum())
    return replace(found, splits=splits.reindex(index.index).astype(object), told=told)


def _held_flags(flag_set: str) -> str:
    """Of an utterance's flags those that splits ask for."""
    return " ".join(sorted(HELD_FLAGS & set(flag_set.split())))
