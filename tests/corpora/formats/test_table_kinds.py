"""Kinds of tables and JSON that people really write: names of columns, units of times, quotation marks, Whisper."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.formats.columns import columns_of
from corpora.formats.cues import Cue, TranscriptError
from corpora.formats.times import believable, plain_seconds, seconds, span
from tests.corpora.formats.transcripts import problems, read


def spans(name: str, text: str) -> list[tuple[float | None, float | None, str]]:
    return [(c.start_s, c.end_s, c.text) for c in read(name, text.encode()).cues if not c.problem]


# --- times --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("1.5", 1.5),
        ("1,5", 1.5),
        ("0:01.5", 1.5),
        ("1:02:03,25", 3723.25),
        ("2.5020000000000002", 2.502),
        ("-0", 0.0),
    ],
)
def test_a_time_is_read_in_every_form(said: str, wanted: float) -> None:
    assert seconds(said) == pytest.approx(wanted)


@pytest.mark.parametrize(
    "said", ["nan", "inf", "1e308", "-1", "1e7", "", "one", "1:75", "1:61:00", "9" * 400, "²", "0x1"]
)
def test_what_is_no_time_of_a_recording_is_none(said: str) -> None:
    for read_time in (seconds, plain_seconds, lambda text: span("0", text)[1]):
        with pytest.raises(ValueError, match=r"tim|end|start"):
            read_time(said)


_NUMBERS = st.one_of(st.floats(), st.integers(-(10**400), 10**400), st.text(max_size=12))
_FORMATS = {
    "a.jsonl": '{{"audio": "a.wav", "offset": {0}, "duration": {0}, "text": "yes"}}\n',
    "a.csv": "audio,start,end,text\na.wav,{0},{0},yes\n",
    "a.stm": "a 1 ann {0} {0} yes\n",
    "a.ctm": "a 1 {0} {0} yes\n",
    "a.labels": "{0}\t{0}\tyes\n",
    "a.trs": '<Trans><Turn startTime="{0}" endTime="{0}"><Sync time="{0}"/>yes</Turn></Trans>',
}


@settings(max_examples=300, deadline=None)
@given(number=_NUMBERS, name=st.sampled_from(sorted(_FORMATS)))
def test_no_time_whatever_ends_a_reader_and_none_beyond_belief_leaves_it(number: object, name: str) -> None:
    try:
        data = _FORMATS[name].format(number).encode()
        cues = read(name, data).cues
    except (TranscriptError, ValueError):  # a number of 5,000 digits is none for Python either
        return
    times = [t for cue in cues if not cue.problem for t in (cue.start_s, cue.end_s) if t is not None]
    assert all(math.isfinite(t) and believable(t) for t in times)


# --- columns ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("audio,text,start_ms,end_ms", "a.wav,yes,1500,2500"),
        ("File Name,Transcript,Start Time,End Time", "a.wav,yes,1.5,2.5"),
        ("file_name,transcription,startTime,duration", "a.wav,yes,1.5,1"),
        ("Audio_Filename;TEXT;tmin;tmax", "a.wav;yes;1,5;2,5"),
        ("filename|sentence|time_in|time_out", "a.wav|yes|0:01.5|0:00:02.5"),
        ("wav\tutterance\tonset\toffset", "a.wav\tyes\t1.5\t2.5"),
    ],
)
def test_columns_are_known_by_what_people_call_them(header: str, row: str) -> None:
    assert spans("a.csv", f"{header}\n{row}\n") == [(1.5, 2.5, "yes")]


def test_columns_that_mean_nothing_are_named() -> None:
    transcript = read("a.csv", b"audio,text,von,bis\na.wav,yes,1,2\n")
    assert (transcript.cues[0].start_s, transcript.unknown) == (None, ("bis", "von"))
    assert columns_of(["id", "words spoken"]).unknown == ("id", "words spoken")


def test_language_split_and_channel_of_a_row_are_understood_or_told() -> None:
    head = "audio,text,language,split,channel\n"
    transcript = read(
        "a.csv", f"{head}a.wav,ja,German,Validation,1\nb.wav,hi,Klingonese,,\nc.wav,hi,,x,-1\n".encode()
    )
    first = transcript.cues[0]
    assert (first.language, first.split, first.channel) == ("de", "dev", 1)
    assert ["language" in transcript.cues[1].problem, "channel" in transcript.cues[2].problem] == [True, True]


def test_a_value_that_is_no_text_never_becomes_words() -> None:
    rows = [{"audio": "a.wav", "text": text} for text in ({"en": "yes"}, True, "\ud800")]
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    assert problems(read("a.jsonl", data)) == [(1, "bad_line"), (2, "bad_line"), (3, "encoding")]


@pytest.mark.parametrize(
    "data", [b"[" * 100_000, b'{"a":' * 100_000, b"\xef\xbb\xbf", b"\xff\xfe", b"\r", b"{}"]
)
def test_json_and_tables_of_nothing_end_no_import(data: bytes) -> None:
    for name in ("a.json", "a.jsonl", "a.csv", "a.tsv"):
        try:
            cues: tuple[Cue, ...] = read(name, data).cues
        except TranscriptError as error:
            assert error.check == "bad_json"
        else:
            assert not [cue for cue in cues if not cue.problem]


# --- quotation marks and lines ------------------------------------------------------------------------------


def test_a_field_over_several_lines_is_read_on_by_the_rules_of_csv() -> None:
    for sign in (",", "\t"):
        text = f'path{sign}text\na.wav{sign}"so it\ngoes ""on"""\nb.wav{sign}yes\n'
        assert [said for _, _, said in spans("a.csv", text)] == ['so it\ngoes "on"', "yes"]


