"""Cues of donated transcripts as rows: ids, refusals, counts, and the drift of their clock."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from corpora.audio.last import LAST
from corpora.donations.cue_rules import CuePolicy, apply
from corpora.donations.time_base import DRIFT_FROM_S, drift_of
from corpora.errors import AudioError, SourceError
from corpora.formats import FORMATS
from corpora.formats.cues import Cue, Hints, TranscriptError
from corpora.importer import AudioRef, Ignored, Rejection
from corpora.sources.source import Source

_log = logging.getLogger(__name__)
BY_NAME = {entry.name: entry for entry in FORMATS}


def refusal(path: str, cue: Cue, problem: tuple[str, str], identity: str | None = None) -> Rejection:
    unread = (
        bool(cue.problem) and cue.start_s == cue.end_s == 0.0
    )  # what a cue has whose times were not found
    times = (None, None) if unread else (cue.start_s, cue.end_s)
    return Rejection(path, *problem, identity, cue.line, *times, cue.text or None)


def cue_row(cue: Cue, path: str, recording: tuple[str, str]) -> dict[str, Any]:
    """A cue and its recording (file, id) as a row; one without times is the whole recording."""
    name, identity = recording
    row: dict[str, Any] = {"id": identity, "audio": name, "text": cue.text, "path": path, "line": cue.line}
    row |= {"speaker": cue.voice, "gender": cue.gender, "channel": cue.channel, "flags": list(cue.flags)}
    row |= {"language": cue.language, "licence": cue.licence, "recording": identity, "split": cue.split}
    if cue.start_s is not None and cue.end_s is not None:
        row |= {"id": _span_id(identity, cue), "start_s": cue.start_s, "end_s": cue.end_s}
    return row


def _span_id(identity: str, cue: Cue) -> str:
    side = f"-{'AB'[cue.channel]}" if cue.channel in (0, 1) else ""
    return f"{identity}{side}-{round((cue.start_s or 0) * 1000):08d}-{round((cue.end_s or 0) * 1000):08d}"


def outcome(
    path: str, recording: tuple[str, str], cues: Iterable[Cue], policy: CuePolicy
) -> Iterator[dict[str, Any] | Rejection | Ignored]:
    """What the policies make of the cues of one recording: rows with ids of their own, refusals, counts."""
    done = apply(list(cues), policy)
    for cue, check, reason in done.refused:
        timed = cue.start_s is not None and cue.end_s is not None and not cue.problem
        yield refusal(path, cue, (check, reason), _span_id(recording[1], cue) if timed else None)
    for why, count in done.ignored.items():
        yield Ignored(path, why, count)
    seen: dict[str, int] = {}
    for cue in done.cues:
        row = cue_row(cue, path, recording)
        seen[row["id"]] = seen.get(row["id"], 0) + 1
        if seen[row["id"]] > 1:
            row["id"] += f"~{seen[row['id']]}"
        yield row


def _drift(
    source: Source, place: tuple[str, str, int | None], cues: Iterable[Cue], shift_s: float
) -> list[str]:
    """The flag of cues that run slower or faster than their recording; what would put it right is logged."""
    path, recording, track = place
    moved = [
        replace(c, start_s=c.start_s - shift_s, end_s=c.end_s - shift_s)
        for c in cues
        if c.start_s and c.end_s
    ]
    if not moved or max(cue.end_s or 0.0 for cue in moved) < DRIFT_FROM_S:
        return []
    try:
        drift = drift_of(moved, LAST.open(source, AudioRef(recording, track=track)))
    except (AudioError, SourceError):
        return []  # said when it is cut
    if drift is None:
        return []
    lags = f"{drift.start_lag_s:+.1f} s near its beginning, {drift.end_lag_s:+.1f} s near its end"
    _log.warning(
        "%s drifts: the sound of %s lies %s behind it; time_stretch = %s in donation.toml would put it right, "
        'timing = "none" has its text timed anew by a released model',
        path, recording, lags, drift.stretch,
    )  # fmt: skip
    return ["time_drift"]


def _without_times(
    items: Iterable[dict[str, Any] | Rejection | Ignored], path: str
) -> Iterator[dict[str, Any] | Rejection | Ignored]:
    """Rows of one recording as one that is the whole of it; their times are not believed and shall be found anew."""
    rows = []
    for item in items:
        if isinstance(item, dict):
            rows.append(item)
        else:
            yield item
    if not rows:
        return
    whole = {key: value for key, value in rows[0].items() if key not in ("start_s", "end_s")}
    for name in ("speaker", "channel"):
        whole[name] = whole[name] if len({row[name] for row in rows}) == 1 else None
    whole |= {"id": whole["recording"], "text": "\n".join(row["text"] for row in rows)}
    yield whole | {"flags": list(dict.fromkeys(flag for row in rows for flag in row["flags"]))}
    if len(rows) > 1:
        yield Ignored(path, "joined to the cue before", len(rows) - 1)


def read_transcript(
    source: Source, common: dict[str, Any], payload: Any
) -> Iterator[dict[str, Any] | Rejection | Ignored]:
    """Rows, refusals and counts of one transcript whose recording is known."""
    path, entry = payload["transcript"], BY_NAME[payload["format"]]
    try:
        hints = Hints(common["encoding"], path, tuple(common["tiers"]))
        transcript = entry.read(source.read_bytes(path), hints)
    except TranscriptError as error:
        yield Rejection(path, error.check, str(error), payload["recording"], error.line)
        return
    for reason, count in transcript.ignored:
        yield Ignored(path, reason, count)
    if not transcript.cues:
        yield Rejection(path, "transcript_empty", "no cue in it", payload["recording"])
        return
    kind = common["text_kind"] or entry.kind
    shift_s = payload.get("shift_s", 0.0)
    flags = (("time_base_shifted",) if shift_s else ()) + (
        ("time_stretched",) if common["stretch"] != 1 else ()
    )
    anew = common["timing"] == "none"
    join = kind == "subtitle" and common["timing"] in {"", "cue"}
    policy = CuePolicy(join, common["overlaps"], shift_s, common["stretch"], flags)
    extra = ["encoding_guessed"] if transcript.guessed else []
    if entry.kind == "subtitle" and common["stretch"] == 1 and not anew:
        extra += _drift(source, (path, payload["audio"], common["track"]), transcript.cues, shift_s)
    items = outcome(path, (payload["audio"], payload["recording"]), transcript.cues, policy)
    for item in _without_times(items, path) if anew else items:
        if isinstance(item, dict):
            item["kind"] = kind
            item["flags"] += extra
            if "start_s" not in item:
                item["flags"] += ["untimed"] + (["needs_alignment"] if common["timing"] == "none" else [])
        yield item
