"""Texts of every form, damaged at random: a transcript or a sentence, never an error that nobody foresaw."""

from __future__ import annotations

import random

import pytest

from corpora.formats import encodings, format_of
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


_LONG = {
    "a.srt": "1\n00:00:01,000 --> 00:00:02,000\n{0}\n",
    "a.vtt": "WEBVTT\n\n00:01.000 --> 00:02.000\n{0}\n",
    "a.ass": "[Events]\nDialogue: 0,0:00:00.50,0:00:02.50,Default,Ann,0,0,0,,{0}\n",
    "a.ttml": '<tt xmlns="http://www.w3.org/ns/ttml"><body><div><p begin="1s" end="2s">{0}</p></div></body></tt>',
    "a.eaf": '<ANNOTATION_DOCUMENT><TIER TIER_ID="ref"><ALIGNABLE_ANNOTATION ANNOTATION_ID="a"><ANNOTATION_VALUE>{0}'
    '</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></TIER><TIER TIER_ID="tx" PARENT_REF="ref"><REF_ANNOTATION '
    'ANNOTATION_REF="a"><ANNOTATION_VALUE>yes</ANNOTATION_VALUE></REF_ANNOTATION></TIER></ANNOTATION_DOCUMENT>',
    "a.stm": "a 1 ann 1 2 {0}\n",
    "a.csv": "path,text\na.wav,{0}\n",
    "a.jsonl": '{{"audio": "a.wav", "text": "{0}"}}\n',
}
_LONG_TEXTS = (
    "{{\\p1" * 20_000,
    "1." * 60_000,
    "1" * 120_000 + "!",
    " " * 200_000 + "x",
    "Ab " * 40_000,
    "♪ " * 40_000,
)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", sorted(_LONG))
def test_no_text_of_any_form_takes_quadratic_time(name: str) -> None:
    for text in (*_LONG_TEXTS, "\n" * 60_000, "((" * 40_000, "&gt;" * 40_000, "- A:" * 30_000):
        data = _LONG[name].replace("{0}", text).encode()
        entry = format_of(name, data[:4096])
        assert entry is not None
        try:
            cues = entry.read(data, Hints(name=name)).cues
        except TranscriptError as error:
            assert error.check != "fault", str(error)
        else:
            assert all(cue.problem or cue.text is not None for cue in cues)


def test_a_speaker_holds_no_control_sign() -> None:
    entry = format_of("a.csv", b"")
    assert entry is not None
    (cue,) = entry.read(b"path,text,speaker\na.wav,yes,\x1b[31mAnn\n", Hints(name="a.csv")).cues
    assert cue.voice == "[31mAnn"


def test_a_text_of_more_lines_than_can_be_held_is_refused_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encodings, "MOST_LINES", 10)
    assert len(encodings.decode_text(b"a line\r\n" * 10).lines) == 10
    for end in (b"\n", b"\r"):
        with pytest.raises(TranscriptError, match="11 lines, at most 10: split it") as caught:
            encodings.decode_text((b"a line" + end) * 11)
        assert caught.value.check == "transcript_too_big"
