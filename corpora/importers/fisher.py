"""Fisher English parts 1 and 2 (LDC2004S13/T19, LDC2005S13/T19): two-sided calls, one transcript per call.

    …/audio/NNN/fe_03_NNNNN.sph   …/data/trans/NNN/fe_03_NNNNN.txt   …/doc/fe_03_p1_calldata.tbl

Files are found by name wherever they lie. Side A is channel 0. Speakers are the PINs of the call table;
without a table each side is its own unknown speaker. No official split.
Phone numbers are never read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

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

LICENCE = "LicenseRef-LDC-User-Agreement"
CALLS = 11_699
LAST_OF_PART_1 = 5850
_AUDIO = re.compile(r"(?i)(?:^|/)fe_03_(\d{5})\.(?:sph|wav)$")
_TEXT = re.compile(r"(?i)(?:^|/)fe_03_(\d{5})\.txt$")
_NOT_TEXT = re.compile(r"(?i)(?:^|/)bbn_orig/")
_CALL_TABLE = re.compile(r"(?i)(?:^|/)fe_03_p\d+_calldata\.tbl$")
_DISC_TABLE = re.compile(r"(?i)(?:^|/)(?:filetable\d*\.txt|fe_03_p\d+_filelist\.tbl)$")
_DISC_ROW = re.compile(r"(?:fe_03_)?(\d{5})(?:\.sph)?\s+([mfMF]{2})\b")
_LINE = re.compile(r"^\s*(\S+)\s+(\S+)\s+([^\s:]+)\s*:\s*(.*)$")
_HEADER = re.compile(r"^#\s*fe_03_(\w+)\.sph", re.IGNORECASE)
_DEFAULT_COLUMNS = {"CALL_ID": 0, "APIN": 5, "ASX.DL": 6, "BPIN": 10, "BSX.DL": 11}


@dataclass
class CallTables:
    """PIN of each call's sides, sex by PIN (what most calls say), sex of sides by call as a fallback."""

    pins: dict[str, tuple[str, str]] = field(default_factory=dict)
    sex_votes: dict[str, Counter[str]] = field(default_factory=dict)
    disc_sexes: dict[str, str] = field(default_factory=dict)

    def speaker(self, call: str, side: int) -> tuple[str, bool]:
        """(speaker id, whether it is known) of a call's side; two sides never share an id."""
        pins = self.pins.get(call, ("", ""))
        if pins[side] and pins[0] != pins[1]:
            return pins[side], True
        return f"fe_03_{call}-{'AB'[side]}", False

    def gender(self, call: str, side: int) -> str | None:
        """m, f, or None where nothing is known or the tables disagree evenly."""
        pin, known = self.speaker(call, side)
        votes = self.sex_votes.get(pin, Counter()).most_common(2) if known else []
        if votes:
            return votes[0][0] if len(votes) == 1 or votes[0][1] > votes[1][1] else None
        return self.disc_sexes[call][side] if call in self.disc_sexes else None


class FisherImporter:
    """See the module."""

    name = "fisher"
    version = "1"
    summary = "Fisher English 1 and 2: two-sided telephone calls"

    def recognise(self, source: Source) -> bool:
        """Files named `fe_03_NNNNN.txt`."""
        return bool(source.names_matching(_TEXT))

    def scan(self, source: Source, options: ImportOptions) -> Scan:
        """Pair recordings and transcripts by call id; one work unit per call.

        Raises:
            SourceError: no transcript is there at all.
        """
        audio, text = recordings.find(source, _AUDIO), recordings.find(source, _TEXT, _NOT_TEXT)
        if not text.files:
            raise SourceError(f"{source.label} holds no fe_03_NNNNN.txt: is the transcript release missing?")
        tables = read_tables(source)
        units = []
        for call in sorted(audio.files.keys() & text.files.keys()):
            sides = [tables.speaker(call, side) for side in (0, 1)]
            payload = {
                "call": call,
                "audio": audio.files[call],
                "text": text.files[call],
                "speakers": [speaker for speaker, _ in sides],
                "known": [known for _, known in sides],
                "genders": [tables.gender(call, side) for side in (0, 1)],
            }
            size = source.member(audio.files[call]).size
            units.append(WorkUnit(call, payload, size, (audio.files[call], text.files[call])))
        rejections = audio.rejections + text.rejections + recordings.unpaired(audio.files, text.files)
        notes = [f"{len(units)} calls of {CALLS} in the whole corpus"]
        if not tables.pins:
            notes.append("no calldata table: every side of every call counts as an unknown speaker")
        facts = CorpusFacts(self.name, LICENCE, split_rule="speaker")
        ignored = audio.ignored + text.ignored
        ignored += recordings.leftovers(source, units, ignored, rejections)
        return Scan(facts, tuple(units), tuple(ignored), tuple(rejections), tuple(notes))

    def read(self, source: Source, unit: WorkUnit) -> Iterator[RawSegment | Rejection | Ignored]:
        """Segments of one call, line by line."""
        return recordings.without_twins(_read_call(source, unit))


