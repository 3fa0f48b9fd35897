"""What the importers of timed recordings share: finding files by name, pairing them, reading spans.

Files are found by their base names wherever they lie, never by a fixed depth. Two files of one name and equal
bytes are one file; unequal ones are refused together. No audio is opened here. The two sides of a telephone
call are `Sides`; what a scan answers when all is found is made by `scan_of`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from corpora.importer import AudioRef, CorpusFacts, Ignored, RawSegment, Rejection, Scan, WorkUnit
from corpora.importers import _defects
from corpora.options import ACCEPT_CHECKSUM, Option
from corpora.sources.lines import TextLine
from corpora.sources.source import Source
from corpora.text.normaliser import Policies

_CHUNK = 1 << 20
UNFINISHED = "last_line_unfinished"
LDC_LICENCE = "LicenseRef-LDC-User-Agreement"
CALL_OPTIONS = (
    Option("partial", "words that were not spoken in full", ("reject", "keep")),
    Option("uncertain", "words the transcriber was not sure of, ((…))", ("reject", "keep")),
    Option(
        "repairs",
        "segments to drop or to correct, in the form of corpora/importers/defects/fisher.toml",
        is_file=True,
    ),
    ACCEPT_CHECKSUM,
)


@dataclass
class Found:
    """Files by recording id, with what was refused or passed over while looking."""

    files: dict[str, str] = field(default_factory=dict)
    rejections: list[Rejection] = field(default_factory=list)
    ignored: list[Ignored] = field(default_factory=list)


def find(source: Source, pattern: re.Pattern[str], skip: re.Pattern[str] | None = None) -> Found:
    """Members whose name the pattern finds, by the pattern's groups joined with `-`, upper case as written.

    Copies with equal bytes are ignored, copies that differ are refused with all their names.
    """
    candidates: dict[str, list[str]] = {}
    for member in source.members():
        match = pattern.search(member.name)
        if match and not (skip and skip.search(member.name)):
            candidates.setdefault("-".join(match.groups()), []).append(member.name)
    return without_copies(source, candidates)


def without_copies(source: Source, candidates: Mapping[str, Sequence[str]]) -> Found:
    """One file for every id, of those that are there."""
    found = Found()
    for key, names in sorted(candidates.items()):
        if len(names) > 1 and len({_digest(source, name) for name in names}) > 1:
            listing = ", ".join(names)
            reason = f"{len(names)} files of this id with different contents: {listing}; keep the right one"
            found.rejections += [
                Rejection(name, "conflicting_copies", reason, utterance_id=key) for name in names
            ]
            continue
        found.files[key] = names[0]
        found.ignored += [Ignored(name, "second copy of the same file") for name in names[1:]]
    return found


def _digest(source: Source, name: str) -> str:
    digest = hashlib.sha256()
    with source.open(name) as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def leftovers(
    source: Source, units: Iterable[WorkUnit], *others: Iterable[Ignored | Rejection]
) -> list[Ignored]:
    """Files that no work unit opens and nothing else speaks of: tables, documents, other corpora's files."""
    known = {name for unit in units for name in unit.members}
    known.update(item.source_path for items in others for item in items)
    return [
        Ignored(member.name, "not a transcript or a recording")
        for member in source.members()
        if member.name not in known
    ]


def archives_inside(source: Source) -> str:
    """Half a sentence for errors: archives inside a folder are not opened, they are sources of their own."""
    packed = source.names_matching(r"(?i)\.(?:tar|tgz|tar\.gz|tar\.bz2|tar\.xz|zip)$")
    return f"; {packed[0]} lies in it: name that as a source of its own" if packed else ""


def scan_of(
    source: Source,
    facts: CorpusFacts,
    units: Sequence[WorkUnit],
    found: Iterable[Found],
    notes: Iterable[str],
) -> Scan:
    """What a scan answers: refused and passed over by `found`, and every file that nobody spoke of."""
    rejections = [rejection for one in found for rejection in one.rejections]
    ignored = [item for one in found for item in one.ignored]
    ignored += leftovers(source, units, ignored, rejections)
    return Scan(facts, tuple(units), tuple(ignored), tuple(rejections), tuple(notes))


