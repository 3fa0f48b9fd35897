"""LibriSpeech and mini LibriSpeech: `<part>/<reader>/<chapter>/` with FLAC files and one `.trans.txt`.

The root, one part or several archives are accepted; partial trees too (option `parts`). One chapter is one work
unit. The official parts are the splits. What is missing of a part is counted and named by the gaps in its
chapters' numbering. Nothing is decoded here.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from weakref import WeakKeyDictionary

from corpora.errors import SourceError
from corpora.free_archives import FREE_ARCHIVES
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
from corpora.importers._calls import flags_of
from corpora.options import Option
from corpora.sources.lines import TextLine, decode_lines
from corpora.sources.source import Source
from store.errors import UsageError

LICENCE = "CC-BY-4.0"
_GAPS_LISTED = 20
_PROMISED = (16_000, 1)  # every file is 16 kHz mono
OFFICIAL_UTTERANCES = {
    "dev-clean": 2703,
    "test-clean": 2620,
    "dev-other": 2864,
    "test-other": 2939,
    "train-clean-100": 28539,
    "train-clean-360": 104014,
    "train-other-500": 148688,
}
_PART = r"(?:dev|test)-(?:clean|other)(?:-\d+)?|train-(?:clean|other)-\d+"
_FILE = re.compile(
    rf"^(?:(?P<folder>(?:.*/)?(?P<part>{_PART})/(?P<reader>[^/]+)/(?P<chapter>[^/]+))"
    r"|(?P<folder2>(?:.*/)?(?P<reader2>[^/]+)/(?P<chapter2>[^/]+)))/[^/]+$"
)
_OURS = re.compile(rf"(?:^|/)(?:(?:{_PART})/[^/]+|\d+)/[^/]+/[^/]+\.(?:flac|trans\.txt)$")
_DOCUMENT = re.compile(r"(^|/)(SPEAKERS|CHAPTERS|BOOKS|README|LICENSE)\.(TXT|txt)$")


class LibriSpeechImporter:
    """Reads the tree of SLR12 and SLR31."""

    name = "librispeech"
    version = "3"
    summary = "LibriSpeech and mini LibriSpeech: FLAC + .trans.txt + SPEAKERS.TXT, tree or archives"

    options = (Option("parts", "only these parts, separated by commas"),)

    def __init__(self) -> None:
        self._folders: WeakKeyDictionary[Source, dict[str, list[str]]] = WeakKeyDictionary()

    def recognise(self, source: Source) -> bool:
        """Any chapter transcript named `<reader>-<chapter>.trans.txt`."""
        return bool(source.names_matching(r"(^|/)\d+-\d+\.trans\.txt$"))

    def _by_folder(self, source: Source) -> dict[str, list[str]]:
        """Names of each chapter folder, sorted; made once per source."""
        found = self._folders.get(source)
        if found is None:
            found = defaultdict(list)
            for member in source.members():
                if _OURS.search(member.name):
                    found[str(PurePosixPath(member.name).parent)].append(member.name)
            self._folders[source] = found
        return found

    def scan(self, source: Source, options: ImportOptions) -> Scan:
        """One unit per chapter folder; what belongs to no chapter is ignored by name.

        Raises:
            SourceError: no chapter in it.
        """
        other = _of_another_corpus(source)
        if other:
            raise SourceError(other)
        folders = self._by_folder(source)
        genders, notes = self._genders(source)
        wanted = _wanted_parts(options)
        units, rejections, left_out = [], [], []
        for _, names in sorted(folders.items()):
            unit = self._unit(source, names, genders)
            if not isinstance(unit, WorkUnit):
                rejections.extend(unit)
            elif wanted and unit.payload["part"] not in wanted:
                left_out += [Ignored(name, "of a part that was not asked for") for name in names]
            else:
                units.append(unit)
        if not units and not rejections:
            example = "test-clean/1089/134686/1089-134686.trans.txt"
            asked = f" of {', '.join(sorted(wanted))}" if left_out else ""
            raise SourceError(
                f"{source.label} holds no LibriSpeech chapter{asked} (wanted files like {example})"
            )
        ours = {name for names in folders.values() for name in names}
        ignored = left_out + [
            Ignored(m.name, "corpus document" if _DOCUMENT.search(m.name) else "not a file of LibriSpeech")
            for m in source.members()
            if m.name not in ours
        ]
        units.sort(key=lambda unit: unit.key)
        notes += _completeness(units) + [note for path in source.archives() for note in _checksum_notes(path)]
        facts = CorpusFacts("librispeech", LICENCE, officials=OFFICIAL_UTTERANCES)
        return Scan(facts, tuple(units), tuple(ignored), tuple(rejections), tuple(notes))

    def _unit(self, source: Source, names: list[str], genders: dict[str, str]) -> WorkUnit | list[Rejection]:
        match = _FILE.match(names[0])
        if match is None:
            return [Rejection(name, "bad_layout", "not in <part>/<reader>/<chapter>/") for name in names]
        folder = match["folder"] or match["folder2"]
        reader, chapter = match["reader"] or match["reader2"], match["chapter"] or match["chapter2"]
        part = match["part"] or self._part_of_source(source)
        if part is None or not reader.isdigit():
            reason = f"folder {folder} is not <part>/<reader number>/<chapter>: renamed or torn?"
            return [Rejection(name, "bad_layout", reason) for name in names]
        cost = sum(source.member(name).size for name in names if name.endswith(".flac"))
        gender = genders.get(reader)
        payload = {"folder": folder, "part": part, "reader": reader, "chapter": chapter, "gender": gender}
        return WorkUnit(f"{part}/{reader}/{chapter}", payload, cost, tuple(names), _split_of(part))

    @staticmethod
    def _part_of_source(source: Source) -> str | None:
        """The part when the source itself is one (`…/LibriSpeech/test-clean`, `test-clean.tar.gz`)."""
        found = re.search(rf"(?:^|/)({_PART})(?:$|\.)", source.label)
        return found[1] if found else None

    def _genders(self, source: Source) -> tuple[dict[str, str], list[str]]:
        """Reader → f or m from SPEAKERS.TXT; a reader's name may itself hold `|`."""
        names = source.names_matching(r"(^|/)SPEAKERS\.TXT$")
        tables = [source.read_bytes(name) for name in names]
        beside = [path for root in source.roots() if (path := root.parent / "SPEAKERS.TXT").is_file()]
        tables += [path.read_bytes() for path in beside if not names and not path.is_symlink()]
        if not tables:
            return {}, ["SPEAKERS.TXT is not there: genders stay unknown"]
        said: dict[str, set[str]] = defaultdict(set)
        for table in tables:
            for line in decode_lines(table):
                fields = [f.strip() for f in (line.text or "").split("|", 4)]
                if len(fields) == 5 and not fields[0].startswith(";") and fields[1] in {"F", "M"}:
                    said[fields[0]].add(fields[1].lower())
        both = sorted(reader for reader, genders in said.items() if len(genders) > 1)
        notes = (
            [f"SPEAKERS.TXT gives both sexes for {', '.join(both[:5])}: theirs stay unknown"] if both else []
        )
        return {reader: min(genders) for reader, genders in said.items() if len(genders) == 1}, notes

    def read(self, source: Source, unit: WorkUnit) -> Iterator[RawSegment | Rejection | Ignored]:
        """One item per transcript line, then one rejection per FLAC without a line."""
        payload = unit.payload
        names = unit.members
        audio = {PurePosixPath(n).stem: n for n in names if n.endswith(".flac")}
        seen: set[str] = set()
        for transcript in (n for n in names if n.endswith(".trans.txt")):
            for line in source.text_lines(transcript):
                if line.text is None:
                    yield Rejection(transcript, "encoding", line.problem, line=line.number)
                elif line.text.strip():
                    yield self._item(payload, transcript, line, audio, seen)
        for stem in sorted(audio.keys() - seen):
            yield Rejection(audio[stem], "transcript_missing", f"{stem} has no line in a .trans.txt", stem)

    @staticmethod
    def _item(
        payload: Any, transcript: str, line: TextLine, audio: dict[str, str], seen: set[str]
    ) -> RawSegment | Rejection:
        number = line.number
        stem, *words = (line.text or "").split(None, 1)
        text = "".join(words)
        prefix = f"{payload['reader']}-{payload['chapter']}-"
        problem = None
        if not stem.startswith(prefix):
            problem = ("id_mismatch", f"{stem} does not begin with {prefix}, the folder it stands in")
        elif stem in seen:
            problem = ("duplicate_id", f"{stem} has a second line")
        elif stem not in audio:
            problem = ("audio_missing", f"{stem}.flac is not beside its transcript: a torn archive?")
        elif not text.strip():
            problem = ("empty_text", f"{stem} has no words")
        seen.add(stem)
        if problem is not None:
            return Rejection(transcript, *problem, utterance_id=stem, line=number, text_raw=text or None)
        return RawSegment(
            utterance_id=stem,
            recording_id=f"{payload['reader']}-{payload['chapter']}",
            speaker_id=payload["reader"],
            text_raw=text,
            style="librispeech",
            audio=AudioRef(audio[stem], promised=_PROMISED),
            source_path=transcript,
            line=number,
            split=_split_of(payload["part"]),
            subset=payload["part"],
            gender=payload["gender"],
            language="en",
            licence=LICENCE,
            flags=flags_of(line),
        )


