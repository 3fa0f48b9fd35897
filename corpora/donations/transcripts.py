"""Transcript files of donated archives: which format, which recording, and their cues as rows.

Files that speak of several recordings (CTM, STM, tables, JSON lines, Kaldi directories) become rows at once.
The others belong to one recording; they are looked into here only where their name does not say which, and
read for good in `read_transcript`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

from corpora.audio.last import LAST
from corpora.donations.cue_rules import CuePolicy, apply
from corpora.donations.description import Donation
from corpora.donations.licences import widens
from corpora.donations.pairing import AudioIndex, Found, inner, language_of, pairing_problem
from corpora.donations.time_base import DRIFT_FROM_S, drift_of, needed_shift
from corpora.errors import AudioError, SourceError
from corpora.formats import FORMATS, Format, foreign_advice, format_of, kaldi
from corpora.formats.cues import Cue, Hints, Transcript, TranscriptError
from corpora.importer import AudioRef, Ignored, Rejection
from corpora.sources.source import Source

_DOCUMENTS = re.compile(
    r"(^|[/_. -])(read ?me|licen[cs]e|copying|changes|changelog|index|contact|about)", re.I
)
_log = logging.getLogger(__name__)
_BY_NAME = {entry.name: entry for entry in FORMATS}


@dataclass
class TextScan:
    """One scan: what is looked through, and what was found so far."""

    source: Source
    donation: Donation
    audio: AudioIndex
    found: Found
    texts: dict[str, list[tuple[str, Format]]] = field(default_factory=dict)  # by recording

    def run(self, names: list[str]) -> None:
        """Pair every transcript among the names with its recording."""
        donation, found = self.donation, self.found
        by_rule = donation.file_name or donation.sphinx or donation.table
        directories = self._kaldi(names)
        for path in names:
            if path in found.used or str(PurePosixPath(path).parent) in directories:
                continue
            advice = foreign_advice(path)
            if advice is not None:
                found.used.add(path)
                reason = f"this kind of file is not read: {advice}"
                found.rejections.append(Rejection(path, "unsupported_document", reason))
                continue
            entry = self._format(path)
            if entry is None or (by_rule and entry.kind != "subtitle"):
                continue
            if entry.many:
                self._many(path, entry)
            else:
                self._single(path, entry)
        for recording, candidates in self.texts.items():
            self._choose(recording, candidates)

    def _format(self, path: str) -> Format | None:
        if not any(re.search(entry.pattern, path, re.IGNORECASE) for entry in FORMATS):
            return None
        with self.source.open(path) as stream:
            return format_of(path, stream.read(4096))

    def _read(self, path: str, entry: Format) -> Transcript:
        hints = Hints(self.donation.encoding, path, self.donation.tiers)
        return entry.read(self.source.read_bytes(path), hints)

    def _unreadable(self, path: str, error: TranscriptError) -> None:
        self.found.used.add(path)
        self.found.rejections.append(Rejection(path, error.check, str(error), line=error.line))

    # --- files that speak of several recordings -----------------------------------------------------------

    def _kaldi(self, names: list[str]) -> set[str]:
        """Rows of all Kaldi data directories; answers their folders."""
        folders = set()
        for path in names:
            folder = PurePosixPath(path).parent
            if PurePosixPath(path).name != "wav.scp" or str(folder / "text") not in self.source:
                continue
            folders.add(str(folder))
            places = {name: str(folder / name) for name in kaldi.FILES if str(folder / name) in self.source}
            self.found.used.update(places.values())
            text = places["text"]
            try:
                files = {name: self.source.read_bytes(place) for name, place in places.items()}
                self._rows(text, kaldi.read(files, Hints(self.donation.encoding, text)))
            except TranscriptError as error:
                self._unreadable(text, error)
        return folders

    def _many(self, path: str, entry: Format) -> None:
        try:
            transcript = self._read(path, entry)
        except TranscriptError as error:
            self._unreadable(path, error)
            return
        if transcript.cues:
            self.found.used.add(path)
            self._rows(path, transcript)

    def _rows(self, path: str, transcript: Transcript) -> None:
        audio, found = self.audio, self.found
        found.ignored += [Ignored(path, reason, count) for reason, count in transcript.ignored]
        timed: dict[str, list[Cue]] = {}
        for cue in transcript.cues:
            if cue.problem:
                found.rejections.append(_refusal(path, cue, (cue.check, cue.problem)))
                continue
            candidates = audio.find(str(PurePosixPath(path).parent), cue.recording)
            problem = pairing_problem(audio, cue.recording, candidates, whole=cue.start_s is None)
            if problem is not None:
                found.rejections.append(_refusal(path, cue, problem, PurePosixPath(cue.recording).stem))
                continue
            audio.used.add(candidates[0])
            if cue.start_s is None:
                row = cue_row(cue, path, (candidates[0], audio.identity(candidates[0])))
                found.rows.append(self._believed(row, transcript.guessed))
            else:
                timed.setdefault(candidates[0], []).append(cue)
        policy = CuePolicy(overlaps=self.donation.overlaps, stretch=self.donation.time_stretch)
        for name, cues in timed.items():
            for item in outcome(path, (name, audio.identity(name)), cues, policy):
                if isinstance(item, dict):
                    found.rows.append(self._believed(item, transcript.guessed))
                elif isinstance(item, Rejection):
                    found.rejections.append(item)
                else:
                    found.ignored.append(item)

    def _believed(self, row: dict[str, Any], guessed: bool) -> dict[str, Any]:
        """A row's own licence may narrow rights; one that gives more than the donation is not believed."""
        known = self.donation.licence
        if row.get("licence") and (not known or widens(row["licence"], known)):
            row |= {"licence": None, "flags": [*row["flags"], "licence_claim_dropped"]}
        return row | {"flags": [*row["flags"], *(["encoding_guessed"] if guessed else [])]}

    # --- files that belong to one recording ---------------------------------------------------------------

    def _single(self, path: str, entry: Format) -> None:
        """Note which recording a transcript belongs to, or refuse all of it."""
        candidates = self.audio.for_transcript(path, ())
        if not candidates and entry.name in {"elan", "transcriber"}:
            try:
                candidates = self.audio.for_transcript(path, self._read(path, entry).media)
            except TranscriptError as error:
                self._unreadable(path, error)
                return
        if len(candidates) == 1:
            self.texts.setdefault(candidates[0], []).append((path, entry))
            return
        if not candidates and entry.name == "plain" and _DOCUMENTS.search(path):
            return
        stem = PurePosixPath(inner(path)).stem
        problem = pairing_problem(self.audio, stem, candidates, whole=False)
        self._refuse_all(path, entry, problem or ("audio_missing", f"no recording {stem}"))

    def _choose(self, recording: str, candidates: list[tuple[str, Format]]) -> None:
        """The one transcript of a recording; among several the one in the donation's language."""
        problem = None
        if recording in self.audio.used:
            reason = f"{inner(recording)} has a text already, by a rule of {self.donation.origin}"
            problem = ("duplicate_id", reason)
        candidates = candidates if problem else self._in_language(candidates)
        if len(candidates) > 1 and not problem:
            names = ", ".join(inner(path) for path, _ in candidates)
            reason = f"{inner(recording)} has several texts: {names}; leave all but one out with `exclude`"
            problem = ("text_ambiguous", reason)
        if problem is not None:
            for path, entry in candidates:
                self._refuse_all(path, entry, problem)
            return
        path, entry = candidates[0]
        self.found.used.add(path)
        self.audio.used.add(recording)
        payload: dict[str, Any] = {"audio": recording, "transcript": path, "format": entry.name}
        payload["recording"] = self.audio.identity(recording)
        if self.donation.time_offset_s is not None:
            payload["shift_s"] = self.donation.time_offset_s
        elif entry.kind == "subtitle":
            payload |= needed_shift(self.source, (path, recording), lambda: self._read(path, entry))
            self.found.notes += [payload.pop("note")] if "note" in payload else []
        self.found.recordings.append(payload)

    def _in_language(self, candidates: list[tuple[str, Format]]) -> list[tuple[str, Format]]:
        """The only candidate in the donation's language where every name says its language."""
        wanted = self.donation.language.lower().partition("-")[0]
        tongues = [
            (language_of(PurePosixPath(inner(path)).stem) or "").partition("-")[0] for path, _ in candidates
        ]
        if len(candidates) == 1 or not all(tongues) or tongues.count(wanted) != 1:
            return candidates
        chosen = candidates[tongues.index(wanted)]
        for path, _ in candidates:
            if path != chosen[0]:
                self.found.used.add(path)
                reason = f"a text in another language than {self.donation.language}"
                self.found.ignored.append(Ignored(path, reason))
        return [chosen]

    def _refuse_all(self, path: str, entry: Format, problem: tuple[str, str]) -> None:
        """One refusal for every cue of a transcript that belongs to no recording."""
        self.found.used.add(path)
        try:
            cues: Iterable[Cue] = self._read(path, entry).cues
        except TranscriptError as error:
            self._unreadable(path, error)
            return
        for cue in cues or [Cue(1)]:
            self.found.rejections.append(_refusal(path, cue, problem))