@dataclass(frozen=True)
class Sides:
    """A call's facts as they stand in its work unit's payload; makes segments of its lines.

    Attributes:
        recording: id of the rows; known: whether each speaker has a name; genders: m, f or None.
        end_tolerance_s: how far a line may end behind the recording.
    """

    recording: str
    audio: str
    speakers: Sequence[str]
    known: Sequence[bool]
    genders: Sequence[str | None]
    flags: Sequence[Sequence[str]] = ((), ())
    defects: Sequence[Mapping[str, Any]] = ()
    policies: Mapping[str, str] = field(default_factory=dict)
    accept_checksum_mismatch: bool = False
    end_tolerance_s: float = 0.1
    style: str = "fisher"
    subset: str = ""

    def segment(
        self, line: TextLine, path: str, channel: int, span: tuple[str, float, float], words: str
    ) -> RawSegment:
        """The segment of a line; `span` is (utterance id, start, end in seconds)."""
        name, start_s, end_s = span
        flags = [*self.flags[channel], *flags_of(line)] + ([] if self.known[channel] else ["speaker_unknown"])
        return RawSegment(
            utterance_id=name,
            recording_id=self.recording,
            speaker_id=self.speakers[channel],
            text_raw=words.strip(),
            style=self.style,
            audio=AudioRef(
                self.audio,
                channel,
                start_s,
                end_s,
                self.end_tolerance_s,
                self.accept_checksum_mismatch,
                two_sided=True,
            ),
            source_path=path,
            line=line.number,
            split=None,
            subset=self.subset,
            gender=self.genders[channel],
            language="en",
            licence=LDC_LICENCE,
            flags=tuple(flags),
            policies=Policies(**self.policies),
        )

    def finished(
        self, items: Iterator[RawSegment | Rejection | Ignored]
    ) -> Iterator[RawSegment | Rejection | Ignored]:
        """Known defects applied, overlap on one side flagged, ids that come twice refused."""
        repaired = (
            _defects.apply(item, self.defects) if isinstance(item, RawSegment) else item for item in items
        )
        return without_twins(_overlaps(repaired))


def call_choices(options: Mapping[str, str]) -> dict[str, Any]:
    """The part of a call's payload that follows from the options of `CALL_OPTIONS`."""
    policies = {
        "partial_words": options.get("partial", "reject"),
        "uncertain": options.get("uncertain", "reject"),
    }
    return {
        "policies": policies,
        "accept_checksum_mismatch": options.get("accept_checksum_mismatch") == "yes",
    }


def _overlaps(
    items: Iterator[RawSegment | Rejection | Ignored],
) -> Iterator[RawSegment | Rejection | Ignored]:
    """A segment that begins before its own side has ended is flagged `overlap`; across sides that is normal."""
    ends_s: dict[tuple[str, int], float] = {}
    for item in items:
        if isinstance(item, RawSegment):
            side = (item.recording_id, item.audio.channel)
            start_s, end_s = item.audio.start_s or 0.0, item.audio.end_s or 0.0
            if start_s < ends_s.get(side, 0.0):
                item = replace(item, flags=(*item.flags, "overlap"))
            ends_s[side] = max(ends_s.get(side, 0.0), end_s)
        yield item


def unpaired(audio: Mapping[str, str], text: Mapping[str, str]) -> list[Rejection]:
    """A rejection for every recording without transcript and every transcript without recording."""
    lonely = [
        Rejection(audio[key], "transcript_missing", f"no transcript of {key} anywhere in the source", key)
        for key in audio.keys() - text.keys()
    ]
    lonely += [
        Rejection(text[key], "audio_missing", f"no recording of {key} anywhere in the source", key)
        for key in text.keys() - audio.keys()
    ]
    return sorted(lonely, key=lambda rejection: (rejection.source_path, rejection.utterance_id or ""))


def span_id(recording: str, start_s: float, end_s: float) -> str:
    """`<recording>-<start>-<end>` with both times in milliseconds of seven digits."""
    return f"{recording}-{round(start_s * 1000):07d}-{round(end_s * 1000):07d}"


def bad_line(
    path: str, line: TextLine, check: str, reason: str, utterance_id: str | None = None
) -> Rejection:
    """The rejection of one transcript line."""
    return Rejection(path, check, reason, utterance_id, line.number, text_raw=line.text)


def readable_lines(source: Source, path: str) -> Iterator[TextLine | Rejection]:
    """Lines that hold something; one that is not UTF-8 comes as its rejection, no line at all too."""
    empty = True
    for line in source.text_lines(path):
        if line.text is None:
            yield bad_line(path, line, "encoding", line.problem)
        elif line.text.strip():
            yield line
        empty = empty and line.text is not None and not line.text.strip()
    if empty:
        yield Rejection(path, "transcript_empty", "no line in it")


def flags_of(line: TextLine) -> tuple[str, ...]:
    """The flag of a last line without its end: perhaps the file was cut short in it, and words are missing."""
    return () if line.finished else (UNFINISHED,)


def with_speech(
    path: str, items: Iterator[RawSegment | Rejection | Ignored]
) -> Iterator[RawSegment | Rejection | Ignored]:
    """Pass items on; a transcript of nothing but comments and gaps becomes a rejection, so that its sound is told."""
    empty = True
    for item in items:
        empty = empty and isinstance(item, Ignored)
        yield item
    if empty:
        yield Rejection(path, "transcript_empty", "no segment in it, only comments or gaps")


def without_twins(
    items: Iterator[RawSegment | Rejection | Ignored],
) -> Iterator[RawSegment | Rejection | Ignored]:
    """Pass items on; a segment whose id was there before becomes a rejection."""
    seen: dict[str, int | None] = {}
    for item in items:
        if isinstance(item, RawSegment):
            if item.utterance_id in seen:
                reason = f"the same id stood already in line {seen[item.utterance_id]}"
                yield Rejection(
                    item.source_path,
                    "duplicate_id",
                    reason,
                    utterance_id=item.utterance_id,
                    line=item.line,
                    start_s=item.audio.start_s,
                    end_s=item.audio.end_s,
                    text_raw=item.text_raw,
                )
                continue
            seen[item.utterance_id] = item.line
        yield item
