"""Common Voice, all releases: never-quoted TSV tables beside `clips/*.mp3`; release 1 with CSV; spontaneous speech.

    [cv-corpus-…/]<language>/{train,dev,test,validated}.tsv   …/clips/common_voice_en_NNN.mp3
    sps-corpus-…-<language>/ss-corpus-<language>.tsv          …/audios/spontaneous-speech-en-NNN.mp3

Columns are read by name, because every release has its own. The official train, dev and test are taken;
rows of `validated.tsv` outside them are counted and passed over unless the option `train_all` asks for those
whose speaker and sentence are in neither dev nor test. A clip or a speaker that is also in an evaluation
split is refused in training. Client ids are hashed again. Reported sentences are flagged, stated durations
compared. The tables of invalidated and other clips are counted as rejections where `unaccepted` asks for it. Full and
delta releases of one language that are named together become one corpus (_common_voice_releases.py).
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import PurePosixPath
from typing import Any

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
from corpora.importers import _calls as recordings
from corpora.importers import _common_voice_facts as facts
from corpora.importers import _common_voice_releases as releases
from corpora.importers import _common_voice_spontaneous as spontaneous
from corpora.importers import _common_voice_v1 as release_one
from corpora.importers import _common_voice_votes as unaccepted
from corpora.importers._common_voice_releases import Merged, Release
from corpora.importers._common_voice_tables import (
    Table,
    clip_member,
    clip_name,
    language_of,
    rows_of,
    table_names,
)
from corpora.options import SWITCH, Option
from corpora.sources.lines import TextLine, decode_lines
from corpora.sources.names import unsafe_name
from corpora.sources.source import Source
from corpora.text.language_tags import language_tag

LICENCE = "CC0-1.0"
SLICE_ROWS = 500
_CLIP = re.compile(r"(?i)\.mp3$")
_AGAIN = "listed again in validated.tsv"


class CommonVoiceImporter:
    """See the module."""

    name = "common_voice"
    version = "4"
    summary = "Common Voice, scripted (release 1 to 25, full and deltas merged) and spontaneous speech"

    options = (
        Option("train_all", "also rows of validated.tsv that leak neither speaker nor sentence", SWITCH),
        unaccepted.OPTION,
    )

    def recognise(self, source: Source) -> bool:
        """A split's table, or the one of spontaneous speech, beside mp3 clips."""
        tables = table_names(source) or release_one.tables(source) or spontaneous.tables(source)
        return bool(tables) and bool(source.names_matching(_CLIP))

    def scan(self, source: Source, options: ImportOptions) -> Scan:
        """Read the tables once, find leaks between splits, cut each table into slices of 500 rows.

        Raises:
            SourceError: no table, several languages at once, or a table without its columns.
        """
        unaccepted_too = options.options.get("unaccepted") in (True, "yes")
        first_release = release_one.tables(source)
        if first_release:
            units = [unit for path in first_release for unit in release_one.slices(source, path, LICENCE)]
            return Scan(CorpusFacts(self.name, LICENCE), tuple(units), notes=(release_one.REMARK,))
        if spontaneous.tables(source) and not table_names(source):
            return spontaneous.scan(source, CorpusFacts(self.name, LICENCE), unaccepted_too)
        merged = releases.merged(source)
        merged.listen(source)
        base = merged.base
        language = language_of(source, base.tables[0])
        train_all = options.options.get("train_all") in (True, "yes") or not base.official
        reading = _Reading(source, merged)
        units, ignored = [], []
        for table in base.tables:
            if table.name == "validated" and not train_all:
                ignored += reading.outside(table)
            else:
                units += reading.slices(table, base)
        for delta in merged.deltas:
            units += [unit for table in delta.tables for unit in reading.slices(table, delta)]
        if unaccepted_too:
            units += unaccepted.units(source, merged)
        notes = [*releases.remarks(merged)] if base.official else [_unofficial(source)]
        notes += [] if merged.several else facts.count_remarks(source, language, reading.rows)
        notes += facts.ages_remark(reading.decades)
        rule = "official" if base.official else "speaker"
        about = CorpusFacts(self.name, LICENCE, language, split_rule=rule)
        return Scan(about, tuple(units), tuple(ignored), (), tuple(notes))

    def read(self, source: Source, unit: WorkUnit) -> Iterator[RawSegment | Rejection | Ignored]:
        """Rows of one slice, in the table's order."""
        payload = unit.payload
        if payload.get("release") == 1:
            yield from release_one.read(source, payload)
            return
        if spontaneous.is_ours(payload):
            yield from spontaneous.read(source, payload)
            return
        if unaccepted.is_ours(payload):
            yield from unaccepted.read(source, payload)
            return
        table = Table(payload["table"], payload["name"], tuple(payload["columns"]), payload["folder"])
        with source.open(table.path) as stream:
            stream.seek(payload["offset"])
            data = stream.read(payload["bytes"])
        for line in decode_lines(data):
            number = payload["first_line"] + line.number - 1
            placed = TextLine(number, line.text, line.problem)
            if line.text is None:
                yield recordings.bad_line(
                    table.path, placed, "encoding", f"in row of line {number}: {line.problem}"
                )
            elif line.text.strip():
                yield _read_row(source, payload, table, placed)


