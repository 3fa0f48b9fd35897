"""Train, dev and test: official ones kept, all others speaker-disjoint and the same every time.

Speakers who talk to each other are kept together: a call joins two speakers, components of that graph are
moved as one. Where a component is too large for that (people who call again and again link almost everybody),
a small set of speakers is chosen for dev and for test: calls within a set count, calls that bridge two sets
are left out of all of them, and what that costs is reported. Order comes from a salted hash, so a new speaker
moves nobody else. **A speaker never changes split between versions**: `assign` takes what the current version
says and only adds to it. Utterances marked `train_only` or `speaker_unknown` hold their speaker in train.
Repeated sentences are counted and reported, not moved. Where a publisher names train and test and no dev, the donor
may ask for whole speakers of train as dev (`dev_share`); test is never touched.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from corpora.importer import CorpusFacts
from store.errors import UsageError

SHARE = 0.1  # of the hours, for dev and for test
LARGEST_S = 5 * 3600.0  # and never more than five hours each
LARGEST_LOSS = 1 / 3  # of the hours: more bridging calls than that, and speakers are chosen singly
SALT = "speechmill split"
BRIDGE = "split_bridge"  # check of the rows left out
HELD_FLAGS = {"train_only", "speaker_unknown"}
_NEVER = float("inf")


@dataclass(frozen=True)
class Assignment:
    """The split of every row, and how it was found.

    Attributes:
        splits: train, dev, test, or "" for a row that is left out of all of them (a call between splits).
        rule: stands in the manifest.
        speakers: split of every known speaker whom this module placed, for the manifest and the next version.
        told: salt, what was kept from the version before, calls and hours left out; for the manifest.
    """

    splits: pd.Series
    rule: str
    speakers: Mapping[str, str] = field(default_factory=dict)
    told: Mapping[str, Any] = field(default_factory=dict)


def assign(index: pd.DataFrame, facts: CorpusFacts, earlier: Mapping[str, str] | None = None) -> Assignment:
    """Give every utterance a split.

    Args:
        index: utterance_id, split ("" = none yet), speaker_id, recording_id, duration_s, flags.
        earlier: split of each speaker in the version that is current (`earlier_speakers`).

    Raises:
        UsageError: dev or test speakers named by hand do not exist, or a share for dev is asked for beside a dev split.
    """
    splits = index["split"].astype(object).copy()
    open_rows = index[splits == ""]
    if open_rows.empty and facts.dev_share:
        return _dev_from_train(index, facts, earlier or {})
    if open_rows.empty:
        return Assignment(splits, "official")
    if facts.dev_share:
        raise UsageError(
            f"[splits] dev_share = {facts.dev_share} makes a dev of an official train split, and {len(open_rows)} of "
            f"{len(index)} rows have no official split; without the key dev and test are chosen by speaker"
        )
    if facts.dev_speakers or facts.test_speakers:
        splits.loc[open_rows.index] = _by_hand(open_rows, facts)
        return Assignment(splits, "speakers named by hand")
    if facts.split_rule == "utterance":
        splits.loc[open_rows.index] = _by_utterance(open_rows, facts)
        return Assignment(splits, "utterance")
    official = _official_speakers(index[splits != ""])
    placed = _Placing(open_rows, facts, {**(earlier or {}), **official}).run()
    splits.loc[open_rows.index] = placed.rows()
    rule = "speaker" if len(open_rows) == len(index) else "official, then speaker"
    return Assignment(splits, rule, placed.known(), placed.told())


def earlier_speakers(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Split of every speaker whom an earlier version placed, from its manifest; {} where none was.

    The interface between versions: `seal` writes `speaker_splits` (split → sorted speakers) into the manifest
    from `Assignment.speakers`, and gives what this reads from the current one to `assign`.
    """
    listed: Mapping[str, list[str]] = manifest.get("speaker_splits", {})
    return {speaker: split for split, speakers in sorted(listed.items()) for speaker in speakers}


