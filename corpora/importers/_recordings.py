"""What the importers of timed recordings share: finding files by name, pairing them, reading spans.

Files are found by their base names wherever they lie, never by a fixed depth. Two files of one name and equal
bytes are one file; unequal ones are refused together. No audio is opened here.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from corpora.importer import Ignored, RawSegment, Rejection, WorkUnit
from corpora.sources import Source, TextLine

_CHUNK = 1 << 20


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


def parse_span(start: str, end: str) -> tuple[float, float]:
    """Two times in seconds.

    Raises:
        ValueError: one is no number, negative or infinite, or the end is not after the start; says which.
    """
    try:
        start_s, end_s = float(start), float(end)
    except ValueError:
        raise ValueError(f"{start!r} and {end!r} are not both times in seconds") from None
    if not (math.isfinite(start_s) and math.isfinite(end_s)):
        raise ValueError(f"time {start} to {end} is not finite")
    if start_s < 0:
        raise ValueError(f"start {start} s is before the recording begins")
    if end_s <= start_s:
        raise ValueError(f"end {end} s is not after start {start} s")
    return start_s, end_s


def span_id(recording: str, start_s: float, end_s: float) -> str:
    """`<recording>-<start>-<end>` with both times in milliseconds of seven digits."""
    return f"{recording}-{round(start_s * 1000):07d}-{round(end_s * 1000):07d}"


def bad_line(
    path: str, line: TextLine, check: str, reason: str, utterance_id: str | None = None
) -> Rejection:
    """The rejection of one transcript line."""
    return Rejection(path, check, reason, utterance_id, line.number, text_raw=line.text)


def readable_lines(source: Source, path: str) -> Iterator[TextLine | Rejection]:
    """Lines that hold something; a line that is not UTF-8 comes as its rejection."""
    for line in source.text_lines(path):
        if line.text is None:
            yield bad_line(path, line, "encoding", line.problem)
        elif line.text.strip():
            yield line


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
