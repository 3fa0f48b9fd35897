"""Fisher English parts 1 and 2 (LDC2004S13/T19, LDC2005S13/T19): two-sided calls, one transcript per call.

    …/audio/NNN/fe_03_NNNNN.sph   …/data/trans/NNN/fe_03_NNNNN.txt   …/doc/fe_03_p1_calldata.tbl

Files are found by name wherever they lie. Side A is channel 0. Speakers are the PINs of the call table;
without a table each side is its own unknown speaker. No official split. Known defects are those of
defects/fisher.toml. Phone numbers are never read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from corpora.errors import SourceError
from corpora.formats.times import span
from corpora.importer import CorpusFacts, Ignored, ImportOptions, RawSegment, Rejection, Scan, WorkUnit
from corpora.importers import _calls as recordings
from corpora.importers import _defects
from corpora.importers._policy_price import price_remarks
from corpora.sources.lines import TextLine
from corpora.sources.source import Source

LAST_OF_PART_1 = 5850
CALLS = 11_699
EXPECTED: dict[str, dict[str, float]] = {
    "all": {"recordings": CALLS, "hours": 1915.0},
    "part1": {"recordings": 5850},
    "part2": {"recordings": 5849},
}
END_TOLERANCE_S = 0.01  # the step of the transcripts' times
_AUDIO = re.compile(r"(?i)(?:^|/)fe_03_(\d{5})\.(?:sph|wav)$")
_TEXT = re.compile(r"(?i)(?:^|/)fe_03_(\d{5})\.txt$")
_NOT_TEXT = re.compile(r"(?i)(?:^|/)bbn_orig/")
_CALL_TABLE = re.compile(r"(?i)(?:^|/)fe_03_p\d+_calldata\.tbl$")
_PIN_TABLE = re.compile(r"(?i)(?:^|/)fe_03_(?:p\d+_)?pindata\.tbl$")
_DISC_TABLE = re.compile(r"(?i)(?:^|/)(?:filetable\d*\.txt|fe_03_p\d+_filelist\.tbl)$")
_DISC_CALL = re.compile(r"(?i)(?:fe_03_)?(\d{5})(?:\.sph|\.wav)?")
_LINE = re.compile(r"^\s*(\S+)\s+(\S+)\s+([^\s:]+)\s*:\s*(.*)$")
_HEADER = re.compile(r"^\s*#\s*fe_03_(\w+)\.(?:sph|wav)", re.IGNORECASE)
_DEFAULT_COLUMNS = {"CALL_ID": 0, "APIN": 5, "ASX.DL": 6, "BPIN": 10, "BSX.DL": 11}


@dataclass
class CallTables:
    """PINs of each call's sides, the sexes that the tables give a PIN, sexes of a call's sides as a fallback."""

    pins: dict[str, tuple[str, str]] = field(default_factory=dict)
    sex_votes: dict[str, Counter[str]] = field(default_factory=dict)
    disc_sexes: dict[str, str] = field(default_factory=dict)
    contradicting: set[str] = field(default_factory=set)  # calls listed twice with other callers

    def speaker(self, call: str, side: int) -> tuple[str, bool]:
        """(speaker id, whether it is known) of a call's side; two sides never share an id."""
        pins = self.pins.get(call, ("", ""))
        if pins[side] and pins[0] != pins[1]:
            return pins[side], True
        return f"fe_03_{call}-{'AB'[side]}", False

    def gender(self, call: str, side: int) -> tuple[str | None, list[str]]:
        """(m, f or None, flags): what most entries say; None and `gender_disputed` where they tie."""
        pin, known = self.speaker(call, side)
        votes = self.sex_votes.get(pin, Counter()).most_common(2) if known else []
        if len(votes) == 2 and votes[0][1] == votes[1][1]:
            return None, ["gender_disputed"]
        if votes:
            return votes[0][0], []
        return (self.disc_sexes[call][side] if call in self.disc_sexes else None), []

    def vote(self, pin: str, sex: str) -> None:
        """Count what one table row says of a PIN's sex."""
        if pin and sex[:1].lower() in ("m", "f"):
            self.sex_votes.setdefault(pin, Counter())[sex[0].lower()] += 1