def read_tables(source: Source) -> CallTables:
    """Everything the call and disc tables say about speakers."""
    tables = CallTables()
    for path in source.names_matching(_CALL_TABLE):
        columns: Mapping[str, int] = _DEFAULT_COLUMNS
        for line in source.text_lines(path):
            cells = [cell.strip() for cell in (line.text or "").split(",")]
            if "CALL_ID" in cells:
                columns = {name: at for at, name in enumerate(cells)}
            elif max(columns.get(name, 0) for name in _DEFAULT_COLUMNS) < len(cells):
                _add_call(
                    tables, {name: cells[columns[name]] for name in _DEFAULT_COLUMNS if name in columns}
                )
    for path in source.names_matching(_DISC_TABLE):
        for line in source.text_lines(path):
            match = _DISC_ROW.search(line.text or "")
            if match:
                tables.disc_sexes.setdefault(match.group(1), match.group(2).lower())
    return tables


def _add_call(tables: CallTables, row: Mapping[str, str]) -> None:
    if not row.get("CALL_ID", "").isdigit():
        return
    pins = (row.get("APIN", ""), row.get("BPIN", ""))
    tables.pins[row["CALL_ID"].zfill(5)] = pins
    for pin, sex in zip(pins, (row.get("ASX.DL", ""), row.get("BSX.DL", "")), strict=True):
        if pin and sex[:1].lower() in ("m", "f"):
            tables.sex_votes.setdefault(pin, Counter())[sex[0].lower()] += 1


def _read_call(source: Source, unit: WorkUnit) -> Iterator[RawSegment | Rejection | Ignored]:
    path, call = unit.payload["text"], unit.payload["call"]
    side_ends = [0.0, 0.0]
    for line in recordings.readable_lines(source, path):
        if isinstance(line, Rejection):
            yield line
            continue
        header = _HEADER.match(line.text or "")
        if header and header.group(1) != call:
            reason = f"the file is named {call} but its first line says fe_03_{header.group(1)}"
            yield recordings.bad_line(path, line, "id_mismatch", reason)
            return
        if (line.text or "").lstrip().startswith("#"):
            yield Ignored(path, "transcript comment")
            continue
        yield _read_line(unit, line, side_ends)


def _read_line(unit: WorkUnit, line: TextLine, side_ends: list[float]) -> RawSegment | Rejection:
    """One line `start end side: words`; `side_ends` remembers where each side stopped talking."""
    path, call = unit.payload["text"], unit.payload["call"]
    match = _LINE.match(line.text or "")
    if match is None:
        return recordings.bad_line(path, line, "bad_line", "the line is not `start end A|B: words`")
    start, end, side_name, words = match.groups()
    if side_name not in ("A", "B"):
        return recordings.bad_line(path, line, "bad_side", f"side {side_name!r} is neither A nor B")
    try:
        start_s, end_s = recordings.parse_span(start, end)
    except ValueError as error:
        return recordings.bad_line(path, line, "bad_times", str(error))
    side = "AB".index(side_name)
    flags = [] if unit.payload["known"][side] else ["speaker_unknown"]
    if start_s < side_ends[side]:
        flags.append("overlap")
    side_ends[side] = max(side_ends[side], end_s)
    return RawSegment(
        utterance_id=recordings.span_id(f"fe_03_{call}-{side_name}", start_s, end_s),
        recording_id=f"fe_03_{call}",
        speaker_id=unit.payload["speakers"][side],
        text_raw=words.strip(),
        style="fisher",
        audio=AudioRef(unit.payload["audio"], side, start_s, end_s),
        source_path=path,
        line=line.number,
        split=None,
        subset="part1" if int(call) <= LAST_OF_PART_1 else "part2",
        gender=unit.payload["genders"][side],
        language="en",
        licence=LICENCE,
        flags=tuple(flags),
    )