def _of_another_corpus(source: Source) -> str:
    """A sentence where the layout is that of Multilingual LibriSpeech, else ""."""
    if not source.names_matching(r"(^|/)(train|dev|test)/transcripts\.txt$"):
        return ""
    if source.names_matching(r"\.trans\.txt$"):
        return ""
    return (
        f"{source.label} is laid out like Multilingual LibriSpeech (one transcripts.txt for each part), not like "
        "LibriSpeech: import it with `donated` and, in donation.toml, its language, its licence and [table] / "
        "file = 'transcripts.txt' / delimiter = 'tab' / columns = ['id', 'text'] / audio = '{id}' / text = 'text'"
    )


def _split_of(part: str) -> str:
    """`train-clean-100` is train."""
    return part.partition("-")[0]


def _wanted_parts(options: ImportOptions) -> set[str]:
    """Parts named by the option `parts` (a list, or names separated by commas or blanks); empty = all.

    Raises:
        UsageError: a name that is no part of LibriSpeech.
    """
    said = options.options.get("parts") or []
    parts = set(re.split(r"[,\s]+", said.strip()) if isinstance(said, str) else said)
    strange = sorted(part for part in parts if not re.fullmatch(_PART, part))
    if strange:
        raise UsageError(
            f"{', '.join(strange)}: no part of LibriSpeech; parts are {', '.join(OFFICIAL_UTTERANCES)}"
        )
    return parts