class FisherImporter:
    """See the module."""

    name = "fisher"
    version = "3"
    summary = "Fisher English 1 and 2: two-sided telephone calls"
    options = recordings.CALL_OPTIONS

    def recognise(self, source: Source) -> bool:
        """Files named `fe_03_NNNNN.txt`."""
        return bool(source.names_matching(_TEXT))

    def scan(self, source: Source, options: ImportOptions) -> Scan:
        """Pair recordings and transcripts by call id; one work unit per call.

        Raises:
            SourceError: no transcript is there at all. UsageError: the repairs file is wrong.
        """
        audio, text = recordings.find(source, _AUDIO), recordings.find(source, _TEXT, _NOT_TEXT)
        if not text.files:
            raise SourceError(
                f"{source.label} holds no fe_03_NNNNN.txt: is the transcript release missing"
                f"{recordings.archives_inside(source) or '?'}"
            )
        tables = read_tables(source)
        defects = _defects.load(self.name, options.options.get("repairs"))
        choices = recordings.call_choices(options.options)
        units = []
        for call in sorted(audio.files.keys() & text.files.keys()):
            payload = {"call": call, "text": text.files[call], **choices, **_sides(tables, call)}
            payload |= {"audio": audio.files[call], "defects": _defects.of_recording(defects, call)}
            size = source.member(audio.files[call]).size
            units.append(WorkUnit(call, payload, size, (audio.files[call], text.files[call])))
        lonely = recordings.Found(rejections=recordings.unpaired(audio.files, text.files))
        notes = [f"{len(units):,} calls of {CALLS:,} in the whole corpus"]
        if not tables.pins:
            notes.append("no calldata table: every side of every call counts as an unknown speaker")
        if tables.contradicting:
            calls = ", ".join(sorted(tables.contradicting)[:5])
            notes.append(
                f"calldata lists {len(tables.contradicting)} calls twice with other callers ({calls}): "
                "their sides count as unknown speakers"
            )
        paths = [unit.payload["text"] for unit in units]
        notes += price_remarks(source, paths, _words_of, "fisher", choices["policies"])
        facts = CorpusFacts(self.name, recordings.LDC_LICENCE, split_rule="speaker", expected=EXPECTED)
        return recordings.scan_of(source, facts, units, (audio, text, lonely), notes)

    def read(self, source: Source, unit: WorkUnit) -> Iterator[RawSegment | Rejection | Ignored]:
        """Segments of one call, line by line."""
        given = unit.payload
        names = ("audio", "speakers", "known", "genders", "flags", "defects", "policies")
        sides = recordings.Sides(
            recording=f"fe_03_{given['call']}",
            subset="part1" if int(given["call"]) <= LAST_OF_PART_1 else "part2",
            accept_checksum_mismatch=given["accept_checksum_mismatch"],
            end_tolerance_s=END_TOLERANCE_S,
            **{name: given[name] for name in names},
        )
        return sides.finished(recordings.with_speech(given["text"], _read_call(source, sides, given["text"])))


def _words_of(line: str) -> str:
    """The words of a line."""
    match = _LINE.match(line)
    return match[4].strip() if match else ""


def _sides(tables: CallTables, call: str) -> dict[str, list[object]]:
    """What the tables say of a call's sides, for its payload."""
    speakers = [tables.speaker(call, side) for side in (0, 1)]
    genders = [tables.gender(call, side) for side in (0, 1)]
    return {
        "speakers": [speaker for speaker, _ in speakers],
        "known": [known for _, known in speakers],
        "genders": [gender for gender, _ in genders],
        "flags": [flags for _, flags in genders],
    }