def listed_speakers(assignment: Assignment) -> dict[str, list[str]]:
    """`Assignment.speakers` as it stands in the manifest."""
    listed: dict[str, list[str]] = {}
    for speaker, split in sorted(assignment.speakers.items()):
        listed.setdefault(split, []).append(speaker)
    return dict(sorted(listed.items()))


def _order(facts: CorpusFacts, key: str) -> str:
    return hashlib.sha256(f"{SALT}\n{facts.name}\n{key}".encode()).hexdigest()


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


def _dev_from_train(rows: pd.DataFrame, facts: CorpusFacts, earlier: Mapping[str, str]) -> Assignment:
    """Official splits without a dev: whole speakers of train by the hash of their names, until the share is reached."""
    splits = rows["split"].astype(object).copy()
    if (splits == "dev").any():
        raise UsageError(
            f"[splits] dev_share = {facts.dev_share}, and {facts.name} has a dev split of its own; take one of them out"
        )
    official = _official_speakers(rows)
    length_s = _seconds_by(rows[splits == "train"], "speaker_id")
    held = set(rows.loc[rows["flags"].map(lambda flags: bool(HELD_FLAGS & set(flags))), "speaker_id"])
    free = [name for name in sorted(length_s, key=lambda n: _order(facts, n)) if name not in held]
    free = [name for name in free if set(rows.loc[rows["speaker_id"] == name, "split"]) == {"train"}]
    wanted_s = min(facts.dev_share * sum(length_s.values()), LARGEST_S)
    dev = {name for name in free if earlier.get(name) == "dev"}
    for name in [name for name in free if name not in earlier]:
        if sum(length_s[one] for one in dev) >= wanted_s or len(dev) + 1 >= len(free):
            break
        dev.add(name)
    splits[rows["speaker_id"].isin(dev) & (splits == "train")] = "dev"
    return Assignment(splits, "official, dev of train's speakers", {**official, **dict.fromkeys(dev, "dev")})


def _official_speakers(rows: pd.DataFrame) -> dict[str, str]:
    """Speakers whom the publisher put into one split only; into several: train."""
    found = {}
    for speaker, splits in rows.groupby("speaker_id")["split"]:
        found[str(speaker)] = str(splits.iloc[0]) if splits.nunique() == 1 else "train"
    return found