def test_an_open_quotation_mark_never_passes_half_a_text() -> None:
    for sign in (",", "\t"):
        transcript = read(
            "a.csv", f'path{sign}text\na.wav{sign}"half\nb.wav{sign}yes\nc.wav{sign}no\n'.encode()
        )
        assert [(c.recording, c.text) for c in transcript.cues if not c.problem] == [
            ("b.wav", "yes"),
            ("c.wav", "no"),
        ]
        assert problems(transcript) == [(2, "bad_line")]


@pytest.mark.parametrize("bad", ["a.wav,x\ry", "a.wav," + "w" * 140_000])
def test_a_row_that_csv_refuses_costs_itself_only(bad: str) -> None:
    transcript = read("a.csv", f"path,text\n{bad}\nb.wav,yes\n".encode())
    assert [c.text for c in transcript.cues if not c.problem and len(c.text) < 100] == ["yes"]
    assert [line for line, _ in problems(transcript)] == [2]


_CELLS = st.text(st.sampled_from('ab "\t,;\n'), max_size=6)


@settings(max_examples=300, deadline=None)
@given(cells=st.lists(_CELLS, max_size=10), sign=st.sampled_from([",", "\t"]))
def test_every_line_of_a_table_is_in_a_row(cells: list[str], sign: str) -> None:
    """A naive reader counts lines that hold something; each is a row, or inside the field of one."""
    body = [f"r{n}.wav{sign}{cell}" for n, cell in enumerate(cells)]
    transcript = read("a.csv", "\n".join([f"path{sign}text", *body]).encode())
    said = "\n".join(f"{cue.recording} {cue.text}" for cue in transcript.cues)
    assert all(f"r{n}.wav" in said for n in range(len(cells)))


# --- Whisper ------------------------------------------------------------------------------------------------


def test_json_of_whisper_and_its_relatives_is_timed_text() -> None:
    plain = {
        "text": "all",
        "segments": [{"id": 0, "start": 0.5, "end": 2.5, "text": " yes"}],
        "language": "en",
    }
    cpp = {
        "transcription": [{"offsets": {"from": 500, "to": 2500}, "text": " yes"}],
        "result": {"language": "en"},
    }
    for value in (plain, cpp):
        for indent in (None, 1):
            (cue,) = read("a.json", json.dumps(value, indent=indent).encode()).cues
            assert (cue.start_s, cue.end_s, cue.text, cue.language, cue.recording) == (
                0.5,
                2.5,
                "yes",
                "en",
                "",
            )


def test_a_table_of_times_and_texts_is_of_the_recording_it_is_called_after() -> None:
    assert spans("a.tsv", "start\tend\ttext\n500\t2500\tyes\n") == [(0.5, 2.5, "yes")]
    assert spans("a.tsv", "start\tend\ttext\n1\t3\tyes\n4\t6\tno\n") == [(1, 3, "yes"), (4, 6, "no")]
    assert spans("a.csv", "start,end,text\n0.5,2.5,yes\n") == [(0.5, 2.5, "yes")]


def test_substation_alpha_with_speakers_comments_and_drawings() -> None:
    text = (
        "[Script Info]\nTitle: x\n[Events]\n"
        "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
        "Dialogue: 0,0:00:00.50,0:00:02.50,Default,Ann,0,0,0,,{\\an8}so, it\\Ngoes\n"
        "Comment: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,never\n"
        "Dialogue: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,{\\p1}m 0 0 l 9 9{\\p0}\n"
        "Dialogue: 0,later,0:00:05.00,Default,,0,0,0,,lost\n"
    )
    transcript = read("a.ass", text.encode())
    first, lost = transcript.cues
    assert (first.start_s, first.end_s, first.text, first.voice) == (0.5, 2.5, "so, it\ngoes", "Ann")
    assert (lost.line, "later" in lost.problem) == (8, True)
    assert dict(transcript.ignored) == {"comment": 1, "drawing": 1}
