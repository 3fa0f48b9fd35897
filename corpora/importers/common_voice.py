"""Common Voice scripted speech, all releases: never-quoted TSV tables beside `clips/*.mp3`; release 1 with CSV.

    [cv-corpus-…/]<language>/{train,dev,test,validated}.tsv   …/clips/common_voice_en_NNN.mp3

Columns are read by name, because every release has its own. The official train, dev and test are taken;
rows of `validated.tsv` outside them are counted and passed over unless the option `train_all` asks for those
whose speaker and sentence are in neither dev nor test. A clip or a speaker that is also in an evaluation
split is refused in training. Client ids are hashed again. Reported sentences are flagged, stated durations
compared. The tables of invalidated and other clips are counted as rejections where `unaccepted` asks for it.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath
from typing import Any

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
from corpora.importers import _calls as recordings
from corpora.importers import _common_voice_facts as facts
from corpora.importers import _common_voice_v1 as release_one
from corpora.importers import _common_voice_votes as unaccepted
from corpora.options import SWITCH, Option
from corpora.sources.lines import TextLine, decode_lines
from corpora.sources.names import unsafe_name
from corpora.sources.source import Source
from corpora.text.language_tags import language_tag

LICENCE = "CC0-1.0"
SLICE_ROWS = 500
_TABLE = re.compile(r"(?:^|/)(train|dev|test|validated)\.tsv$")
_SPONTANEOUS = re.compile(r"(?:^|/)ss-corpus-[^/]*\.tsv$")
_CLIP = re.compile(r"(?i)\.mp3$")
_NEEDED = ("client_id", "path", "sentence")
_AGAIN = "listed again in validated.tsv"
_VOTES = ("up_votes", "down_votes")


@dataclass(frozen=True)
class Table:
    """One TSV: its member name, split name, column names, and the folder it stands in."""

    path: str
    name: str
    columns: tuple[str, ...]
    folder: str

    def cells(self, line: TextLine) -> dict[str, str]:
        """The row by column name; empty cells at its end may be missing, as releases 5 and 6 write them.

        Raises:
            ValueError: more cells than columns, or votes that are no numbers: a shifted row.
        """
        cells = (line.text or "").split("\t")
        needed = max(at for at, name in enumerate(self.columns) if name in (*_NEEDED, *_VOTES))
        if not needed < len(cells) <= len(self.columns):
            raise ValueError(f"{len(cells)} cells under {len(self.columns)} column names")
        cells += [""] * (len(self.columns) - len(cells))
        row = dict(zip(self.columns, cells, strict=True))
        for votes in _VOTES:
            if votes in row and not row[votes].strip().isdigit():
                raise ValueError(f"{votes} is {row[votes]!r}, not a number: the row's cells are shifted")
        return row


class CommonVoiceImporter:
    """See the module."""

    name = "common_voice"
    version = "3"
    summary = "Common Voice, release 1 to 25 and deltas: mp3 clips and their tables"

    options = (
        Option("train_all", "also rows of validated.tsv that leak neither speaker nor sentence", SWITCH),
        unaccepted.OPTION,
    )

    def recognise(self, source: Source) -> bool:
        """A split's table beside mp3 clips."""
        tables = source.names_matching(_TABLE) or release_one.tables(source)
        return bool(tables) and bool(source.names_matching(_CLIP))

    def scan(self, source: Source, options: ImportOptions) -> Scan:
        """Read the tables once, find leaks between splits, cut each table into slices of 500 rows.

        Raises:
            SourceError: no table, several languages or releases at once, or a table without its columns.
        """
        first_release = release_one.tables(source)
        if first_release:
            units = [unit for path in first_release for unit in release_one.slices(source, path, LICENCE)]
            return Scan(CorpusFacts(self.name, LICENCE), tuple(units), notes=(release_one.REMARK,))
        tables = _tables(source)
        language = _language(source, tables[0])
        official = any(table.name != "validated" for table in tables)
        wanted = options.options.get("train_all") in (True, "yes") or not official
        reading = _Reading(source, official)
        units = []
        ignored: list[Ignored] = []
        for table in tables:
            if table.name == "validated" and not wanted:
                ignored += reading.outside(table)
            else:
                units += reading.slices(table)
        if options.options.get("unaccepted") in (True, "yes"):
            units += unaccepted.units(source)
        notes = [] if official else [_unofficial(source)]
        notes += facts.count_remarks(source, language, reading.rows) + facts.ages_remark(reading.decades)
        rule = "official" if official else "speaker"
        about = CorpusFacts(self.name, LICENCE, language, split_rule=rule)
        return Scan(about, tuple(units), tuple(ignored), (), tuple(notes))

    def read(self, source: Source, unit: WorkUnit) -> Iterator[RawSegment | Rejection | Ignored]:
        """Rows of one slice, in the table's order."""
        payload = unit.payload
        if payload.get("release") == 1:
            yield from release_one.read(source, payload)
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


def _tables(source: Source) -> list[Table]:
    """The split tables of the one language, evaluation splits first, so that leaks are found in training."""
    folders: dict[str, list[Table]] = {}
    for path in source.names_matching(_TABLE):
        folder, _, name = path.rpartition("/")
        head = _header(source, path)
        columns = tuple((head.text or "").split("\t")) if head else ()
        missing = [column for column in _NEEDED if column not in columns]
        if missing:
            raise SourceError(f"{path} has no column {' and '.join(missing)}: is it a Common Voice table?")
        folders.setdefault(folder, []).append(Table(path, name.removesuffix(".tsv"), columns, folder))
    if not folders and source.names_matching(_SPONTANEOUS):
        raise SourceError(
            f"{source.label} is Common Voice's spontaneous speech (ss-corpus-….tsv), which has tables of its own: import "
            "it with `donated`, with a donation.toml that names its licence; its official splits are kept"
        )
    if not folders:
        raise SourceError(
            f"{source.label} holds no train, dev, test or validated.tsv, nor cv-valid-train.csv of release 1"
        )
    if len(folders) > 1:
        raise SourceError(
            f"{source.label} holds {len(folders)} sets of tables ({', '.join(sorted(folders))}): "
            "import one language of one release at a time"
        )
    order = ("test", "dev", "train", "validated")
    return sorted(next(iter(folders.values())), key=lambda table: order.index(table.name))