class _Reading:
    """One pass over the tables, evaluation splits first: work units, and what leaks between splits."""

    def __init__(self, source: Source, merged: Merged) -> None:
        self._source = source
        self._merged = merged
        self._anywhere = {PurePosixPath(name).name: name for name in source.names_matching(_CLIP)}
        self._clips: dict[str, str] = {}  # clip -> path of the first table that lists it
        self._speakers: dict[str, str] = {}  # client -> first table that names it
        self._sentences: set[str] = set()  # of dev and test
        self._reported = facts.reported_sentences(source)
        self._durations_s = facts.durations_s(source)
        self.rows: Counter[str] = Counter()  # by table
        self.decades: Counter[int] = Counter()  # of the speakers' ages, by row

    def slices(self, table: Table, release: Release) -> list[WorkUnit]:
        """Work units of at most 500 rows, each with the lines that must not be used."""
        units: list[WorkUnit] = []
        rows = rows_of(self._source, table.path)
        prefix = f"{release.name}{'-delta' if release.delta else ''}-" if self._merged.several else ""
        while chunk := list(islice(rows, SLICE_ROWS)):
            payload, members = self._slice(table, release, chunk)
            cost = sum(self._source.member(name).size for name in members)
            files = (table.path, *sorted(set(members)))
            key = f"{prefix}{table.name}-{payload['first_line']:08d}"
            units.append(WorkUnit(key, payload, cost, files, payload["split"] or ""))
        return units

    def _slice(
        self, table: Table, release: Release, rows: Sequence[tuple[TextLine, int, int]]
    ) -> tuple[dict[str, Any], list[str]]:
        """What `read` needs of these rows, and the clips it will open."""
        refused: dict[str, list[str]] = {}
        elsewhere: dict[str, str] = {}
        members: list[str] = []
        flagged: list[int] = []
        lengths_s: dict[str, float] = {}
        seen: dict[str, str] = {}
        self.rows[table.name] += len(rows)
        for line, _, _ in rows:
            try:
                row = table.cells(line)
            except ValueError:
                continue
            leak = self._leak(table, release, row)
            if leak:
                refused[str(line.number)] = list(leak)
            clip = clip_name(row["path"])
            first = self._merged.first_seen(clip, release)
            if first is not None and first != release.name:
                seen[clip] = first
            if self._reported & {row["sentence"], row.get("sentence_id", "")}:
                flagged.append(line.number)
            if clip in self._durations_s:
                lengths_s[clip] = self._durations_s[clip]
            decade = facts.decade_of(row.get("age", ""))
            if decade is not None:
                self.decades[decade] += 1
            member = clip_member(table.folder, clip)
            if member not in self._source and clip in self._anywhere:
                member = elsewhere[clip] = self._anywhere[clip]
            if member in self._source:
                members.append(member)
        (begin, offset, _), (_, last, length) = rows[0], rows[-1]
        payload: dict[str, Any] = {
            "table": table.path,
            "name": table.name,
            "split": table.name
            if table.name != "validated"
            else ("train" if self._merged.base.official else None),
            "columns": list(table.columns),
            "folder": table.folder,
            "offset": offset,
            "bytes": last + length - offset,
            "first_line": begin.number,
            "refused": refused,
            "elsewhere": elsewhere,
            "reported": flagged,
            "lengths_s": lengths_s,
            "release_name": release.name,
            "first_seen": seen,
        }
        return payload, members

    def _leak(self, table: Table, release: Release, row: Mapping[str, str]) -> tuple[str, str] | None:
        """Remember the row; (check, reason) where it must not be used beside what other tables hold."""
        clip, speaker, sentence = clip_name(row["path"]), row["client_id"], row["sentence"].strip().lower()
        listed = self._clips.get(clip)
        self._clips.setdefault(clip, table.path)
        heard = self._speakers.setdefault(speaker, table.name)
        if listed == table.path:
            return "duplicate_id", f"{clip} stands twice in {table.name}.tsv"
        if listed:
            check = _AGAIN if table.name == "validated" else "split_leak"
            return check, f"{clip} is also listed in {PurePosixPath(listed).name}"
        if verdict := self._merged.later_verdict(clip, release):
            return verdict
        if speaker and heard != table.name and (table.name, heard) != ("validated", "train"):
            return "speaker_leak", f"other clips of the speaker are in {heard}.tsv"
        if table.name in ("dev", "test"):
            self._sentences.add(sentence)
        elif table.name == "validated" and sentence in self._sentences:
            return "sentence_leak", "the sentence is also read in dev or test"
        return None

    def outside(self, table: Table) -> list[Ignored]:
        """Rows of validated.tsv counted by whether an official split has their clip."""
        listed = outside = 0
        for line, _, _ in rows_of(self._source, table.path):
            self.rows[table.name] += 1
            try:
                clip = clip_name(table.cells(line)["path"])
            except ValueError:
                clip = ""
            listed, outside = (listed + 1, outside) if clip in self._clips else (listed, outside + 1)
        counts = {
            _AGAIN: listed,
            "validated, but in none of train, dev and test (option train_all takes them)": outside,
        }
        return [Ignored(table.path, reason, count) for reason, count in counts.items() if count]