class _Placing:
    """Speakers without an official split: `run` places them, `rows` tells where each row goes."""

    def __init__(self, rows: pd.DataFrame, facts: CorpusFacts, fixed: Mapping[str, str]) -> None:
        self._rows, self._facts, self._fixed = rows, facts, fixed
        self._held = rows["flags"].map(lambda flags: bool(HELD_FLAGS & set(flags)))
        self._unknown = set(rows.loc[rows["flags"].map(lambda f: "speaker_unknown" in set(f)), "speaker_id"])
        self._length_s = _seconds_by(rows, "speaker_id")
        self._call_s = _seconds_by(rows, "recording_id")
        pairs = rows.groupby("recording_id", sort=True)["speaker_id"].unique()
        self._calls = {str(name): tuple(sorted(speakers)) for name, speakers in pairs.items()}
        self._target_s = min(SHARE * sum(self._length_s.values()), LARGEST_S)
        self._filled_s = {"test": 0.0, "dev": 0.0, "train": 0.0}
        self.chosen: dict[str, str] = {}
        held = dict.fromkeys(rows.loc[self._held, "speaker_id"], "train")
        for speaker, split in sorted({**held, **fixed}.items()):
            if speaker in self._length_s:
                self._put([speaker], split, self._length_s[speaker])

    def _put(self, speakers: Iterable[str], split: str, seconds: float) -> None:
        self.chosen.update(dict.fromkeys(speakers, split))
        self._filled_s[split] += seconds

    def run(self) -> _Placing:
        """Place everybody: groups first, then calls of the speakers left, then singly where that fails."""
        free = self._join(self._groups())
        before = (dict(self.chosen), dict(self._filled_s))
        huge = {
            group
            for group, members in free.items()
            if len(members) > 1 and self._seconds(members) > 1.5 * self._target_s
        }
        self._fill({group: members for group, members in free.items() if group not in huge}, bool(huge))
        if huge and min(self._filled_s["test"], self._filled_s["dev"]) < 0.5 * self._target_s:
            self._cut({speaker for group in huge for speaker in free[group]})
        if free and not {"dev", "test"} <= set(self.chosen.values()):
            self.chosen, self._filled_s = before
            self._fill({name: [name] for members in free.values() for name in members}, False)
        for speaker in self._length_s:
            self.chosen.setdefault(speaker, "train")
        return self

    def _seconds(self, speakers: Iterable[str]) -> float:
        return sum(self._length_s[speaker] for speaker in speakers)

    def _groups(self) -> dict[str, list[str]]:
        """Linked speakers by a representative; recordings whose speakers are already apart link nobody."""
        parent = {speaker: speaker for speaker in self._length_s}

        def root(speaker: str) -> str:
            while parent[speaker] != speaker:
                parent[speaker] = parent[parent[speaker]]
                speaker = parent[speaker]
            return speaker

        for names in self._calls.values():
            if len({self.chosen[name] for name in names if name in self.chosen}) > 1:
                continue
            for name in names[1:]:
                first, second = sorted((root(names[0]), root(name)))
                parent[second] = first
        groups: dict[str, list[str]] = {}
        for speaker in parent:
            groups.setdefault(root(speaker), []).append(speaker)
        return groups

    def _join(self, groups: Mapping[str, list[str]]) -> dict[str, list[str]]:
        """New speakers linked to placed ones follow them; into train where those are apart or they are many.

        Returns the groups in which nobody is placed yet.
        """
        free = {}
        for group, members in groups.items():
            there = {self.chosen[m] for m in members if m in self.chosen}
            new = [m for m in members if m not in self.chosen]
            if not there:
                free[group] = members
                continue
            split = there.pop() if len(there) == 1 else "train"
            if split != "train" and self._filled_s[split] + self._seconds(new) > 2 * self._target_s:
                split = "train"
            self._put(new, split, self._seconds(new))
        return free

    def _fill(self, free: Mapping[str, list[str]], train_is_sure: bool) -> None:
        """Whole groups to test, then to dev; those much longer than wanted only where nothing else is left."""
        length_s = {group: self._seconds(members) for group, members in free.items()}
        names = sorted(free, key=lambda group: _order(self._facts, group))
        ordered = sorted(names, key=lambda group: length_s[group] > 1.5 * self._target_s)  # stable
        sure = train_is_sure or "train" in self.chosen.values()
        spare = len(ordered) - (0 if sure else 1)
        taken: set[str] = set()
        for split in ("test", "dev"):
            lonely = split == "test" and spare > 1 and "dev" not in self.chosen.values()
            for group in [g for g in ordered if g not in taken]:
                filled_s = self._filled_s[split]
                if len(taken) >= spare - (1 if lonely else 0) or filled_s >= self._target_s:
                    break
                if filled_s and filled_s + length_s[group] > 2 * self._target_s:
                    continue
                taken.add(group)
                self._put(free[group], split, length_s[group])

    def _cut(self, speakers: set[str]) -> None:
        """Out of groups too large to move: calls whose speakers join test or dev, the cheapest first.

        The price of a call is the hours of the other calls of its speakers, which then bridge two sets.
        Undone where more than `LARGEST_LOSS` of the hours would be lost.
        """
        before = (dict(self.chosen), dict(self._filled_s))
        of: dict[str, list[str]] = {}
        for call, names in self._calls.items():
            for name in names:
                of.setdefault(name, []).append(call)
        calls = [call for call, names in self._calls.items() if set(names) <= speakers]
        order = {call: _order(self._facts, call) for call in calls}
        for split in ("test", "dev"):
            price = {call: self._price(call, split, of) for call in calls}
            while price and self._filled_s[split] < self._target_s:
                best = min(price, key=lambda call: (price[call][0], order[call]))
                lost, gained = price.pop(best)
                if lost == _NEVER:
                    break
                if self._filled_s[split] and self._filled_s[split] + gained > 2 * self._target_s:
                    continue
                self._put(self._calls[best], split, gained)
                near = {n for name in self._calls[best] for call in of[name] for n in self._calls[call]}
                for call in {call for name in near for call in of[name]} & price.keys():
                    price[call] = self._price(call, split, of)
        lost_s = sum(self._call_s[call] for call in self._bridges())
        if lost_s > LARGEST_LOSS * sum(self._call_s.values()) or speakers <= self.chosen.keys():
            self.chosen, self._filled_s = before

    def _price(self, call: str, split: str, of: Mapping[str, list[str]]) -> tuple[float, float]:
        """(seconds lost for one gained, to a tenth, seconds gained) if the call's speakers joined the split."""
        names = self._calls[call]
        new = {name for name in names if name not in self.chosen}
        if not new or any(self.chosen.get(name, split) != split for name in names):
            return _NEVER, 0.0
        gained = lost = 0.0
        for other in sorted({touched for name in new for touched in of[name]}):
            if all(name in new or self.chosen.get(name) == split for name in self._calls[other]):
                gained += self._call_s[other]
            else:
                lost += self._call_s[other]
        return round(lost / gained, 1) if gained else _NEVER, gained

    def _bridges(self) -> set[str]:
        """Recordings between speakers of different splits."""
        split_of = {name: self.chosen.get(name, "train") for name in self._length_s}
        return {call for call, names in self._calls.items() if len({split_of[n] for n in names}) > 1}

    def rows(self) -> pd.Series:
        """The split of every row; "" where it is left out.

        Bridging calls are left out as a whole; only in part (the rarer split keeps its side) where a split
        would be empty otherwise or too much lost; not at all where even that is so.
        """
        splits = self._rows["speaker_id"].map(self.chosen)
        splits = splits.mask(self._held & splits.isin(("dev", "test")), "")
        bridging = self._rows["recording_id"].isin(self._bridges())
        rank = splits.map({"test": 3, "dev": 2, "train": 1, "": 0})
        rarest = rank.groupby(self._rows["recording_id"]).transform("max")
        length_s = self._rows["duration_s"]
        for out in (bridging, bridging & (rank < rarest)):
            left = splits.mask(out, "")
            if length_s[out].sum() <= LARGEST_LOSS * length_s.sum() and set(splits) <= set(left) | {""}:
                return left
        return splits

    def known(self) -> dict[str, str]:
        """Everybody who has a name, also those of earlier versions who are not here now."""
        placed = {**self._fixed, **self.chosen}
        return {speaker: split for speaker, split in placed.items() if speaker not in self._unknown}

    def told(self) -> dict[str, Any]:
        """What the manifest says of it: nothing of what was published before, so that a re-run gives the same."""
        splits = self.rows()
        out = self._rows[splits == ""]
        shared = splits[splits != ""].groupby(self._rows["recording_id"]).nunique()
        return {
            "salt": f"{SALT}/{self._facts.name}",
            "recordings_left_out": int(out["recording_id"].nunique()),
            "utterances_left_out": len(out),
            "hours_left_out": round(float(out["duration_s"].sum()) / 3600, 6),
            "recordings_in_two_splits": int((shared > 1).sum()),
        }


def _seconds_by(rows: pd.DataFrame, column: str) -> dict[str, float]:
    """Seconds by a column, to the millisecond, so that the order of rows changes nothing."""
    sums = rows.groupby(column, sort=True)["duration_s"].sum()
    return {str(name): round(float(seconds), 3) for name, seconds in sums.items()}


def shared_speakers(index: pd.DataFrame) -> list[str]:
    """Speakers who are in more than one split, sorted."""
    counts = index.groupby("speaker_id")["split"].nunique()
    return sorted(str(speaker) for speaker in counts[counts > 1].index)
