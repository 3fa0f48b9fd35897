"""Switchboard-1 release 2 (LDC97S62) with the ms98 transcripts of Mississippi State (SLR5).

    …/sw02001.sph   …/sw2001A-ms98-a-trans.text   conv_tab.csv   caller_tab.csv

Files are found by name wherever they lie. Side A is channel 0. Lines of only `[silence]` are passed over.
Callers and their sex come from the LDC tables; without them each side is its own unknown speaker.
There is no official split.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
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
CONVERSATIONS = 2438
_AUDIO = re.compile(r"(?i)(?:^|/)sw0?(\d{4})\.(?:sph|wav)$")
_TEXT = re.compile(r"(?i)(?:^|/)sw(\d{4})([AB])-ms98-a-trans\.text$")
_CALL_TABLE = re.compile(r"(?i)(?:^|/)conv[_.]tab(?:\.csv)?$")
_CALLER_TABLE = re.compile(r"(?i)(?:^|/)caller[_.]tab(?:\.csv)?$")
_UTTERANCE = re.compile(r"^sw(\d{4})([AB])-ms98-a-\d+$")
_SILENCE = re.compile(r"^(?:\[silence\]\s*)+$", re.IGNORECASE)


@dataclass
class CallerTables:
    """Callers of each conversation's sides, sex of each caller."""

    callers: dict[str, tuple[str, str]] = field(default_factory=dict)
    sexes: dict[str, str] = field(default_factory=dict)

    def speaker(self, call: str, side: int) -> tuple[str, bool]:
        """(speaker id, whether it is known) of a side; two sides never share an id."""
        callers = self.callers.get(call, ("", ""))
        if callers[side] and callers[0] != callers[1]:
            return callers[side], True
        return f"sw0{call}-{'AB'[side]}", False


class SwitchboardImporter:
    """See the module."""

    name = "switchboard"
    version = "1"
    summary = "Switchboard-1: two-sided telephone calls, ms98 transcripts"

    def recognise(self, source: Source) -> bool:
        """Files named `swNNNNA-ms98-a-trans.text`."""
        return bool(source.names_matching(_TEXT))

    def scan(self, source: Source, options: ImportOptions) -> Scan:
        """Pair conversations with both sides' transcripts; one work unit per conversation.

        Raises:
            SourceError: no transcript is there at all.
        """
        audio, text = recordings.find(source, _AUDIO), recordings.find(source, _TEXT)
        if not text.files:
            raise SourceError(
                f"{source.label} holds no swNNNNA-ms98-a-trans.text: unpack or name the ms98 transcripts too"
            )
        sides = {key.upper(): name for key, name in text.files.items()}
        tables = read_tables(source)
        units = [
            _unit(source, call, audio.files[call], sides, tables)
            for call in sorted(audio.files)
            if f"{call}-A" in sides or f"{call}-B" in sides
        ]
        recorded = {f"{call}-{side}": name for call, name in audio.files.items() for side in "AB"}
        rejections = audio.rejections + text.rejections + recordings.unpaired(recorded, sides)
        notes = [f"{len(units)} conversations of {CONVERSATIONS} in the whole corpus"]
        if not tables.callers:
            notes.append("no conv_tab: every side of every conversation counts as an unknown speaker")
        facts = CorpusFacts(self.name, LICENCE, split_rule="speaker")
        ignored = audio.ignored + text.ignored
        ignored += recordings.leftovers(source, units, ignored, rejections)
        return Scan(facts, tuple(units), tuple(ignored), tuple(rejections), tuple(notes))

    def read(self, source: Source, unit: WorkUnit) -> Iterator[RawSegment | Rejection | Ignored]:
        """Segments of one conversation, side A before side B, line by line."""
        return recordings.without_twins(_read_conversation(source, unit))


def _unit(source: Source, call: str, audio: str, sides: dict[str, str], tables: CallerTables) -> WorkUnit:
    speakers = [tables.speaker(call, side) for side in (0, 1)]
    texts = [sides.get(f"{call}-{side}") for side in "AB"]
    payload = {
        "call": call,
        "audio": audio,
        "texts": texts,
        "speakers": [speaker for speaker, _ in speakers],
        "known": [known for _, known in speakers],
        "genders": [tables.sexes.get(speaker) if known else None for speaker, known in speakers],
    }
    members = (audio, *(name for name in texts if name))
    return WorkUnit(call, payload, source.member(audio).size, members)


def read_tables(source: Source) -> CallerTables:
    """Callers by conversation (fields 0, 2, 3) and sex by caller (fields 0, 3), without quotes."""
    tables = CallerTables()
    for cells in _table_rows(source, _CALL_TABLE):
        if len(cells) > 3 and cells[0].isdigit():
            tables.callers[cells[0].zfill(4)] = (cells[2], cells[3])
    for cells in _table_rows(source, _CALLER_TABLE):
        if len(cells) > 3 and cells[3].upper() in ("MALE", "FEMALE"):
            tables.sexes[cells[0]] = cells[3][0].lower()
    return tables


def _table_rows(source: Source, pattern: re.Pattern[str]) -> Iterator[list[str]]:
    for path in source.names_matching(pattern):
        for line in source.text_lines(path):
            yield [cell.strip().strip('"').strip() for cell in (line.text or "").split(",")]


def _read_conversation(source: Source, unit: WorkUnit) -> Iterator[RawSegment | Rejection | Ignored]:
    for side, path in enumerate(unit.payload["texts"]):
        if path is None:
            continue
        last_end_s = 0.0
        for line in recordings.readable_lines(source, path):
            item = line if isinstance(line, Rejection) else _read_line(unit, side, line, last_end_s)
            if isinstance(item, RawSegment):
                last_end_s = max(last_end_s, item.audio.end_s or 0.0)
            yield item


def _read_line(
    unit: WorkUnit, side: int, line: TextLine, last_end_s: float
) -> RawSegment | Rejection | Ignored:
    """One line `<utterance id> <start> <end> <words>` of a side that was last heard until `last_end_s`."""
    path, call, side_name = unit.payload["texts"][side], unit.payload["call"], "AB"[side]
    fields = (line.text or "").split(None, 3)
    if len(fields) < 3:
        return recordings.bad_line(path, line, "bad_line", "the line is not `id start end words`")
    name = fields[0]
    match = _UTTERANCE.match(name)
    if match is None:
        return recordings.bad_line(path, line, "bad_line", f"{name!r} is not an ms98 utterance id")
    if match.groups() != (call, side_name):
        reason = f"{name} stands in the file of conversation {call} side {side_name}"
        return recordings.bad_line(path, line, "id_mismatch", reason, name)
    words = fields[3].strip() if len(fields) > 3 else ""
    if _SILENCE.match(words):
        return Ignored(path, "silence only")
    try:
        start_s, end_s = recordings.parse_span(fields[1], fields[2])
    except ValueError as error:
        return recordings.bad_line(path, line, "bad_times", str(error), name)
    flags = [] if unit.payload["known"][side] else ["speaker_unknown"]
    if start_s < last_end_s:
        flags.append("overlap")
    return RawSegment(
        utterance_id=name,
        recording_id=f"sw0{call}",
        speaker_id=unit.payload["speakers"][side],
        text_raw=words,
        style="switchboard",
        audio=AudioRef(unit.payload["audio"], side, start_s, end_s),
        source_path=path,
        line=line.number,
        split=None,
        subset="",
        gender=unit.payload["genders"][side],
        language="en",
        licence=LICENCE,
        flags=tuple(flags),
    )
