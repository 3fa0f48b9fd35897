"""Every form of a transcript, read back by the libraries people read it with."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import srt
import webvtt
from praatio import textgrid

from training.runtime.recognizer import Heard, Word
from training.transcription.formats import FORMATS, Transcript
from training.transcription.segments import LETTERS, LONGEST_S, Segment, segments_of


def word(text: str, start_s: float, end_s: float, confidence: float = 0.9) -> Word:
    return Word(text, start_s, end_s, confidence)


TWO = (
    Segment((word("the", 0.5, 0.7), word("mill", 0.75, 1.25, 0.4))),
    Segment((word("it's", 3661.0, 3661.2), word("<b>", 3661.3, 3661.9))),
)
TRANSCRIPT = Transcript("a folder/my sound.wav", 3700.5, "abc", TWO)


def written(form: str, transcript: Transcript = TRANSCRIPT) -> str:
    return FORMATS[form][1](transcript)


def test_text_and_ctm() -> None:
    assert written("text") == "the mill\nit's <b>\n"
    first, *_, last = written("ctm").splitlines()
    assert first == "a_folder/my_sound.wav 1 0.500 0.200 the 0.9000"
    assert last.split()[2:4] == ["3661.300", "0.600"]


def test_json_is_the_contract() -> None:
    answer = json.loads(written("json"))
    assert {"file", "duration_s", "model", "segments"} == answer.keys()
    assert answer["segments"][0] == {
        "start_s": 0.5,
        "end_s": 1.25,
        "text": "the mill",
        "words": [
            {"word": "the", "start_s": 0.5, "end_s": 0.7, "confidence": 0.9},
            {"word": "mill", "start_s": 0.75, "end_s": 1.25, "confidence": 0.4},
        ],
    }


def test_subtitles_are_read_by_others() -> None:
    cues = list(srt.parse(written("srt")))
    assert [cue.content for cue in cues] == ["the mill", "it's <b>"]
    assert cues[1].start.total_seconds() == 3661.0
    captions = list(webvtt.from_buffer(io.StringIO(written("vtt"))))
    assert captions[0].text.replace("\n", " ") == "the mill"
    assert (captions[1].start, captions[1].end) == ("01:01:01.000", "01:01:01.900")
    assert "&lt;b&gt;" in written("vtt")


def test_a_textgrid_is_read_by_others(tmp_path: Path) -> None:
    path = tmp_path / "a.TextGrid"
    path.write_text(written("textgrid"), "utf-8")
    grid = textgrid.openTextgrid(str(path), includeEmptyIntervals=False)
    words = grid.getTier("words").entries
    assert [entry.label for entry in words] == ["the", "mill", "it's", "<b>"]
    assert grid.maxTimestamp == pytest.approx(3700.5)
    apart = Transcript(
        "x", 5.0, "m", (Segment((word("hm", 0.0, 6.0),), 0), Segment((word("so", 1.0, 2.0),), 1))
    )
    path.write_text(written("textgrid", apart), "utf-8")
    assert len(textgrid.openTextgrid(str(path), includeEmptyIntervals=True).tierNames) == 4


def test_nothing_heard_is_a_valid_file_in_every_form() -> None:
    empty = Transcript("x.wav", 2.0, "m", (), "x.wav: no speech was found in it")
    texts = {form: written(form, empty) for form in FORMATS}
    assert texts["text"] == texts["srt"] == texts["ctm"] == ""
    assert texts["vtt"].startswith("WEBVTT") and json.loads(texts["json"])["problem"]
    assert "intervals: size = 1" in texts["textgrid"]


def test_segments_part_at_pauses_and_stay_short() -> None:
    words = [word("one", index * 0.5, index * 0.5 + 0.3) for index in range(40)]
    words += [word("late", 30.0, 30.4)]
    segments = segments_of(Heard(0.0, 31.0, tuple(words)))
    assert [one for segment in segments for one in segment.words] == words
    assert segments[-1].text == "late"
    assert all(len(one.text) <= LETTERS and one.end_s - one.start_s <= LONGEST_S for one in segments)
    assert segments_of(Heard(0.0, 1.0, ())) == []