def _flags(row: Mapping[str, str], reported: bool) -> tuple[str, ...]:
    unknown = () if row["client_id"].strip() else ("speaker_unknown",)
    return (*unknown, "reported") if reported else unknown


def _unofficial(source: Source) -> str:
    """Why there are no official splits, and what is done."""
    drawn = "the splits are drawn from validated.tsv"
    if facts.is_delta(source):
        return (
            "a delta release: only the clips added since the release before, without train, dev and test tables; "
            f"{drawn}. Import the full release for the official splits"
        )
    return f"no train, dev and test tables: {drawn}"


def _read_row(
    source: Source, payload: Mapping[str, Any], table: Table, line: TextLine
) -> RawSegment | Rejection | Ignored:
    try:
        row = table.cells(line)
    except ValueError as error:
        return recordings.bad_line(table.path, line, "shifted_columns", str(error))
    clip = clip_name(row["path"])
    stem = clip[: -len(".mp3")]

    def refuse(check: str, reason: str) -> Rejection:
        return Rejection(table.path, check, reason, stem, line.number, text_raw=row["sentence"])

    problem = unsafe_name(clip)
    if problem or "/" in clip:
        return refuse("unsafe_path", f"clip name {row['path']!r}: {problem or 'it names a folder'}")
    refused = payload["refused"].get(str(line.number))
    if refused:
        return Ignored(table.path, _AGAIN) if refused[0] == _AGAIN else refuse(*refused)
    try:
        language = language_tag(row.get("locale", "").strip() or "en")
    except ValueError as error:
        return refuse("bad_language", str(error))
    member = payload["elsewhere"].get(clip) or clip_member(table.folder, clip)
    if member not in source:
        return refuse("audio_missing", f"{clip} is not in the source: was the download cut short?")
    return RawSegment(
        utterance_id=stem,
        recording_id=stem,
        speaker_id=f"cv-{hashlib.sha256(row['client_id'].encode()).hexdigest()[:16]}",
        text_raw=row["sentence"],
        style="common_voice",
        audio=AudioRef(member, stated_s=payload["lengths_s"].get(clip)),
        source_path=table.path,
        line=line.number,
        split=payload["split"],
        subset=table.name,
        gender=facts.gender_of(row.get("gender", "")),
        language=language,
        licence=LICENCE,
        flags=_flags(row, line.number in payload["reported"]),
        first_seen=payload["first_seen"].get(clip, payload["release_name"]),
    )