# --- cues as rows -----------------------------------------------------------------------------------------


def _refusal(path: str, cue: Cue, problem: tuple[str, str], identity: str | None = None) -> Rejection:
    times = (cue.start_s, cue.end_s)
    return Rejection(path, *problem, identity, cue.line, *times, cue.text or None)


def cue_row(cue: Cue, path: str, recording: tuple[str, str]) -> dict[str, Any]:
    """A cue and its recording (file, id) as a row; one without times is the whole recording."""
    name, identity = recording
    row: dict[str, Any] = {"id": identity, "audio": name, "text": cue.text, "path": path, "line": cue.line}
    row |= {"speaker": cue.voice, "gender": cue.gender, "channel": cue.channel, "flags": list(cue.flags)}
    row |= {"language": cue.language, "licence": cue.licence, "recording": identity}
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
        timed = cue.start_s is not None and not cue.problem
        yield _refusal(path, cue, (check, reason), _span_id(recording[1], cue) if timed else None)
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
        "%s drifts: the sound of %s lies %s behind it; time_stretch = %s in donation.toml would put it right",
        path, recording, lags, drift.stretch,
    )  # fmt: skip
    return ["time_drift"]


def read_transcript(
    source: Source, common: dict[str, Any], payload: Any
) -> Iterator[dict[str, Any] | Rejection | Ignored]:
    """Rows, refusals and counts of one transcript whose recording is known."""
    path, entry = payload["transcript"], _BY_NAME[payload["format"]]
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
    join = kind == "subtitle" and common["timing"] in {"", "cue"}
    policy = CuePolicy(join, common["overlaps"], shift_s, common["stretch"], flags)
    extra = ["encoding_guessed"] if transcript.guessed else []
    if entry.kind == "subtitle" and common["stretch"] == 1:
        extra += _drift(source, (path, payload["audio"], common["track"]), transcript.cues, shift_s)
    for item in outcome(path, (payload["audio"], payload["recording"]), transcript.cues, policy):
        if isinstance(item, dict):
            item["kind"] = kind
            item["flags"] += extra
            if "start_s" not in item:
                item["flags"] += ["untimed"] + (["needs_alignment"] if common["timing"] == "none" else [])
        yield item
