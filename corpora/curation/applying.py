"""Decisions of listeners, brought to rows: out, or with another text.

The same for a refresh (an index of all rows, `curate_index`) and for a renormalised version (row by row,
`renewed_row`). A corrected text goes through the normaliser and the checks like any other; `text_raw` stays what the
source has, so that the old text is kept and an undone correction gives it back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora.buckets import hash64
from corpora.curation.decisions import Decision, mark_of
from corpora.errors import TextRefusedError
from corpora.quality.checks import CHECKS, Subject, check_utterance
from corpora.quality.refusals import CORPUS_CHECKS
from corpora.quality.thresholds import Thresholds
from corpora.text.normaliser import NORMALISER_VERSION, Normalised, Refused
from corpora.text.recorded_rules import TEXT_FLAGS, normaliser_for

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]
CHECK = "flagged_by_listener"
FLAG = "corrected"
_PLAIN_RULES = "verbatim"  # what a listener writes follows no release's conventions
_DERIVED = TEXT_FLAGS | {check.name for check in CHECKS if not check.rejects} | {FLAG}
_NEEDED = [
    "audio_sha256", "utterance_id", "text_raw", "text_rules", "language", "num_samples", "sample_rate_hz", "measures",
    "flags", "split",
]  # fmt: skip


def reason_of(decision: Decision) -> str:
    """Why a flagged row is out, for the rejections: what was said, by whom and when."""
    said = f"{CORPUS_CHECKS[CHECK]}: {decision.why}" if decision.why else CORPUS_CHECKS[CHECK]
    return f"{said} ({decision.by}, {decision.at[:10]})"


def normalised(
    row: Mapping[str, Any], decision: Decision | None, alphabets: Path | None = None
) -> Normalised | Refused:
    """Today's text of a row: of the correction where one is in force, else of `text_raw` by the row's own rules.

    Args:
        alphabets: folder of the store's own alphabets.
    """
    if decision is not None and decision.action == "correct":
        return normaliser_for(_PLAIN_RULES, row["language"], alphabets).normalise(decision.text or "")
    rules = normaliser_for(row.get("text_rules") or "", row["language"], alphabets)
    return rules.normalise(row["text_raw"])


def renewed_row(
    row: Row, thresholds: Thresholds, decision: Decision | None = None, alphabets: Path | None = None
) -> Row | tuple[str, str]:
    """The row with today's text and what follows from it, or (check, reason) of why it is refused."""
    if decision is not None and decision.action == "flag":
        return CHECK, reason_of(decision)
    result = normalised(row, decision, alphabets)
    if isinstance(result, Refused):
        return result.check, result.reason
    pace = len(result.text) * row["sample_rate_hz"] / row["num_samples"]
    measures = {**row["measures"], "chars_per_s": pace}
    subject = Subject(result.text, row["num_samples"], row["sample_rate_hz"], measures)
    refused, flags = check_utterance(subject, thresholds)
    if refused is not None:
        return refused
    if "numbers_spelled" in result.flags and row["split"] in ("dev", "test"):
        return "numbers", "spelled numbers are guesses, which dev and test must not hold"
    kept = [flag for flag in row["flags"] if flag not in _DERIVED]
    texts = {
        "text": result.text,
        "text_scoring": result.text_scoring,
        "normaliser_version": NORMALISER_VERSION,
    }
    more = [FLAG] if decision is not None else []
    return {**row, **texts, "flags": sorted({*kept, *result.flags, *flags, *more}), "measures": measures}


def require_usable(
    row: Row, decision: Decision, thresholds: Thresholds, alphabets: Path | None = None
) -> str:
    """The text a correction would give a row, in the alphabet.

    Raises:
        TextRefusedError: the normaliser or a check refuses it; says why.
    """
    fresh = renewed_row(row, thresholds, decision, alphabets)
    if isinstance(fresh, tuple):
        raise TextRefusedError(f"this text cannot be used: {fresh[1]} ({fresh[0]})")
    return str(fresh["text"])


@dataclass
class Curated:
    """What curating an index came to.

    Attributes:
        verdicts: row label → check, of the rows that are out because of it.
        reasons: row label → reason, of the same rows.
        corrected: how many have another text. not_found: decisions about sounds that are not there.
    """

    mark: str = ""
    verdicts: dict[Any, str] = field(default_factory=dict)
    reasons: dict[Any, str] = field(default_factory=dict)
    corrected: int = 0
    not_found: int = 0

    def manifest_entry(self) -> dict[str, Any]:
        """`curation` of the manifest; {} where nothing is in force."""
        if not self.mark:
            return {}
        figures = {"out": len(self.verdicts), "corrected": self.corrected, "not_found": self.not_found}
        return {"curation": {"mark": self.mark, **figures}}


def curate_index(
    index: pd.DataFrame,
    groups: Sequence[Path],
    decisions: dict[str, Decision],
    thresholds: Thresholds,
    alphabets: Path | None = None,
) -> Curated:
    """Bring decisions to an index: corrected rows get the hashes, flags and pace of their new text.

    Adds the column `correction`: "" or, as JSON, the columns of the shard that are others now (`text`,
    `text_scoring`, `flags`, `chars_per_s`).
    """
    import numpy as np

    from corpora.versions.index import read_rows

    done = Curated(mark_of(decisions))
    index["correction"] = ""
    if not decisions:
        return done
    hashes = np.array([int(audio[:16], 16) for audio in decisions], dtype=np.uint64)
    rows = read_rows(groups, index[index["audio_hash"].isin(hashes)], _NEEDED)
    found = set()
    flag_sets = index["flag_set"].astype(object)
    for label, values in rows.iterrows():
        decision = decisions.get(values["audio_sha256"])
        if decision is None:
            continue
        found.add(decision.audio_sha256)
        fresh = renewed_row(_plain(values.to_dict()), thresholds, decision, alphabets)
        if isinstance(fresh, tuple):
            done.verdicts[label], done.reasons[label] = fresh
            continue
        done.corrected += 1
        index.at[label, "correction"] = _changes(fresh)
        index.at[label, "text_hash"] = hash64(fresh["text"])
        index.at[label, "words"] = fresh["text"].count(" ") + 1
        index.at[label, "pace"] = fresh["measures"]["chars_per_s"]
        flag_sets.at[label] = " ".join(fresh["flags"])
    index["flag_set"] = flag_sets.astype("category")
    done.not_found = len(decisions.keys() - found)
    return done


def _plain(values: Mapping[Any, Any]) -> Row:
    """A row that came through pandas as the plain values of a shard."""
    row = {str(name): value for name, value in values.items()}
    return {**row, "flags": list(row["flags"]), "num_samples": int(row["num_samples"])}


def _changes(fresh: Row) -> str:
    said = {
        "text": fresh["text"],
        "text_scoring": fresh["text_scoring"],
        "flags": fresh["flags"],
        "chars_per_s": fresh["measures"]["chars_per_s"],
    }
    return json.dumps(said, sort_keys=True, ensure_ascii=False)