def read_tables(source: Source) -> CallTables:
    """Everything the call, PIN and disc tables say about speakers."""
    tables = CallTables()
    for path in source.names_matching(_CALL_TABLE):
        columns: Mapping[str, int] = _DEFAULT_COLUMNS
        for cells in _rows(source, path):
            if "CALL_ID" in cells:
                columns = {name: at for at, name in enumerate(cells)}
            elif max(columns.get(name, 0) for name in _DEFAULT_COLUMNS) < len(cells):
                _add_call(
                    tables, {name: cells[columns[name]] for name in _DEFAULT_COLUMNS if name in columns}
                )
    seen: set[str] = set()
    for path in source.names_matching(_PIN_TABLE):
        for cells in _rows(source, path):
            if len(cells) > 1 and cells[0].isdigit() and cells[0] not in seen:  # both parts list a PIN
                seen.add(cells[0])
                tables.vote(cells[0], cells[1])
    for path in source.names_matching(_DISC_TABLE):
        for line in source.text_lines(path):
            _add_disc_row(tables, (line.text or "").replace(",", " ").split())
    return tables


def _rows(source: Source, path: str) -> Iterator[list[str]]:
    for line in source.text_lines(path):
        yield [cell.strip().strip('"').strip() for cell in (line.text or "").split(",")]


def _add_call(tables: CallTables, row: Mapping[str, str]) -> None:
    if not row.get("CALL_ID", "").isdigit():
        return
    pins = (row.get("APIN", ""), row.get("BPIN", ""))
    call = row["CALL_ID"].zfill(5)
    if tables.pins.setdefault(call, pins) != pins:
        tables.pins[call] = ("", "")  # listed twice with other callers: nobody knows which are right
        tables.contradicting.add(call)
    for pin, sex in zip(pins, (row.get("ASX.DL", ""), row.get("BSX.DL", "")), strict=True):
        tables.vote(pin, sex)


def _add_disc_row(tables: CallTables, words: list[str]) -> None:
    """A row with a call and the sexes of its sides, in whatever order the disc has them."""
    calls = [match.group(1) for word in words if (match := _DISC_CALL.fullmatch(word))]
    sexes = [word.lower() for word in words if re.fullmatch("[mfMF]{2}", word)]
    if calls and sexes:
        tables.disc_sexes.setdefault(calls[0], sexes[0])


def _read_call(
    source: Source, sides: recordings.Sides, path: str
) -> Iterator[RawSegment | Rejection | Ignored]:
    """Lines of a transcript; one that says it is of another call is refused as a whole."""
    for line in recordings.readable_lines(source, path):
        header = _HEADER.match(line.text or "") if isinstance(line, TextLine) else None
        if header and isinstance(line, TextLine) and f"fe_03_{header.group(1)}" != sides.recording:
            reason = f"the file is named {sides.recording} but its header says fe_03_{header.group(1)}"
            yield recordings.bad_line(path, line, "id_mismatch", reason)
            return
    for line in recordings.readable_lines(source, path):
        if isinstance(line, Rejection):
            yield line
        elif (line.text or "").lstrip().startswith("#"):
            yield Ignored(path, "transcript comment")
        else:
            yield _read_line(sides, path, line)


def _read_line(sides: recordings.Sides, path: str, line: TextLine) -> RawSegment | Rejection:
    """One line `start end side: words`."""
    match = _LINE.match(line.text or "")
    if match is None:
        return recordings.bad_line(path, line, "bad_line", "the line is not `start end A|B: words`")
    start, end, side, words = match.groups()
    if side not in ("A", "B"):
        return recordings.bad_line(path, line, "bad_side", f"side {side!r} is neither A nor B")
    try:
        start_s, end_s = span(start, end)
    except ValueError as error:
        return recordings.bad_line(path, line, "bad_times", str(error))
    name = recordings.span_id(f"{sides.recording}-{side}", start_s, end_s)
    return sides.segment(line, path, "AB".index(side), (name, start_s, end_s), words)