def _header(source: Source, path: str) -> TextLine | None:
    """The first line of a table.

    Raises:
        SourceError: its lines end with CR alone, so that all of it would pass for column names.
    """
    with source.open(path) as stream:
        first = stream.readline()
    if b"\r" in first.rstrip(b"\r\n"):
        raise SourceError(
            f"{path} ends its lines with CR alone: write it with LF, or take the table as it was published"
        )
    return next(iter(decode_lines(first)), None)


def _language(source: Source, table: Table) -> str:
    """What the first row says, else the folder's name, else English."""
    for line, _, _ in islice(_rows(source, table), 1):
        said = dict(zip(table.columns, (line.text or "").split("\t"), strict=False)).get("locale", "").strip()
        if said:
            try:
                return language_tag(said)
            except ValueError:
                break  # the row is refused when it is read
    folder = PurePosixPath(table.folder.replace("!", "/")).name
    return folder if re.fullmatch(r"[a-z]{2,3}(-[A-Za-z]+)?", folder) else "en"


def _rows(source: Source, table: Table) -> Iterator[tuple[TextLine, int, int]]:
    """(line, offset, bytes) of every row below the header; rows end at line feeds and nowhere else."""
    with source.open(table.path) as stream:
        offset = len(stream.readline())
        number = 1
        while raw := stream.readline():
            number += 1
            line = next(iter(decode_lines(raw)), None)  # none where it is only a byte order mark
            if line is not None and (line.text is None or line.text.strip()):
                yield TextLine(number, line.text, line.problem), offset, len(raw)
            offset += len(raw)


class _Reading:
    """One pass over the tables, evaluation splits first: work units, and what leaks between splits."""

    def __init__(self, source: Source, official: bool) -> None:
        self._source = source
        self._official = official
        self._anywhere = {PurePosixPath(name).name: name for name in source.names_matching(_CLIP)}
        self._clips: dict[str, str] = {}  # clip -> first table that lists it
        self._speakers: dict[str, str] = {}  # client -> first table that names it
        self._sentences: set[str] = set()  # of dev and test
        self._reported = facts.reported_sentences(source)
        self._durations_s = facts.durations_s(source)
        self.rows: Counter[str] = Counter()  # by table
        self.decades: Counter[int] = Counter()  # of the speakers' ages, by row

    def slices(self, table: Table) -> list[WorkUnit]:
        """Work units of at most 500 rows, each with the lines that must not be used."""
        units: list[WorkUnit] = []
        rows = _rows(self._source, table)
        while chunk := list(islice(rows, SLICE_ROWS)):
            units.append(self._slice(table, chunk))
        return units

    def _slice(self, table: Table, rows: Sequence[tuple[TextLine, int, int]]) -> WorkUnit:
        refused: dict[str, list[str]] = {}
        elsewhere: dict[str, str] = {}
        members: list[str] = []
        flagged: list[int] = []
        lengths_s: dict[str, float] = {}
        self.rows[table.name] += len(rows)
        for line, _, _ in rows:
            try:
                row = table.cells(line)
            except ValueError:
                continue
            leak = self._leak(table, row)
            if leak:
                refused[str(line.number)] = list(leak)
            clip = clip_name(row["path"])
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
        first, last = rows[0], rows[-1]
        payload: dict[str, Any] = {
            "table": table.path,
            "name": table.name,
            "split": table.name if table.name != "validated" else ("train" if self._official else None),
            "columns": list(table.columns),
            "folder": table.folder,
            "offset": first[1],
            "bytes": last[1] + last[2] - first[1],
            "first_line": first[0].number,
            "refused": refused,
            "elsewhere": elsewhere,
            "reported": flagged,
            "lengths_s": lengths_s,
        }
        cost = sum(self._source.member(name).size for name in members)
        files = (table.path, *sorted(set(members)))
        return WorkUnit(f"{table.name}-{first[0].number:08d}", payload, cost, files, payload["split"] or "")

    def _leak(self, table: Table, row: Mapping[str, str]) -> tuple[str, str] | None:
        """Remember the row; (check, reason) where it must not be used beside what other tables hold."""
        clip, speaker, sentence = clip_name(row["path"]), row["client_id"], row["sentence"].strip().lower()
        listed = self._clips.setdefault(clip, "") or None
        self._clips[clip] = listed or table.name
        heard = self._speakers.setdefault(speaker, table.name)
        if listed == table.name:
            return "duplicate_id", f"{clip} stands twice in {table.name}.tsv"
        if listed:
            return (
                _AGAIN if table.name == "validated" else "split_leak"
            ), f"{clip} is also listed in {listed}.tsv"
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
        for line, _, _ in _rows(self._source, table):
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


def clip_member(folder: str, clip: str) -> str:
    """Where a clip lies beside the tables of `folder`."""
    return f"{folder}/clips/{clip}" if folder else f"clips/{clip}"


def clip_name(path: str) -> str:
    """The clip's file name; early releases leave `.mp3` away."""
    return path if path.lower().endswith(".mp3") else f"{path}.mp3"


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
    )
