"""TED-LIUM releases 1, 2 and 3 (SLR7, SLR19, SLR51): one SPHERE file and one STM file per talk.

A talk is a speaker here, as in every other tool; `scan` notes people who talk in several splits. Where the
source has no official split (release 3's data/ alone) a person is the speaker, so that the new split is
disjoint by people. Segments are cut as written; `--pad` widens those of train as Kaldi does. Which files count
is told in _tedlium_releases.py, what a line means in _stm.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
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
from corpora.importers import _stm
from corpora.importers._tedlium_releases import EXPECTED, Talks, find_talks, release_of
from corpora.options import ACCEPT_CHECKSUM, SWITCH, Option
from corpora.sources.lines import TextLine
from corpora.sources.source import Source
from corpora.text.normaliser import Policies

LICENCE = "CC-BY-NC-ND-3.0"
PAD_BEFORE_S, PAD_AFTER_S = 0.15, 0.10  # TED's segments are cut tight
_END_TOLERANCE_S = 0.1
_AUDIO = re.compile(r"(?i)(?:^|/)[^/]+\.sph$")
_TEXT = re.compile(r"(?i)(?:^|/)[^/]+\.stm$")
_PERSON = re.compile(r"^(.+)_\d{4}[A-Za-z]*$")


class TedliumImporter:
    """See the module."""

    name = "tedlium"
    version = "3"
    summary = "TED-LIUM 1, 2, 3: SPHERE talks with STM segments"
    options = (
        Option("release", "which release the source is", ("auto", "1", "2", "3")),
        Option(
            "unk",
            "segments with <unk>: refuse them, drop the word, or keep it as `unk`",
            ("reject", "drop", "keep"),
        ),
        Option(
            "pad", "widen train segments by 0.15 s before and 0.10 s after, up to their neighbours", SWITCH
        ),
        ACCEPT_CHECKSUM,
    )

    def recognise(self, source: Source) -> bool:
        """STM files beside SPHERE files."""
        return bool(source.names_matching(_TEXT)) and bool(source.names_matching(_AUDIO))

    def scan(self, source: Source, options: ImportOptions) -> Scan:
        """Pair talks by split and name; one work unit per talk.

        Raises:
            SourceError: there is no STM file, two releases are mixed, or train would hold the test's talks.
        """
        release = release_of(source, options.options.get("release", "auto"))
        talks = find_talks(source, release)
        if not talks.texts:
            raise SourceError(
                f"{source.label} holds no .stm file of {f'TED-LIUM {release}'.strip()}: "
                "its text is in {train,dev,test}/stm"
            )
        leaks = _leaks(talks)
        lonely = recordings.Found(rejections=recordings.unpaired(talks.audio, talks.texts) + leaks)
        leaked = {rejection.utterance_id for rejection in leaks}
        choices = {
            "unk": options.options.get("unk", "reject"),
            "pad": options.options.get("pad") == "yes",
            "accept_checksum_mismatch": options.options.get("accept_checksum_mismatch") == "yes",
        }
        units = [
            _unit(source, key, talks, choices)
            for key in sorted(talks.texts.keys() & talks.audio.keys() - leaked)
        ]
        official = any(unit.payload["split"] for unit in units)
        facts = CorpusFacts(
            name=self.name,
            licence=LICENCE,
            split_rule="official" if official else "speaker",
            expected=EXPECTED.get(release, {}),
        )
        notes = [f"release {release}" if release else "the tree does not tell the release (--release)"]
        return recordings.scan_of(source, facts, units, (*talks.found, lonely), notes + _shared_people(units))

    def read(self, source: Source, unit: WorkUnit) -> Iterator[RawSegment | Rejection | Ignored]:
        """Segments of one talk, line by line."""
        lines = list(_read_talk(source, unit))
        if unit.payload["pad"] and unit.payload["split"] == "train":
            lines = _padded(lines)
        items = (_segment(unit, *item) if isinstance(item, tuple) else item for item in lines)
        return recordings.without_twins(recordings.with_speech(unit.payload["text"], items))


def person_of(talk: str) -> str:
    """Who speaks: `AnnaLee_2009G` -> `AnnaLee`."""
    match = _PERSON.match(talk)
    return match.group(1) if match else talk


def _unit(source: Source, key: str, talks: Talks, choices: dict[str, Any]) -> WorkUnit:
    split, _, talk = key.partition("/")
    audio, text = talks.audio[key], talks.texts[key]
    payload = {"talk": talk, "split": split, "audio": audio, "text": text, **choices}
    return WorkUnit(key, payload, source.member(audio).size, (audio, text), split)


def _leaks(talks: Talks) -> list[Rejection]:
    """Training (or dev) talks that are also a test (or dev) talk."""
    kept: dict[str, str] = {}
    leaks = []
    for split in ("test", "dev", "train"):
        for key in sorted(key for key in talks.texts if key.startswith(f"{split}/")):
            talk = key.partition("/")[2]
            if talk in kept:
                reason = f"talk {talk} is also in {kept[talk]}"
                leaks.append(Rejection(talks.texts[key], "split_leak", reason, key))
            else:
                kept[talk] = split
    return leaks


def _shared_people(units: list[WorkUnit]) -> list[str]:
    """People who give talks in more than one split."""
    splits: dict[str, set[str]] = {}
    for unit in units:
        splits.setdefault(person_of(unit.payload["talk"]), set()).add(unit.payload["split"])
    return [
        f"{person} speaks in {' and '.join(sorted(where))}: the official splits share this person"
        for person, where in sorted(splits.items())
        if len(where) > 1
    ]


Line = tuple[_stm.StmLine, TextLine, AudioRef]


def _read_talk(source: Source, unit: WorkUnit) -> Iterator[Line | Rejection | Ignored]:
    path, talk = unit.payload["text"], unit.payload["talk"]
    for line in recordings.readable_lines(source, path):
        said = line if isinstance(line, Rejection) else _stm.parse(path, line)
        if not isinstance(said, _stm.StmLine) or not isinstance(line, TextLine):
            yield said  # type: ignore[misc]  # an StmLine comes of a TextLine only
        elif said.recording != talk:
            reason = f"the line is of {said.recording}, the file of {talk}"
            yield recordings.bad_line(path, line, "id_mismatch", reason)
        elif said.channel not in ("1", "A"):
            reason = f"channel {said.channel!r} of a talk with one channel"
            yield recordings.bad_line(path, line, "bad_channel", reason)
        else:
            accept = unit.payload["accept_checksum_mismatch"]
            ref = AudioRef(unit.payload["audio"], 0, said.start_s, said.end_s, _END_TOLERANCE_S, accept)
            yield said, line, ref


def _padded(lines: list[Line | Rejection | Ignored]) -> list[Line | Rejection | Ignored]:
    """Spans widened up to the neighbouring segments; the recording's end bounds them when they are cut."""
    spans = sorted((item[0].start_s, item[0].end_s) for item in lines if isinstance(item, tuple))
    wide: list[Line | Rejection | Ignored] = []
    for item in lines:
        if not isinstance(item, tuple):
            wide.append(item)
            continue
        said, line, ref = item
        before = max((end for _, end in spans if end <= said.start_s), default=0.0)
        after = min((start for start, _ in spans if start >= said.end_s), default=float("inf"))
        end_s = min(said.end_s + PAD_AFTER_S, after)
        start_s = max(said.start_s - PAD_BEFORE_S, before, 0.0)
        tolerance_s = _END_TOLERANCE_S + end_s - said.end_s
        wide.append(
            (said, line, AudioRef(ref.member, 0, start_s, end_s, tolerance_s, ref.accept_checksum_mismatch))
        )
    return wide


def _segment(unit: WorkUnit, said: _stm.StmLine, line: TextLine, ref: AudioRef) -> RawSegment:
    talk, split = unit.payload["talk"], unit.payload["split"]
    return RawSegment(
        utterance_id=recordings.span_id(talk, said.start_s, said.end_s),
        recording_id=talk,
        speaker_id=talk if split else person_of(talk),
        text_raw=said.words,
        style="tedlium",
        audio=ref,
        source_path=unit.payload["text"],
        line=line.number,
        split=split or None,
        subset=split,
        gender=_stm.gender(said.label),
        language="en",
        licence=LICENCE,
        policies=Policies(unknown_words=unit.payload["unk"]),
        flags=recordings.flags_of(line),
    )
