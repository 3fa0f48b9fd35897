"""Transcript files of donated archives: which format, which recording, and which text of several.

Files that speak of several recordings (CTM, STM, tables, JSON lines, Kaldi directories) are read at once; the others
belong to one recording and are looked into here only where their name does not say which, or where a recording has
several. Of texts that say the same words the timed one is taken. Texts that differ are refused together: which of
them was said nobody knows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

from corpora.audio.last import stated_length_s
from corpora.donations.claims import Claim, believed_row, names_recording, part_of, several, words_of
from corpora.donations.cue_rows import cue_row, outcome, refusal
from corpora.donations.cue_rules import CuePolicy
from corpora.donations.description import Donation
from corpora.donations.pairing import AudioIndex, Found, inner, language_of, pairing_problem
from corpora.donations.time_base import needed_shift
from corpora.donations.unread import why_unread
from corpora.formats import FORMATS, Format, foreign_advice, format_of, kaldi
from corpora.formats.cues import Cue, Hints, Transcript, TranscriptError
from corpora.importer import Ignored, Rejection
from corpora.sources.source import Source

MAX_BYTES = 256 << 20  # of one transcript: it is held in memory several times over
_DOCUMENTS = re.compile(
    r"(^|[/_. -])(read ?me|licen[cs]e|copying|changes|changelog|index|contact|about)", re.I
)
_KALDI = Format("kaldi", "", "kaldi:read", many=True)


@dataclass
class TextScan:
    """One scan: what is looked through, and what was found so far."""

    source: Source
    donation: Donation
    audio: AudioIndex
    found: Found
    claims: dict[str, list[Claim]] = field(default_factory=dict)  # by recording
    troubled: set[str] = field(default_factory=set)  # recordings of which a row was refused

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
        for recording in list(self.claims):
            self._decide(recording, self.claims.pop(recording))  # what is decided is held as rows alone

    def _format(self, path: str) -> Format | None:
        if not any(re.search(entry.pattern, path, re.IGNORECASE) for entry in FORMATS):
            return None
        with self.source.open(path) as stream:
            return format_of(path, stream.read(4096))

    def _read(self, path: str, entry: Format) -> Transcript:
        size = self.source.member(path).size
        if size > MAX_BYTES:
            raise TranscriptError("transcript_too_big", f"{size:,} bytes of text, at most {MAX_BYTES:,}")
        hints = Hints(self.donation.encoding, path, self.donation.tiers)
        return entry.read(self.source.read_bytes(path), hints)

    def _unreadable(self, path: str, error: TranscriptError) -> None:
        self.found.used.add(path)
        self.found.rejections.append(Rejection(path, error.check, str(error), line=error.line))

    # --- files that speak of several recordings -----------------------------------------------------------

    def _kaldi(self, names: list[str]) -> set[str]:
        """Claims of all Kaldi data directories; answers their folders."""
        folders = [
            str(PurePosixPath(path).parent)
            for path in names
            if PurePosixPath(path).name == "wav.scp"
            and str(PurePosixPath(path).parent / "text") in self.source
        ]
        parts = {folder: part_of(folder) for folder in folders}
        official = len({part for part in parts.values() if part}) > 1
        for folder in folders:
            places = {name: f"{folder}/{name}".removeprefix("./") for name in kaldi.FILES}
            places = {name: place for name, place in places.items() if place in self.source}
            self.found.used.update(places.values())
            text = places["text"]
            try:
                files = {name: self.source.read_bytes(place) for name, place in places.items()}
                transcript = kaldi.read(files, Hints(self.donation.encoding, text))
            except TranscriptError as error:
                self._unreadable(text, error)
                continue
            if official and parts[folder]:
                cues = tuple(replace(cue, split=parts[folder]) for cue in transcript.cues)
                transcript = replace(transcript, cues=cues)
            self._claim(text, _KALDI, transcript)
        return set(folders)

    def _many(self, path: str, entry: Format) -> None:
        try:
            transcript = self._read(path, entry)
        except TranscriptError as error:
            self._unreadable(path, error)
            return
        if transcript.cues:
            self.found.used.add(path)
            self._claim(path, entry, transcript)

    def _claim(self, path: str, entry: Format, transcript: Transcript) -> None:
        """Sort the cues of a file by the recordings they name; what names none is refused."""
        found = self.found
        found.ignored += [Ignored(path, reason, count) for reason, count in transcript.ignored]
        by_recording: dict[str, list[Cue]] = {}
        for cue in transcript.cues:
            if cue.problem:
                found.rejections.append(refusal(path, cue, (cue.check, cue.problem)))
                continue
            wanted = cue.recording or PurePosixPath(inner(path)).stem
            if cue.recording:
                candidates = self.audio.find(str(PurePosixPath(path).parent), cue.recording)
            else:
                candidates = self.audio.for_transcript(path, ())
            problem = pairing_problem(self.audio, wanted, candidates, whole=False)
            if problem is None:
                by_recording.setdefault(candidates[0], []).append(cue)
            else:
                found.rejections.append(refusal(path, cue, problem, PurePosixPath(wanted).stem))
        refused = [cue for cue in transcript.cues if cue.problem]
        for recording, cues in by_recording.items():
            if any(names_recording(cue, recording) for cue in refused):
                self.troubled.add(recording)
            part = replace(
                transcript, cues=tuple(self._ended(recording, cue, path) for cue in cues), ignored=()
            )
            self.claims.setdefault(recording, []).append(Claim(path, entry, part))

    def _ended(self, recording: str, cue: Cue, path: str) -> Cue:
        """A cue that reaches to the recording's end, with that end."""
        if not cue.to_the_end or cue.start_s is None:
            return cue
        if cue.start_s == 0:
            return replace(cue, start_s=None, end_s=None)
        length_s = stated_length_s(self.source, recording)
        if length_s is None or length_s <= cue.start_s:
            reason = (
                f"it ends with {inner(recording)}, whose length of more than {cue.start_s:.3f} s is not known"
            )
            return replace(cue, problem=reason, check="bad_times")
        return replace(cue, end_s=round(length_s, 6))

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
            self.claims.setdefault(candidates[0], []).append(Claim(path, entry))
            return
        if not candidates and entry.name == "plain" and self._is_no_text(path):
            return
        stem = PurePosixPath(inner(path)).stem
        problem = pairing_problem(self.audio, stem, candidates, whole=False)
        self._refuse_all(Claim(path, entry), problem or ("audio_missing", f"no recording {stem}"))

    def _is_no_text(self, path: str) -> bool:
        """Whether a plain file without a recording is a document, or a table (unread.py says what would read it)."""
        reason = why_unread(self.source, self.donation, self.audio, path)
        return bool(_DOCUMENTS.search(path) or reason)

    # --- the one text of a recording ----------------------------------------------------------------------

    def _decide(self, recording: str, claims: list[Claim]) -> None:
        """Take the text of a recording, or the timed one of those that say the same, or refuse them together."""
        if recording in self.audio.used:
            reason = f"{inner(recording)} has a text already, by a rule of {self.donation.origin}"
            self._refuse(claims, ("duplicate_id", reason))
            return
        claims = self._in_language([self._without_twins(recording, claim) for claim in claims])
        claims = self._one_of_equals(claims) if len(claims) > 1 else claims
        many = [claim for claim in claims if claim.entry.many]
        single = [claim for claim in claims if not claim.entry.many]
        untimed = sum(len(claim.whole) for claim in many)
        timed = sum(len(claim.cues) for claim in many) - untimed
        if untimed > 1 or (untimed and (timed or recording in self.troubled)):
            self._refuse(many, ("text_ambiguous", several(recording, many)))
            many = []
        if many:
            reason = f"{inner(recording)} has a text already, in {inner(many[0].path)}"
            self._refuse(single, ("duplicate_id", reason))
            self._take_rows(recording, many)
        elif len(single) > 1:
            names = ", ".join(inner(claim.path) for claim in single)
            reason = f"{inner(recording)} has several texts: {names}; leave all but one out with `exclude`"
            self._refuse(single, ("text_ambiguous", reason))
        elif single:
            self._take_file(recording, single[0])

    def _without_twins(self, recording: str, claim: Claim) -> Claim:
        """A claim whose texts without times are the same, once: a row that stands twice."""
        cues: list[Cue] = []
        said: dict[str, Cue] = {}
        for cue in claim.cues:
            first = said.setdefault(words_of([cue]), cue) if cue.start_s is None else cue
            if first is cue:
                cues.append(cue)
            else:
                reason = f"{inner(recording)} has this text already, in line {first.line}"
                self.found.rejections.append(refusal(claim.path, cue, ("duplicate_id", reason)))
        return (
            claim
            if claim.transcript is None
            else replace(claim, transcript=replace(claim.transcript, cues=tuple(cues)))
        )

    def _one_of_equals(self, claims: list[Claim]) -> list[Claim]:
        """The best of the claims where all say the same words: timed before untimed, captions before others."""
        read = []
        for claim in claims:
            try:
                whole = claim.transcript or self._read(claim.path, claim.entry)
            except TranscriptError:
                return claims  # said when it is read
            read.append(replace(claim, transcript=whole))
        if len({words_of(claim.cues) for claim in read}) > 1 or not words_of(read[0].cues):
            return claims
        order = [(bool(c.whole), c.entry.kind != "subtitle", c.path) for c in read]
        best = order.index(min(order))
        for at, claim in enumerate(claims):
            if at != best:
                self.found.used.add(claim.path)
                reason = "says the same as another text of its recording"
                self.found.ignored.append(Ignored(claim.path, reason, max(1, len(read[at].cues))))
        return [claims[best]]

    def _in_language(self, claims: list[Claim]) -> list[Claim]:
        """The only claim in the donation's language where every name says its language."""
        wanted = self.donation.language.lower().partition("-")[0]
        tongues = [
            (language_of(PurePosixPath(inner(claim.path)).stem) or "").partition("-")[0] for claim in claims
        ]
        if len(claims) == 1 or not all(tongues) or tongues.count(wanted) != 1:
            return claims
        chosen = claims[tongues.index(wanted)]
        for claim in claims:
            if claim is not chosen:
                self.found.used.add(claim.path)
                reason = f"a text in another language than {self.donation.language}"
                self.found.ignored.append(Ignored(claim.path, reason))
        return [chosen]

    def _take_rows(self, recording: str, claims: Sequence[Claim]) -> None:
        """Rows of files that speak of several recordings."""
        self.audio.used.add(recording)
        place = (recording, self.audio.identity(recording))
        policy = CuePolicy(overlaps=self.donation.overlaps, stretch=self.donation.time_stretch)
        for claim in claims:
            guessed = claim.transcript is not None and claim.transcript.guessed
            for cue in claim.whole:
                row = cue_row(cue, claim.path, place)
                self.found.rows.append(believed_row(self.donation, row, guessed))
            timed = [cue for cue in claim.cues if cue.start_s is not None]
            for item in outcome(claim.path, place, timed, policy):
                if isinstance(item, dict):
                    self.found.rows.append(believed_row(self.donation, item, guessed))
                elif isinstance(item, Rejection):
                    self.found.rejections.append(item)
                else:
                    self.found.ignored.append(item)

    def _take_file(self, recording: str, claim: Claim) -> None:
        """A transcript that is read for good in its work unit."""
        path, entry = claim.path, claim.entry
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

    def _refuse(self, claims: Sequence[Claim], problem: tuple[str, str]) -> None:
        for claim in claims:
            self._refuse_all(claim, problem)

    def _refuse_all(self, claim: Claim, problem: tuple[str, str]) -> None:
        """One refusal for every cue of a text that is not taken."""
        self.found.used.add(claim.path)
        try:
            cues = claim.cues if claim.transcript is not None else self._read(claim.path, claim.entry).cues
        except TranscriptError as error:
            self._unreadable(claim.path, error)
            return
        for cue in cues or [Cue(1)]:
            self.found.rejections.append(refusal(claim.path, cue, problem))
