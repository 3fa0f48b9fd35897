"""Texts of every form, damaged at random: a transcript or a sentence, never an error that nobody foresaw."""

from __future__ import annotations

import random

import pytest

from corpora.formats import format_of
from corpora.formats.cues import Hints, TranscriptError
from demo.layouts.odd_texts import FORMS
from demo.layouts.spoken_truth import recording

_BITS = (
    b"nan",
    b"\0",
    b"\xff\xfe",
    b"-->",
    b"<",
    b'"',
    b"\n\n",
    b"\r",
    b"9" * 400,
    b"{",
    b"[[",
    b"((",
    b"1e999",
    b"\t",
)


def damaged(data: bytes, chance: random.Random) -> bytes:
    """One to three bits put in, or a stretch taken out or doubled."""
    for _ in range(chance.randint(1, 3)):
        at, how = chance.randrange(len(data) + 1), chance.random()
        if how < 0.5:
            data = data[:at] + chance.choice(_BITS) + data[at:]
        elif how < 0.75:
            data = data[:at] + data[at + chance.randint(1, 30) :]
        else:
            data = data[:at] + data[max(0, at - 60) : at] + data[at:]
    return data


@pytest.mark.parametrize("form", list(dict.fromkeys(FORMS)), ids=lambda form: form.__name__)
def test_no_damage_is_a_fault_of_ours(form: object) -> None:
    chance = random.Random(f"damage {form.__name__}")  # type: ignore[attr-defined]
    truth = recording("talk", 3, random.Random("a talk"))
    for _ in range(120):
        _, files = form(truth, chance)  # type: ignore[operator]
        for name, text in files.items():
            data = damaged(text.encode(), chance)
            entry = format_of(name, data[:4096])
            if entry is None:
                continue
            try:
                cues = entry.read(data, Hints(name=name)).cues
            except TranscriptError as error:
                assert error.check != "fault", (str(error), data)
                continue
            for cue in cues:
                f"{cue.text}{cue.voice}{cue.recording}{cue.problem}".encode()
