"""Switchboard-1 release 2 (LDC97S62) with the ms98 transcripts of Mississippi State (SLR5).

    …/sw02001.sph   …/sw2001A-ms98-a-trans.text   conv_tab.csv   caller_tab.csv

Files are found by name wherever they lie; the transcripts may be a second source, also as the tar they come
in, whose SHA-256 then stands in the manifest. Side A is channel 0. Lines of only `[silence]` are passed over.
Callers and their sex come from the LDC tables; without them each side is its own unknown speaker, held in
train. There is no official split. Known defects are those of defects/switchboard.toml.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from corpora.errors import SourceError
from corpora.formats.times import span
from corpora.importer import CorpusFacts, Ignored, ImportOptions, RawSegment, Rejection, Scan, WorkUnit
from corpora.importers import _calls as recordings
from corpora.importers import _defects
from corpora.importers._policy_price import price_remarks
from corpora.sources.lines import TextLine
from corpora.sources.source import Source

CONVERSATIONS = 2438  # 2435 in older sets
EXPECTED = {"all": {"recordings": CONVERSATIONS, "utterances": 249_624, "hours": 313.0}}
END_TOLERANCE_S = 0.05
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
    version = "3"
    summary = "Switchboard-1: two-sided telephone calls, ms98 transcripts"
    options = recordings.CALL_OPTIONS

    def recognise(self, source: Source) -> bool:
        """Files named `swNNNNA-ms98-a-trans.text`."""
        return bool(source.names_matching(_TEXT))

    def scan(self, source: Source, options: ImportOptions) -> Scan:
        """Pair conversations with both sides' transcripts; one work unit per conversation.

        Raises:
            SourceError: no transcript is there at all. UsageError: the repairs file is wrong.
        """
        audio, text = recordings.find(source, _AUDIO), recordings.find(source, _TEXT)
        if not text.files:
            raise SourceError(
                f"{source.label} holds no swNNNNA-ms98-a-trans.text: name the folder or the tar of the ms98 "
                f"transcripts too{recordings.archives_inside(source)}"
            )
        sides = {key.upper(): name for key, name in text.files.items()}
        tables = read_tables(source)
        defects = _defects.load(self.name, options.options.get("repairs"))
        choices = recordings.call_choices(options.options)
        units = []
        for call in sorted(audio.files):
            if f"{call}-A" in sides or f"{call}-B" in sides:
                known = {"defects": _defects.of_recording(defects, call), **choices}
                units.append(_unit(source, audio.files[call], _sides(tables, call, sides), known))
        recorded = {f"{call}-{side}": name for call, name in audio.files.items() for side in "AB"}
        lonely = recordings.Found(rejections=recordings.unpaired(recorded, sides))
        notes = [f"{len(units):,} conversations of {CONVERSATIONS:,} (older sets: 2,435) in the whole corpus"]
        if not tables.callers:
            notes.append("no conv_tab: every side of every conversation counts as an unknown speaker")
        paths = [path for unit in units for path in unit.payload["texts"] if path]
        notes += price_remarks(source, paths, _words_of, "switchboard", choices["policies"])
        facts = CorpusFacts(self.name, recordings.LDC_LICENCE, split_rule="speaker", expected=EXPECTED)
        return recordings.scan_of(source, facts, units, (audio, text, lonely), notes)

    def read(self, source: Source, unit: WorkUnit) -> Iterator[RawSegment | Rejection | Ignored]:
        """Segments of one conversation, side A before side B, line by line."""
        given = unit.payload
        names = ("audio", "speakers", "known", "genders", "defects", "policies", "accept_checksum_mismatch")
        sides = recordings.Sides(
            recording=f"sw0{given['call']}",
            style="switchboard",
            end_tolerance_s=END_TOLERANCE_S,
            **{name: given[name] for name in names},
        )
        return sides.finished(_read_conversation(source, sides, given["texts"]))


def _words_of(line: str) -> str:
    """The words of a line, without those of silence only."""
    words = "".join(line.split(None, 3)[3:]).strip()
    return "" if _SILENCE.match(words) else words


def _sides(tables: CallerTables, call: str, texts: dict[str, str]) -> dict[str, Any]:
    """What is known of a conversation's sides, for its payload."""
    speakers = [tables.speaker(call, side) for side in (0, 1)]
    return {
        "call": call,
        "texts": [texts.get(f"{call}-{side}") for side in "AB"],
        "speakers": [speaker for speaker, _ in speakers],
        "known": [known for _, known in speakers],
        "genders": [tables.sexes.get(speaker) if known else None for speaker, known in speakers],
    }


def _unit(source: Source, audio: str, sides: dict[str, Any], known: dict[str, Any]) -> WorkUnit:
    members = (audio, *(name for name in sides["texts"] if name))
    payload = {"audio": audio, **sides, **known}
    return WorkUnit(sides["call"], payload, source.member(audio).size, members)


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


def _read_conversation(
    source: Source, sides: recordings.Sides, texts: list[str | None]
) -> Iterator[RawSegment | Rejection | Ignored]:
    for channel, path in enumerate(texts):
        if path is not None:
            for line in recordings.readable_lines(source, path):
                yield line if isinstance(line, Rejection) else _read_line(sides, channel, path, line)


def _read_line(
    sides: recordings.Sides, channel: int, path: str, line: TextLine
) -> RawSegment | Rejection | Ignored:
    """One line `<utterance id> <start> <end> <words>` of a side."""
    fields = (line.text or "").split(None, 3)
    if len(fields) < 3:
        return recordings.bad_line(path, line, "bad_line", "the line is not `id start end words`")
    name, call, side = fields[0], sides.recording[-4:], "AB"[channel]
    match = _UTTERANCE.match(name)
    if match is None:
        return recordings.bad_line(path, line, "bad_line", f"{name!r} is not an ms98 utterance id")
    if match.groups() != (call, side):
        reason = f"{name} stands in the file of conversation {call} side {side}"
        return recordings.bad_line(path, line, "id_mismatch", reason, name)
    words = fields[3].strip() if len(fields) > 3 else ""
    if _SILENCE.match(words):
        return Ignored(path, "silence only")
    try:
        start_s, end_s = span(fields[1], fields[2])
    except ValueError as error:
        return recordings.bad_line(path, line, "bad_times", str(error), name)
    return sides.segment(line, path, channel, (name, start_s, end_s), words)
