"""LibriSpeech and mini LibriSpeech: `<part>/<reader>/<chapter>/` with FLAC files and one `.trans.txt`.

The root, one part or several archives are accepted; partial trees too. One chapter is one work unit. The
official parts are the splits. Nothing is decoded here, and whole-archive checksums are not compared.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any
from weakref import WeakKeyDictionary

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
from corpora.sources import Source, decode_lines

LICENCE = "CC-BY-4.0"
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
    version = "1"
    summary = "LibriSpeech and mini LibriSpeech: FLAC + .trans.txt + SPEAKERS.TXT, tree or archives"

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
        folders = self._by_folder(source)
        genders, notes = self._genders(source)
        units, rejections = [], []
        for _, names in sorted(folders.items()):
            unit = self._unit(source, names, genders)
            if isinstance(unit, WorkUnit):
                units.append(unit)
            else:
                rejections.extend(unit)
        if not units and not rejections:
            wanted = "test-clean/1089/134686/1089-134686.trans.txt"
            raise SourceError(f"{source.label} holds no LibriSpeech chapter (wanted files like {wanted})")
        ours = {name for names in folders.values() for name in names}
        ignored = tuple(
            Ignored(m.name, "corpus document" if _DOCUMENT.search(m.name) else "not a file of LibriSpeech")
            for m in source.members()
            if m.name not in ours
        )
        facts = CorpusFacts("librispeech", LICENCE, officials=OFFICIAL_UTTERANCES)
        units.sort(key=lambda unit: unit.key)
        return Scan(facts, tuple(units), ignored, tuple(rejections), tuple(notes))

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
        return WorkUnit(f"{part}/{reader}/{chapter}", payload, cost, tuple(names))

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
        tables += [path.read_bytes() for path in beside if not names]
        if not tables:
            return {}, ["SPEAKERS.TXT is not there: genders stay unknown"]
        genders: dict[str, str] = {}
        for table in tables:
            for line in decode_lines(table):
                fields = [f.strip() for f in (line.text or "").split("|", 4)]
                if len(fields) == 5 and not fields[0].startswith(";") and fields[1] in {"F", "M"}:
                    genders[fields[0]] = fields[1].lower()
        return genders, []

    def read(self, source: Source, unit: WorkUnit) -> Iterator[RawSegment | Rejection | Ignored]:
        """One item per transcript line, then one rejection per FLAC without a line."""
        payload = unit.payload
        names = self._by_folder(source)[payload["folder"]]
        audio = {PurePosixPath(n).stem: n for n in names if n.endswith(".flac")}
        seen: set[str] = set()
        for transcript in (n for n in names if n.endswith(".trans.txt")):
            for line in source.text_lines(transcript):
                if line.text is None:
                    yield Rejection(transcript, "encoding", line.problem, line=line.number)
                elif line.text.strip():
                    yield self._item(payload, transcript, (line.number, line.text), audio, seen)
        for stem in sorted(audio.keys() - seen):
            yield Rejection(audio[stem], "transcript_missing", f"{stem} has no line in a .trans.txt", stem)

    @staticmethod
    def _item(
        payload: Any, transcript: str, line: tuple[int, str], audio: dict[str, str], seen: set[str]
    ) -> RawSegment | Rejection:
        number, content = line
        stem, _, text = content.strip().partition(" ")
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
            audio=AudioRef(audio[stem]),
            source_path=transcript,
            line=number,
            split=payload["part"].partition("-")[0],
            subset=payload["part"],
            gender=payload["gender"],
            language="en",
            licence=LICENCE,
        )
