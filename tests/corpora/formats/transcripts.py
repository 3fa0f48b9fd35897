"""Reading one invented transcript, for the tests of formats."""

from __future__ import annotations

from corpora.formats import format_of
from corpora.formats.cues import Hints, Transcript

Row = tuple[float | None, float | None, str, str | None]


def read(name: str, data: bytes, encoding: str = "auto", tiers: tuple[str, ...] = ()) -> Transcript:
    entry = format_of(name, data[:4096])
    assert entry is not None
    return entry.read(data, Hints(encoding, name, tiers))


def rows(transcript: Transcript) -> list[Row]:
    return [(c.start_s, c.end_s, c.text, c.voice) for c in transcript.cues if not c.problem]


def problems(transcript: Transcript) -> list[tuple[int | None, str]]:
    return [(c.line, c.check) for c in transcript.cues if c.problem]


TRS = """<?xml version="1.0" encoding="ISO-8859-1"?>
<!DOCTYPE Trans SYSTEM "trans-14.dtd">
<Trans audio_filename="news_01" version="1">
<Speakers><Speaker id="spk1" name="Zoé" type="female"/><Speaker id="spk2" name="Bob" type="male"/></Speakers>
<Episode><Section type="report" startTime="0" endTime="12">
<Turn startTime="0" endTime="5" speaker="spk1">
<Sync time="0"/>
déjà vu <Event desc="b" type="noise" extent="instantaneous"/> again
<Sync time="3.5"/>
oui
</Turn>
<Turn startTime="5" endTime="8" speaker="spk1 spk2">
<Sync time="5"/>
<Who nb="1"/>
yes
<Who nb="2"/>
no
</Turn>
<Turn startTime="8" endTime="9" speaker="spk2"><Sync time="8"/>
<Event desc="pi" type="pronounce" extent="instantaneous"/></Turn>
<Turn startTime="9" endTime="12"><Sync time="9"/>

</Turn>
</Section></Episode></Trans>"""
