"""TED-LIUM releases 1, 2 and 3 (SLR7, SLR19, SLR51): one SPHERE file and one STM file per talk.

    {train,dev,test}/{sph,stm}/<talk>.{sph,stm}          releases 1 and 2
    legacy/{train,dev,test}/{sph,stm}/<talk>.{sph,stm}   release 3; its data/ is passed over

A talk is a speaker here, as in every other tool; `scan` notes people who talk in several splits. A line's
label is optional, so a line without one keeps all its words. Segments are cut as written: no padding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from corpora.errors import SourceError
from corpora.importer import (
    AudioRef,
    CorpusFacts,
    Ignored,
    ImportOptions,
    RawSegment,
    Rejection,
    Scan,
    WorkUnit,
)
from corpora.importers import _recordings as recordings
from corpora.sources import Source, TextLine

LICENCE = "CC-BY-NC-ND-3.0"
SPLITS = ("train", "dev", "test")
_AUDIO = re.compile(r"(?i)(?:^|/)([^/]+)\.sph$")
_TEXT = re.compile(r"(?i)(?:^|/)([^/]+)\.stm$")
_PERSON = re.compile(r"^(.+)_\d{4}[A-Za-z]*$")
_LABEL = re.compile(r"^<(?:[^<>\s]*,[^<>\s]*|F\d_[MFmf]|NA)>$")
_IGNORE = "ignore_time_segment"


class TedliumImporter:
    """See the module."""

    name = "tedlium"
    version = "1"
    summary = "TED-LIUM 1, 2, 3: SPHERE talks with STM segments"

    def recognise(self, source: Source) -> bool:
        """STM files beside SPHERE files."""
        return bool(source.names_matching(_TEXT)) and bool(source.names_matching(_AUDIO))

    def scan(self, source: Source, options: ImportOptions) -> Scan:
        """Pair talks by split and name; one work unit per talk.

        Raises:
            SourceError: there is no STM file.
        """
        texts, audio, ignored = _talks(source)
        if not texts:
            raise SourceError(
                f"{source.label} holds no .stm file: TED-LIUM keeps its text in {{train,dev,test}}/stm"
            )
        rejections = recordings.unpaired(audio, texts) + _leaks(texts)
        leaked = {rejection.utterance_id for rejection in rejections if rejection.check == "split_leak"}
        units = [
            WorkUnit(
                key=key,
                payload={"talk": key.partition("/")[2], "split": key.partition("/")[0]}
                | {"audio": audio[key], "text": texts[key]},
                cost=source.member(audio[key]).size,
                members=(audio[key], texts[key]),
            )
            for key in sorted(texts.keys() & audio.keys() - leaked)
        ]
        ignored += recordings.leftovers(source, units, ignored, rejections)
        facts = CorpusFacts(
            name=self.name,
            licence=LICENCE,
            split_rule="official" if any(unit.payload["split"] for unit in units) else "speaker",
        )
        return Scan(facts, tuple(units), tuple(ignored), tuple(rejections), tuple(_notes(units)))

    def read(self, source: Source, unit: WorkUnit) -> Iterator[RawSegment | Rejection | Ignored]:
        """Segments of one talk, line by line."""
        return recordings.without_twins(_read_talk(source, unit))


def _split_of(name: str) -> str:
    """The nearest directory named like a split, or "" where there is none."""
    parents = [part.lower() for part in PurePosixPath(name.replace("!", "/")).parts[:-1]]
    return next((part for part in reversed(parents) if part in SPLITS), "")


def _talks(source: Source) -> tuple[dict[str, str], dict[str, str], list[Ignored]]:
    """Transcripts and recordings by `<split>/<talk>`; files outside every split count if none is inside."""
    found: list[dict[str, str]] = []
    ignored: list[Ignored] = []
    for pattern in (_TEXT, _AUDIO):
        files: dict[str, str] = {}
        for name in source.names_matching(pattern):
            files.setdefault(f"{_split_of(name)}/{PurePosixPath(name).stem}", name)
        if any(not key.startswith("/") for key in files):
            outside = [key for key in files if key.startswith("/")]
            ignored += [Ignored(files.pop(key), "outside train, dev and test") for key in sorted(outside)]
        found.append(files)
    return found[0], found[1], ignored


def _leaks(texts: dict[str, str]) -> list[Rejection]:
    """Training (or dev) talks that are also a test (or dev) talk."""
    kept: dict[str, str] = {}
    leaks = []
    for split in ("test", "dev", "train"):
        for key in sorted(key for key in texts if key.startswith(f"{split}/")):
            talk = key.partition("/")[2]
            if talk in kept:
                leaks.append(Rejection(texts[key], "split_leak", f"talk {talk} is also in {kept[talk]}", key))
            else:
                kept[talk] = split
    return leaks


def _notes(units: list[WorkUnit]) -> list[str]:
    """People who give talks in more than one split."""
    splits: dict[str, set[str]] = {}
    for unit in units:
        match = _PERSON.match(unit.payload["talk"])
        splits.setdefault(match.group(1) if match else unit.payload["talk"], set()).add(unit.payload["split"])
    return [
        f"{person} speaks in {' and '.join(sorted(where))}: the official splits share this person"
        for person, where in sorted(splits.items())
        if len(where) > 1
    ]


def _read_talk(source: Source, unit: WorkUnit) -> Iterator[RawSegment | Rejection | Ignored]:
    path = unit.payload["text"]
    for line in recordings.readable_lines(source, path):
        yield line if isinstance(line, Rejection) else _read_line(unit, path, line)


def _read_line(unit: WorkUnit, path: str, line: TextLine) -> RawSegment | Rejection | Ignored:
    """One STM line: `<file> <channel> <speaker> <start> <end> [<label>] <text>`."""
    text, talk = line.text or "", unit.payload["talk"]
    if text.lstrip().startswith(";;"):
        return Ignored(path, "STM comment")
    if _IGNORE in text.lower():
        return Ignored(path, "marked ignore_time_segment_in_scoring")
    fields = text.split(None, 5)
    if len(fields) < 5:
        return recordings.bad_line(
            path, line, "bad_line", f"{len(fields)} fields where STM needs at least five"
        )
    if fields[0] != talk:
        return recordings.bad_line(
            path, line, "id_mismatch", f"the line is of {fields[0]}, the file of {talk}"
        )
    if fields[1] not in ("1", "A"):
        return recordings.bad_line(
            path, line, "bad_channel", f"channel {fields[1]!r} of a talk with one channel"
        )
    try:
        start_s, end_s = recordings.parse_span(fields[3], fields[4])
    except ValueError as error:
        return recordings.bad_line(path, line, "bad_times", str(error))
    label, words = split_label(fields[5] if len(fields) > 5 else "")
    return RawSegment(
        utterance_id=recordings.span_id(talk, start_s, end_s),
        recording_id=talk,
        speaker_id=talk,
        text_raw=words,
        style="tedlium",
        audio=AudioRef(unit.payload["audio"], 0, start_s, end_s),
        source_path=path,
        line=line.number,
        split=unit.payload["split"] or None,
        subset=unit.payload["split"],
        gender=_gender(label),
        language="en",
        licence=LICENCE,
    )


def split_label(rest: str) -> tuple[str, str]:
    """What follows the times -> (label or "", words); `<unk>` and `<sil>` are words, not labels."""
    first, _, words = rest.strip().partition(" ")
    return (first, words.strip()) if _LABEL.match(first) else ("", rest.strip())


def _gender(label: str) -> str | None:
    lowered = label.lower()
    if "female" in lowered or lowered.endswith("_f>"):
        return "f"
    return "m" if "male" in lowered or lowered.endswith("_m>") else None