def _checksum_notes(path: Path) -> list[str]:
    """A remark on an archive of a published name: its MD5 is compared where its size is the published one.

    Raises:
        SourceError: the size is right and the MD5 is not: the archive is damaged.
    """
    known = {archive.file_name: archive for archive in FREE_ARCHIVES["librispeech"]}.get(path.name)
    if known is None or known.digest is None:
        return []
    size = path.stat().st_size
    if size != known.size_bytes:
        return [f"{path.name} has {size} bytes, the published one {known.size_bytes}: repacked, not compared"]
    with path.open("rb") as stream:
        found = f"md5:{hashlib.file_digest(stream, 'md5').hexdigest()}"
    if found != known.digest:
        raise SourceError(
            f"{path} is damaged: expected {known.digest}, found {found}; download it again "
            f"(python -m corpora download librispeech --parts {known.part} --to …)"
        )
    return [f"{path.name} has the published checksum"]


def _completeness(units: list[WorkUnit]) -> list[str]:
    """A remark per official part: complete, or short by how many, with the numbers that are missing inside chapters."""
    found: Counter[str] = Counter()
    gaps: dict[str, list[str]] = defaultdict(list)
    for unit in units:
        stems = {PurePosixPath(name).stem for name in unit.members if name.endswith(".flac")}
        part, prefix = unit.payload["part"], f"{unit.payload['reader']}-{unit.payload['chapter']}-"
        numbers = {
            int(n) for stem in stems if (n := stem.removeprefix(prefix)).isdigit() and stem.startswith(prefix)
        }
        found[part] += len(stems)
        gaps[part] += [f"{prefix}{n:04d}" for n in range(max(numbers, default=0)) if n not in numbers]
    return [
        _remark(part, count, gaps[part])
        for part, count in sorted(found.items())
        if part in OFFICIAL_UTTERANCES
    ]


def _remark(part: str, count: int, gaps: list[str]) -> str:
    expected = OFFICIAL_UTTERANCES[part]
    if count == expected:
        return f"{part}: all {expected} official recordings are there"
    size = (
        f"short by {expected - count}"
        if count < expected
        else f"{count - expected} more than there should be"
    )
    listed = ", ".join(gaps[:_GAPS_LISTED]) + (", …" if len(gaps) > _GAPS_LISTED else "")
    missing = f"; missing inside chapters: {listed}" if gaps else ""
    return f"{part}: {count} of {expected} official recordings, {size}{missing}"
