"""What became of a corpus: its versions, how far it drifted, and what listeners decided; facts for its page.

Reads manifests, the verdict of `corpora.expectations` beside a version, and the curation list. Decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from corpora.curation.decisions import Decision, mark_of, read_decisions, standing
from corpora.versions.history import history
from store.corpus import Corpus
from store.errors import NotPublishedError, StoreError
from store.store import Store

VERSIONS_SHOWN = 12
DECISIONS_SHOWN = 50


@dataclass(frozen=True)
class Verdict:
    """A decision of a listener and what came of it."""

    decision: Decision
    outcome: str


def versions_of(store: Store, name: str) -> list[dict[str, Any]]:
    """The newest versions of a corpus that can be read, oldest first: what `history` says, and accepted, rejected and
    ignored items, speakers and the share that was refused; [] where none is published."""
    try:
        found = history(store, name)
    except NotPublishedError:
        return []
    rows = []
    for entry in found[-VERSIONS_SHOWN:]:
        try:
            manifest = store.corpus(name, entry["version"]).manifest
            items, speakers = manifest["items"], manifest["speakers"]
            share = items["rejected"] / max(1, items["input"])
        except (StoreError, KeyError):
            continue
        rows.append({**entry, "items": items, "speakers": speakers, "refused_share": share})
    return rows


def drift_of(expected: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """How far each figure went from the version before, as `corpora.expectations` found it; [] where it did not."""
    if expected is None:
        return []
    drifts = [one for one in expected["expectations"] if str(one.get("name", "")).startswith("drift_")]
    return sorted(drifts, key=lambda one: (-float(one["observed"]), one["name"]))


def verdicts_of(store: Store, corpus: Corpus) -> list[Verdict]:
    """What listeners decided, newest first, each with what came of it in this version."""
    try:
        decisions = read_decisions(store, corpus.name)
    except StoreError:
        return []
    known = (corpus.manifest.get("curation") or {}).get("mark", "")
    honoured = _honoured(decisions, known)
    in_force = {one.id for one in standing(decisions).values()}
    told = [
        Verdict(one, _outcome(one, number < honoured, one.id in in_force))
        for number, one in enumerate(decisions)
    ]
    return told[::-1][:DECISIONS_SHOWN]


def _honoured(decisions: list[Decision], known: str) -> int:
    """How many decisions, from the first, a version knows; the longest beginning whose mark is the version's."""
    for count in range(len(decisions), 0, -1):
        if mark_of(standing(decisions[:count])) == known:
            return count
    return 0


def _outcome(decision: Decision, honoured: bool, in_force: bool) -> str:
    if decision.action == "undo":
        return "the decision before is taken back" + ("" if honoured else " by the next refresh")
    if not in_force:
        return "taken back, or another decision stands"
    if not honoured:
        return "waits for the next refresh"
    return "out of this version" if decision.action == "flag" else "this version has the corrected text"
