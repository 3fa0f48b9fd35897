"""Segments that are known to be wrong: a table beside this file, and a person's own repairs.

    [[segment]]
    recording = "00265"; side = "B"; start = 33.53; end = 33.81     or utterance = "…", or at = 248.5
    action = "drop" | "set_start" (to = 231.09) | "flag" | "text" (text = "…")
    reason = "…"

A repair by hand wins over a shipped entry of the same segment. Entries travel in the work unit's payload, so
that a changed table makes changed rows. Every application is logged, and to be found again: as a rejection
`known_defect`, or by the flag `known_defect`. An entry that fits no segment does nothing. Shipped tables hold
keys and actions, never words.
"""

from __future__ import annotations

import logging
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from corpora.importer import RawSegment, Rejection
from store.errors import UsageError

KEYS = {"recording", "side", "start", "end", "at", "utterance", "action", "to", "text", "reason"}
ACTIONS = {"drop", "set_start", "flag", "text"}
FLAG = "known_defect"
_SAME_S = 0.002
_log = logging.getLogger(__name__)

Entry = Mapping[str, Any]


def load(corpus: str, repairs: str | None = None) -> list[dict[str, Any]]:
    """The shipped entries of a corpus behind those of the repairs file.

    Raises:
        UsageError: the repairs file is not in the form of the module's text; names the entry.
    """
    shipped = Path(__file__).parent / "defects" / f"{corpus}.toml"
    own = _entries(Path(repairs)) if repairs else []
    return own + _entries(shipped)


def _entries(path: Path) -> list[dict[str, Any]]:
    try:
        said = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"repairs file {path}: {error}") from error
    entries: list[dict[str, Any]] = said.get("segment", [])
    for number, entry in enumerate(entries, 1):
        wrong = _problem(entry)
        if wrong:
            raise UsageError(f"repairs file {path}, segment {number}: {wrong}")
    return entries


def _problem(entry: Entry) -> str:
    """What is wrong with an entry, or ""."""
    strange = sorted(set(entry) - KEYS)
    if strange:
        return f"unknown key {strange[0]!r}; there are: {', '.join(sorted(KEYS))}"
    if entry.get("action") not in ACTIONS:
        return f"action {entry.get('action')!r} is none of {', '.join(sorted(ACTIONS))}"
    if "utterance" not in entry and not {"recording", "side"} <= set(entry):
        return "it needs utterance, or recording and side"
    if ("start" in entry) != ("end" in entry):
        return "start and end belong together"
    needed = {"set_start": "to", "text": "text"}.get(entry["action"])
    return f"action {entry['action']} needs {needed!r}" if needed and needed not in entry else ""


def of_recording(entries: Sequence[Entry], recording: str) -> list[Entry]:
    """The entries for one work unit's payload; `utterance` entries by the recording in the id."""
    return [
        entry
        for entry in entries
        if entry.get("recording") == recording
        or (entry.get("utterance") is not None and recording in entry["utterance"])
    ]


def apply(segment: RawSegment, entries: Sequence[Entry]) -> RawSegment | Rejection:
    """The segment as it shall be, or the rejection it becomes."""
    entry = next((entry for entry in entries if _fits(segment, entry)), None)
    if entry is None:
        return segment
    reason = f"{entry['action']}: {entry.get('reason', 'a repair by hand')}"
    _log.info("known defect in %s, %s", segment.utterance_id, reason)
    if entry["action"] == "drop":
        return Rejection(
            segment.source_path,
            FLAG,
            reason,
            segment.utterance_id,
            segment.line,
            segment.audio.start_s,
            segment.audio.end_s,
            segment.text_raw,
        )
    flagged = replace(segment, flags=(*segment.flags, FLAG))
    if entry["action"] == "set_start":
        return replace(flagged, audio=replace(segment.audio, start_s=float(entry["to"])))
    return replace(flagged, text_raw=entry["text"]) if entry["action"] == "text" else flagged


def _fits(segment: RawSegment, entry: Entry) -> bool:
    start_s, end_s = segment.audio.start_s or 0.0, segment.audio.end_s or 0.0
    if "utterance" in entry:
        return bool(entry["utterance"] == segment.utterance_id)
    if entry["side"] != "AB"[segment.audio.channel]:
        return False
    if "at" in entry:
        return bool(start_s <= entry["at"] < end_s)
    if "start" not in entry:
        return True
    return bool(abs(start_s - entry["start"]) < _SAME_S and abs(end_s - entry["end"]) < _SAME_S)
