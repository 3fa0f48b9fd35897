"""The NIST test sets of telephone speech: Hub5'00 (LDC2002S09, LDC2002T43) and RT-03 CTS (LDC2007S10).

    [hub5e_00/]english/{sw,en}_NNNN.sph   …/reference/hub5e00.english.000405.stm
    data/audio/eval03/english/cts/*.sph   data/references/eval03/english/cts/*.stm

Everything is test. Files are found by name wherever they lie; channel A or 1 is 0. Parts are tagged as
subsets: swbd and callhome (Hub5'00), swbd and fisher (RT-03). Uncertain and partial words stay, optional
words `(UH)` and `(%HESITATION)` stay in the text and are left out of `text_scoring`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from corpora.errors import SourceError
from corpora.importer import CorpusFacts, Ignored, ImportOptions, RawSegment, Rejection, Scan, WorkUnit
from corpora.importers import _calls as recordings
from corpora.importers import _stm
from corpora.options import ACCEPT_CHECKSUM
from corpora.sources.lines import TextLine
from corpora.sources.source import Source

_CHANNELS = {"A": 0, "1": 0, "B": 1, "2": 1}
_POLICIES = {"partial_words": "keep", "uncertain": "keep"}


class _NistTestSet:
    """What the two sets share: recordings found by prefix, all segments in STM files."""

    name: str
    version = "2"
    summary: str
    options = (ACCEPT_CHECKSUM,)
    parts: Mapping[str, str]  # prefix of a recording's name -> subset
    expected: Mapping[str, Mapping[str, float]]
    stm: re.Pattern[str]

    def recognise(self, source: Source) -> bool:
        """The set's reference file beside recordings of its names."""
        return bool(source.names_matching(self.stm)) and bool(source.names_matching(self._audio()))

    def _audio(self) -> re.Pattern[str]:
        return re.compile(rf"(?i)(?:^|/)((?:{'|'.join(self.parts)})_?\d{{4,6}})\.(?:sph|wav)$")

    def scan(self, source: Source, options: ImportOptions) -> Scan:
        """One work unit per recording; lines of recordings that are not here are refused.

        Raises:
            SourceError: no reference file is there.
        """
        references = source.names_matching(self.stm)
        if not references:
            raise SourceError(f"{source.label} holds no .stm reference of {self.name}: name its folder too")
        audio = recordings.find(source, self._audio())
        files = {key.lower(): name for key, name in audio.files.items()}
        lines, other = _lines_by_recording(source, references)
        lonely = recordings.Found(rejections=recordings.unpaired(files, dict.fromkeys(lines, references[0])))
        lonely.rejections += [item for item in other if isinstance(item, Rejection)]
        lonely.ignored += [item for item in other if isinstance(item, Ignored)]
        accept = options.options.get("accept_checksum_mismatch") == "yes"
        units = []
        for key in sorted(files.keys() & lines.keys()):
            payload = {"recording": key, "audio": files[key], "lines": lines[key], "accept": accept}
            size = source.member(files[key]).size
            units.append(WorkUnit(key, payload, size, (files[key], *references), "test"))
        facts = CorpusFacts(self.name, recordings.LDC_LICENCE, expected=self.expected)
        sides = sum(len({line[2] for line in lines[unit.key]}) for unit in units)
        notes = [f"{len(units)} recordings, {sides} sides with text"]
        return recordings.scan_of(source, facts, units, (audio, lonely), notes)

    def read(self, source: Source, unit: WorkUnit) -> Iterator[RawSegment | Rejection | Ignored]:
        """Segments of one recording in the order of the reference."""
        return recordings.without_twins(self._segments(unit))

    def _segments(self, unit: WorkUnit) -> Iterator[RawSegment | Rejection | Ignored]:
        name = unit.payload["recording"]
        subset = next(part for prefix, part in self.parts.items() if name.startswith(prefix))
        for path, number, _, text, finished in unit.payload["lines"]:
            line = TextLine(number, text, finished=finished)
            said = _stm.parse(path, line)
            if not isinstance(said, _stm.StmLine):
                yield said
            elif said.channel not in _CHANNELS:
                reason = f"channel {said.channel!r} is none of {', '.join(_CHANNELS)}"
                yield recordings.bad_line(path, line, "bad_channel", reason)
            elif not said.words:
                yield Ignored(path, "no words")
            else:
                yield self._segment(unit, subset, said, (path, line))

    def _segment(
        self, unit: WorkUnit, subset: str, said: _stm.StmLine, place: tuple[str, TextLine]
    ) -> RawSegment:
        channel, recording = _CHANNELS[said.channel], unit.payload["recording"]
        gender = _stm.gender(said.label)
        sides = recordings.Sides(
            recording=recording,
            audio=unit.payload["audio"],
            speakers=[f"{recording}-{side}" for side in "AB"],
            known=(True, True),
            genders=(gender, gender),
            policies=_POLICIES,
            accept_checksum_mismatch=unit.payload["accept"],
            style="switchboard",
            subset=subset,
        )
        name = recordings.span_id(f"{recording}-{'AB'[channel]}", said.start_s, said.end_s)
        segment = sides.segment(place[1], place[0], channel, (name, said.start_s, said.end_s), said.words)
        return replace(segment, split="test")


class Hub5Importer(_NistTestSet):
    """Hub5'00: 20 Switchboard and 20 CallHome calls."""

    name = "hub5_2000"
    summary = "Hub5'00 test set: 40 telephone calls, Switchboard and CallHome"
    parts: Mapping[str, str] = {"sw": "swbd", "en": "callhome"}
    expected: Mapping[str, Mapping[str, float]] = {
        "all": {"recordings": 40},
        "swbd": {"recordings": 20},
        "callhome": {"recordings": 20},
    }
    stm = re.compile(r"(?i)(?:^|/)hub5e_?00[^/]*\.stm$")


class Rt03Importer(_NistTestSet):
    """RT-03, conversational telephone speech: Switchboard Cellular and Fisher calls."""

    name = "rt03"
    summary = "RT-03 CTS test set: telephone calls, Switchboard and Fisher"
    parts: Mapping[str, str] = {"sw": "swbd", "fsh": "fisher"}
    expected: Mapping[str, Mapping[str, float]] = {}
    stm = re.compile(r"(?i)(?:^|/)(?:eval03/english/cts/[^/]+|[^/]*(?:rt-?03|eval03)[^/]*)\.stm$")


def _lines_by_recording(
    source: Source, references: list[str]
) -> tuple[dict[str, list[tuple[str, int, str, str, bool]]], list[Rejection | Ignored]]:
    """(file, line number, channel, text, whether it has an end) of every line by its recording, and lines without one."""
    found: dict[str, list[tuple[str, int, str, str, bool]]] = {}
    other: list[Rejection | Ignored] = []
    for path in references:
        for line in recordings.readable_lines(source, path):
            if isinstance(line, Rejection):
                other.append(line)
                continue
            text = line.text or ""
            fields = text.split(None, 2)
            said = _stm.parse(path, line) if text.lstrip().startswith(";;") or len(fields) < 3 else None
            if said is None:
                found.setdefault(fields[0].lower(), []).append(
                    (path, line.number, fields[1], text, line.finished)
                )
            elif not isinstance(said, _stm.StmLine):
                other.append(said)
    return found, other
