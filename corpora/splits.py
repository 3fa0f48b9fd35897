"""Train, dev and test: official ones kept, all others speaker-disjoint and the same every time.

Speakers who talk to each other are kept together (a call joins two speakers, components of that graph are
moved as one). Order comes from a hash of the corpus and the speaker, so a new speaker moves nobody else far.
Dev and test are never empty where there are three speakers or more. Utterances marked `train_only` or
`speaker_unknown` hold their speaker in train. Repeated sentences are counted and reported, not moved.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import pandas as pd

from corpora.errors import UsageError
from corpora.importer import CorpusFacts

SHARE = 0.1  # of the hours, for dev and for test
LARGEST_S = 5 * 3600.0  # and never more than five hours each
_TRAIN_ONLY = {"train_only", "speaker_unknown"}


@dataclass(frozen=True)
class Assignment:
    """The split of every row, and how it was found: `rule` stands in the manifest."""

    splits: pd.Series
    rule: str


def assign(index: pd.DataFrame, facts: CorpusFacts) -> Assignment:
    """Give every utterance a split.

    Args:
        index: utterance_id, split ("" = none yet), speaker_id, recording_id, duration_s, flags.

    Raises:
        UsageError: dev or test speakers named by hand do not exist.
    """
    splits = index["split"].astype(object).copy()
    open_rows = index[splits == ""]
    if open_rows.empty:
        return Assignment(splits, "official")
    if facts.dev_speakers or facts.test_speakers:
        splits.loc[open_rows.index] = _by_hand(open_rows, facts)
        return Assignment(splits, "speakers named by hand")
    if facts.split_rule == "utterance":
        splits.loc[open_rows.index] = _by_utterance(open_rows, facts)
        return Assignment(splits, "utterance")
    splits.loc[open_rows.index] = _by_speaker(open_rows, facts)
    rule = "speaker" if len(open_rows) == len(index) else "official, then speaker"
    return Assignment(splits, rule)


def _order(facts: CorpusFacts, key: str) -> str:
    return hashlib.sha256(f"speechmill split\n{facts.name}\n{key}".encode()).hexdigest()


def _by_hand(rows: pd.DataFrame, facts: CorpusFacts) -> pd.Series:
    unknown = sorted({*facts.dev_speakers, *facts.test_speakers} - set(rows["speaker_id"]))
    if unknown:
        there = ", ".join(sorted(set(rows["speaker_id"]))[:12])
        raise UsageError(
            f"[splits] names speaker {unknown[0]!r}, who is not in the corpus; there are: {there}"
        )
    chosen = dict.fromkeys(facts.dev_speakers, "dev") | dict.fromkeys(facts.test_speakers, "test")
    return rows["speaker_id"].map(lambda speaker: chosen.get(speaker, "train"))


def _by_utterance(rows: pd.DataFrame, facts: CorpusFacts) -> pd.Series:
    """A tenth each by the hash of the sentence (of the utterance where sentences repeat by nature)."""
    key = rows["utterance_id"] if facts.closed_vocabulary else rows["text"]
    order = sorted(set(key), key=lambda k: _order(facts, k))
    count = max(1, round(len(order) * SHARE)) if len(order) >= 3 else 0
    chosen = dict.fromkeys(order[:count], "test") | dict.fromkeys(order[count : 2 * count], "dev")
    return key.map(lambda k: chosen.get(k, "train"))


def _components(rows: pd.DataFrame) -> dict[str, str]:
    """Speaker → representative of all speakers who are linked to it by recordings."""
    parent = {speaker: speaker for speaker in sorted(set(rows["speaker_id"]))}

    def root(speaker: str) -> str:
        while parent[speaker] != speaker:
            parent[speaker] = parent[parent[speaker]]
            speaker = parent[speaker]
        return speaker

    for _, speakers in rows.groupby("recording_id", sort=True)["speaker_id"]:
        names = sorted(set(speakers))
        for name in names[1:]:
            first, second = sorted((root(names[0]), root(name)))
            parent[second] = first
    return {speaker: root(speaker) for speaker in parent}


def _by_speaker(rows: pd.DataFrame, facts: CorpusFacts) -> pd.Series:
    """Whole groups of linked speakers, in hash order, until a tenth of the hours (at most 5 h) is reached."""
    component = _components(rows)
    if len(component) >= 3 and len(set(component.values())) < 3:
        component = {
            speaker: speaker for speaker in component
        }  # all linked: speakers alone, calls may bridge
    group = rows["speaker_id"].map(component)
    held = rows["flags"].map(lambda flags: bool(_TRAIN_ONLY & set(flags)))
    fixed = set(group[held])
    length_s = rows.groupby(group)["duration_s"].sum()
    free = sorted((g for g in length_s.index if g not in fixed), key=lambda g: _order(facts, g))
    chosen = _fill(free, {g: float(length_s[g]) for g in free}, float(length_s.sum()), bool(fixed))
    return group.map(lambda g: chosen.get(g, "train"))


def _fill(free: list[str], length_s: dict[str, float], total_s: float, train_held: bool) -> dict[str, str]:
    """Group → dev or test; groups much longer than what is wanted only where nothing else is left."""
    spare = len(free) - (0 if train_held else 1)
    target_s = min(SHARE * total_s, LARGEST_S)
    ordered = sorted(free, key=lambda g: length_s[g] > 1.5 * target_s)  # stable: hash order within
    chosen: dict[str, str] = {}
    for split in ("test", "dev"):
        left = [g for g in ordered if g not in chosen]
        reserve = 1 if split == "test" and spare > 1 else 0
        filled_s = 0.0
        for name in left:
            if len(chosen) >= spare - reserve or filled_s >= target_s:
                break
            if filled_s and filled_s + length_s[name] > 2 * target_s:
                continue
            chosen[name] = split
            filled_s += length_s[name]
    return chosen


def shared_speakers(index: pd.DataFrame) -> list[str]:
    """Speakers who are in more than one split, sorted."""
    counts = index.groupby("speaker_id")["split"].nunique()
    return sorted(str(speaker) for speaker in counts[counts > 1].index)


def leakage(index: pd.DataFrame, min_words: int) -> dict[str, Any]:
    """How many dev and test utterances say a sentence that is also in train.

    Returns:
        {"dev": n, "test": n, "min_words": words} counting sentences of at least `min_words` words, and
        "dev_any", "test_any" counting all of them.
    """
    trained = set(index.loc[index["split"] == "train", "text"])
    found: dict[str, Any] = {"min_words": min_words}
    for split in ("dev", "test"):
        said = index.loc[index["split"] == split, "text"]
        repeated = said[said.isin(trained)]
        found[f"{split}_any"] = len(repeated)
        found[split] = int((repeated.str.count(" ") + 1 >= min_words).sum())
    return found
