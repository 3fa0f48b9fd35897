"""Files that contradict themselves or count in units of their own: read by what they say, or refused with it."""

from __future__ import annotations

import pytest

from corpora.formats import format_of
from corpora.formats.cues import Cue, Hints, Transcript, TranscriptError

GRID = (
    'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n2\n<exists>\n{tiers}\n"IntervalTier"\n"words"\n0\n2\n'
    '{count}\n0\n1\n"one ""x"" two"\n1\n2\n"good day"\n'
)
LONG_GRID = (
    'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\nxmax = 2\ntiers? <exists>\nsize = {tiers}\nitem []:\n'
    '    item [1]:\n        class = "IntervalTier"\n        name = "words"\n        xmin = 0\n        xmax = 2\n'
    "        intervals: size = {count}\n        intervals [1]:\n            xmin = 0\n            xmax = 1\n"
    '            text = "hello there"\n        intervals [2]:\n            xmin = 1\n            xmax = 2\n'
    '            text = "good day"\n'
)
ELAN = (
    '<ANNOTATION_DOCUMENT><HEADER TIME_UNITS="{unit}"/><TIME_ORDER><TIME_SLOT TIME_SLOT_ID="a" TIME_VALUE="50"/>'
    '<TIME_SLOT TIME_SLOT_ID="b" TIME_VALUE="100"/></TIME_ORDER><TIER TIER_ID="x" LINGUISTIC_TYPE_REF="d"><ANNOTATION>'
    '<ALIGNABLE_ANNOTATION ANNOTATION_ID="1" TIME_SLOT_REF1="a" TIME_SLOT_REF2="b"><ANNOTATION_VALUE>hello'
    "</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER></ANNOTATION_DOCUMENT>"
)
ASS = (
    "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    "Dialogue: 0,0:00:01.00,0:00:02.00,D,,0,0,0,,"
)


def read(name: str, text: str) -> Transcript:
    form = format_of(name, text.encode()[:4000])
    assert form is not None
    return form.read(text.encode(), Hints(name=name))


def only_cue(name: str, text: str) -> Cue:
    (cue,) = read(name, text).cues
    return cue


@pytest.mark.parametrize("grid", [GRID, LONG_GRID])
def test_a_textgrid_holds_as_much_as_it_declares(grid: str) -> None:
    assert len(read("a.TextGrid", grid.format(tiers=1, count=2)).cues) == 2
    for declared, said in ((5, "'words' declares 5 intervals or points and holds 2"), (1, "declares 1 ")):
        with pytest.raises(TranscriptError, match=said):
            read("a.TextGrid", grid.format(tiers=1, count=declared))
    with pytest.raises(TranscriptError, match="2 tiers are declared and 1 are there: cut short"):
        read("a.TextGrid", grid.format(tiers=2, count=2))


@pytest.mark.parametrize(
    ("unit", "start_s", "end_s"),
    [
        ("milliseconds", 0.05, 0.1),
        ("", 0.05, 0.1),
        ("PAL-frames", 2.0, 4.0),
        ("NTSC-frames", 1.668333, 3.336667),
    ],
)
def test_times_of_elan_are_in_the_unit_of_its_header(unit: str, start_s: float, end_s: float) -> None:
    cue = only_cue("a.eaf", ELAN.format(unit=unit))
    assert (cue.start_s, cue.end_s) == (start_s, end_s)


def test_an_unknown_unit_of_elan_is_refused() -> None:
    with pytest.raises(TranscriptError, match="times in 'samples': ELAN knows milliseconds, pal-frames"):
        read("a.eaf", ELAN.format(unit="samples"))


def test_a_column_or_key_that_stands_twice_is_no_choice_of_ours() -> None:
    with pytest.raises(TranscriptError, match="the column 'text' stands there twice"):
        read("a.csv", "file,text,Text\na.wav,one,two\n")
    assert only_cue("a.csv", "file,text,note,note\na.wav,one,x,y\n").text == "one"
    first, second = read(
        "a.jsonl", '{"audio": "a.wav", "text": "one"}\n{"audio": "b.wav", "text": "one", "text": "two"}\n'
    ).cues
    assert first.text == "one" and "the key 'text' stands twice in an object" in second.problem


@pytest.mark.parametrize("columns", ["start_sample,end_sample", "Sample Start,Sample End"])
def test_times_in_a_unit_nobody_knows_make_no_text_of_the_whole_recording(columns: str) -> None:
    cue = only_cue("a.csv", f"file,text,{columns}\na.wav,hello,16000,32000\n")
    assert "columns that must be times and are not understood" in cue.problem and cue.recording == "a.wav"
    assert not only_cue("a.csv", "file,text,gender,sender\na.wav,hello,f,x\n").problem
    assert not only_cue("a.csv", "file,text,recommended,start_sample\na.wav,hello,f,x\n").problem


def test_the_line_that_excel_understands_names_the_separator() -> None:
    assert only_cue("a.csv", "sep=;\nfile;text\na.wav;hello, you\n").text == "hello, you"
    assert only_cue("a.csv", "\ufeffSEP=|\nfile|text\na.wav|a;b\n").text == "a;b"


def test_regions_that_are_excluded_from_scoring_are_no_speech() -> None:
    found = read("a.stm", "talk 1 spk 0.0 1.5 hello\ntalk 1 excluded_region 1.5 2 there\n")
    assert [cue.text for cue in found.cues] == ["hello"]
    assert found.ignored == (("excluded region", 1),)


def test_only_what_is_drawn_is_left_out_of_a_line() -> None:
    assert only_cue("a.ass", ASS + "{\\p1}m 0 0 l 10 10{\\p0}hello\\Nyou\n").text.split() == ["hello", "you"]
    assert only_cue("a.ass", ASS + "hello {\\an7\\p2}m 0 0{\\r}l 1 1\n").text.split() == ["hello"]
    found = read("a.ass", ASS + "{\\p1}m 0 0 l 10 10\n")
    assert (found.cues, found.ignored) == ((), (("drawing", 1),))
