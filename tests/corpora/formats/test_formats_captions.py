"""Captions and linguists' files, invented: times, text, speakers, what is ignored, what is a problem."""

from __future__ import annotations

import codecs

import pytest

from corpora.formats.cues import TranscriptError
from tests.corpora.formats.transcripts import TRS, problems, read, rows

# --- captions ---------------------------------------------------------------------------------------------


SRT = "1\n00:00:01,000 --> 00:00:02,500\nHello there.\n\n7\n00:00:03.000-->00:00:04.250\nTwo\nlines\n"


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [(b"", "utf-8"), (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (b"", "utf-16-be")],
)
def test_srt_in_every_encoding(mark: bytes, encoding: str) -> None:
    transcript = read("a.SRT", mark + SRT.replace("\n", "\r\n").encode(encoding))
    assert rows(transcript) == [(1.0, 2.5, "Hello there.", None), (3.0, 4.25, "Two\nlines", None)]
    assert (transcript.encoding, transcript.guessed) == (encoding, False)


def test_srt_keeps_every_line_that_cannot_be_read_as_a_problem() -> None:
    data = (SRT + "\n8\n00:00:xx --> 1\nlost\n\nno times here\n\n9\n00:00:05,0 --> 00:00:06,0\n").encode()
    data += "café".encode() + b"\n\n10\n00:00:07,0 --> 00:00:08,0\nbad \xe9 byte\n"
    transcript = read("a.srt", data)
    assert problems(transcript) == [(11, "bad_line"), (21, "encoding")]
    assert transcript.cues[2].text == "lost\nno times here"
    (bad,) = [cue.problem for cue in transcript.cues if cue.check == "encoding"]
    assert f"byte 0xe9 at offset {data.index(b'bad ') + 4}" in bad


def test_webvtt_voices_notes_and_styles() -> None:
    text = (
        "WEBVTT - a title\n\nNOTE\nnobody reads this\n\nSTYLE\n::cue{}\n\nid-1\n00:01.000 --> 00:02.000 align:start\n"
        "<v Ann Other>Tom &amp; Jerry</v>\n\n00:03.000 --> 00:04.000\n<v.loud Bob>Hi\n\n"
        "01:00:05.000 --> 01:00:06.000\n<v Ann>Yes\n<v Bob>No\n"
    )
    transcript = read("a.vtt", text.encode())
    assert rows(transcript) == [
        (1.0, 2.0, "<v Ann Other>Tom &amp; Jerry</v>", "Ann Other"),
        (3.0, 4.0, "<v.loud Bob>Hi", "Bob"),
    ]
    assert problems(transcript) == [(16, "two_speakers")]


TTML = """<?xml version="1.0" encoding="UTF-8"?>
<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttm="http://www.w3.org/ns/ttml#metadata"
    xmlns:ttp="http://www.w3.org/ns/ttml#parameter" xmlns:ebuttm="urn:ebu:tt:metadata" {parameters}>
<head><metadata><ttm:agent xml:id="s1" type="person"><ttm:name>Ann</ttm:name></ttm:agent>
<ebuttm:documentMetadata><ebuttm:documentStartOfProgramme>10:00:00:00</ebuttm:documentStartOfProgramme>
</ebuttm:documentMetadata></metadata></head>
<body><div>
<p begin="00:00:01:12" end="00:00:02:00" ttm:agent="s1">Hello <span>there</span><br/>you</p>
<p begin="5s" dur="6000ms">Tom &amp; Jerry</p>
<p><span begin="20s" end="21s">one</span><span begin="21s" end="22.5s"> two</span></p>
<p>no times</p>
</div></body></tt>"""


@pytest.mark.parametrize(
    ("parameters", "first"),
    [
        ('ttp:timeBase="media" ttp:frameRate="25"', (37 / 25, 2.0)),
        ('ttp:timeBase="smpte" ttp:frameRate="30" ttp:frameRateMultiplier="1000 1001"', (1.4014, 2.002)),
    ],
)
def test_ttml_times_are_exact_in_every_time_base(parameters: str, first: tuple[float, float]) -> None:
    transcript = read("a.xml", TTML.format(parameters=parameters).encode())
    found = rows(transcript)
    assert found[0] == (pytest.approx(first[0]), pytest.approx(first[1]), "Hello there\nyou", "Ann")
    assert found[1:] == [(5.0, 11.0, "Tom & Jerry", None), (20.0, 22.5, "one two", None)]
    assert problems(transcript) == [(11, "bad_line")]
    assert transcript.programme_start_s == 36000.0


@pytest.mark.parametrize(
    ("body", "spans"),
    [
        (
            '<body timeContainer="seq" begin="0.3s"><div dur="2.5s"><p>one</p></div>'
            '<div begin="0.5s" dur="2s"><div><p>two</p></div></div></body>',
            [(0.3, 2.8), (3.3, 5.3)],
        ),
        (
            '<body><div timeContainer="seq"><p dur="2s">one</p><p dur="3s">two</p></div></body>',
            [(0, 2), (2, 5)],
        ),
        ('<body><div begin="1s" end="4s"><p begin="0.5s">one</p></div></body>', [(1.5, 4)]),
        ('<body><div begin="1s" end="4s"><p>one</p><p>two</p></div></body>', [(None, None), (None, None)]),
    ],
)
def test_ttml_paragraphs_have_the_times_of_a_container_that_is_theirs_alone(
    body: str, spans: list[tuple[float | None, float | None]]
) -> None:
    document = f'<tt xmlns="http://www.w3.org/ns/ttml" xml:lang="en">{body}</tt>'
    cues = read("a.ttml", document.encode()).cues
    assert [(cue.start_s, cue.end_s) for cue in cues] == spans
    assert [bool(cue.problem) for cue in cues] == [start is None for start, _ in spans]


def test_ttml_of_ebu_and_imsc_with_offsets_of_the_body() -> None:
    text = (
        '<tt:tt xmlns:tt="http://www.w3.org/ns/ttml" xml:lang="en"><tt:body begin="10s"><tt:div begin="1s">'
        '<tt:p xml:id="p1" begin="00:00:00.500" end="00:00:01.500">Late</tt:p></tt:div></tt:body></tt:tt>'
    )
    assert rows(read("a.ttml", text.encode("utf-16"))) == [(11.5, 12.5, "Late", None)]


def stl_file(cues: list[tuple[str, str, str]], start: str = "10000000") -> bytes:
    """An EBU STL file: `HHMMSSFF` times at 25 frames per second."""
    header = bytearray(b" " * 1024)
    header[0:3], header[3:11], header[11:12], header[12:14] = b"850", b"STL25.01", b"0", b"00"
    header[238:243] = header[243:248] = f"{len(cues):05d}".encode()
    header[248:251] = b"001"
    header[251:253], header[253:255], header[255:256] = b"40", b"23", b"1"
    header[256:264], header[264:272] = start.encode(), start.encode()
    blocks = []
    for number, (begin, end, text) in enumerate(cues):
        codes = [bytes(int(code[at : at + 2]) for at in (0, 2, 4, 6)) for code in (begin, end)]
        field = text.encode("latin-1").replace(b"\n", b"\x8a").ljust(112, b"\x8f")
        blocks.append(
            b"\x00"
            + number.to_bytes(2, "little")
            + b"\xff\x00"
            + codes[0]
            + codes[1]
            + b"\x14\x02\x00"
            + field
        )
    return bytes(header) + b"".join(blocks)


def test_ebu_stl_with_programme_start() -> None:
    data = stl_file([("10000112", "10000200", "Hello there"), ("10000500", "10000625", "Two\nlines")])
    transcript = read("a.stl", data)
    assert rows(transcript) == [
        (pytest.approx(36001.48), 36002.0, "Hello there", None),
        (36005.0, 36007.0, "Two\nlines", None),
    ]
    assert transcript.programme_start_s == 36000.0
    with pytest.raises(TranscriptError, match="cut short"):
        read("a.stl", data[:-100])
    with pytest.raises(TranscriptError, match="2 blocks declared, 1 there"):
        read("a.stl", data[:-128])
    with pytest.raises(TranscriptError, match="no STL"):
        read("a.stl", b"x" * 2000)


# --- linguists' tools -------------------------------------------------------------------------------------


LONG = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 4.5
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "Ann"
        xmin = 0
        xmax = 4.5
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 1.25
            text = ""
        intervals [2]:
            xmin = 1.25
            xmax = 2.5
            text = "she said ""no"" – été"
        intervals [3]:
            xmin = 2.5
            xmax = 4.5
            text = "bye"
    item [2]:
        class = "TextTier"
        name = "clicks"
        xmin = 0
        xmax = 4.5
        points: size = 1
        points [1]:
            number = 1.0
            mark = "x"
"""


SHORT = """File type = "ooTextFile"
Object class = "TextGrid"

0
4.5
<exists>
2
"IntervalTier"
"Ann"
0
4.5
3
0
1.25
""
1.25
2.5
"she said ""no"" – été"
2.5
4.5
"bye"
"TextTier"
"clicks"
0
4.5
1
1.0
"x"
"""


@pytest.mark.parametrize("form", [LONG, SHORT], ids=["long", "short"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_textgrid_long_and_short_in_every_encoding(form: str, encoding: str) -> None:
    transcript = read("a.TextGrid", form.encode(encoding))
    assert rows(transcript) == [(1.25, 2.5, 'she said "no" – été', "Ann"), (2.5, 4.5, "bye", "Ann")]
    assert dict(transcript.ignored) == {"point of a TextGrid": 1, "interval without text": 1}


def test_a_textgrid_that_is_cut_or_none_is_refused() -> None:
    for data in (LONG[:420].encode(), b"hello", b""):
        with pytest.raises(TranscriptError):
            read("a.TextGrid", data)


EAF = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" DATE="2020-01-01" FORMAT="3.0" VERSION="3.0">
<HEADER TIME_UNITS="milliseconds">
<MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/Users/Ann/My%20Talks/talk%201.wav" MIME_TYPE="audio/x-wav"/></HEADER>
<TIME_ORDER><TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="1000"/><TIME_SLOT TIME_SLOT_ID="ts2"/>
<TIME_SLOT TIME_SLOT_ID="ts3"/><TIME_SLOT TIME_SLOT_ID="ts4" TIME_VALUE="4000"/>
<TIME_SLOT TIME_SLOT_ID="ts5"/></TIME_ORDER>
<TIER LINGUISTIC_TYPE_REF="t" TIER_ID="speech" PARTICIPANT="Ann">
<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
<ANNOTATION_VALUE>one</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts3" TIME_SLOT_REF2="ts4">
<ANNOTATION_VALUE>two</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a3" TIME_SLOT_REF1="ts4" TIME_SLOT_REF2="ts5">
<ANNOTATION_VALUE>lost</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>
<TIER LINGUISTIC_TYPE_REF="t" TIER_ID="gloss" PARENT_REF="speech">
<ANNOTATION><REF_ANNOTATION ANNOTATION_ID="a4" ANNOTATION_REF="a2"><ANNOTATION_VALUE>zwei</ANNOTATION_VALUE>
</REF_ANNOTATION></ANNOTATION>
<ANNOTATION><REF_ANNOTATION ANNOTATION_ID="a5" ANNOTATION_REF="a5"><ANNOTATION_VALUE>circle</ANNOTATION_VALUE>
</REF_ANNOTATION></ANNOTATION></TIER>
</ANNOTATION_DOCUMENT>"""


def test_elan_empty_slots_are_interpolated_and_the_media_is_found_by_its_last_part() -> None:
    transcript = read("a.eaf", EAF.encode())
    assert rows(transcript) == [(1.0, 2.0, "one", "Ann"), (3.0, 4.0, "two", "Ann")]
    assert [c.flags for c in transcript.cues[:2]] == [("times_interpolated",), ("times_interpolated",)]
    assert problems(transcript) == [(13, "bad_line")]
    assert transcript.media == ("talk 1.wav",)
    assert dict(transcript.ignored) == {"annotation of a dependent tier": 2}


def test_elan_tiers_that_refer_take_the_times_of_what_they_refer_to() -> None:
    transcript = read("a.eaf", EAF.encode(), tiers=("gloss",))
    assert rows(transcript) == [(3.0, 4.0, "zwei", "gloss")]
    assert [c.problem for c in transcript.cues if c.problem] == ["the annotation has no times"]


def test_transcriber_reads_the_tails_in_latin_1_with_speakers() -> None:
    transcript = read("a.trs", TRS.encode("latin-1"))
    found = [
        (c.start_s, c.end_s, " ".join(c.text.split()), c.voice, c.gender, c.line) for c in transcript.cues
    ]
    assert found[:2] == [
        (0.0, 3.5, "déjà vu [noise] again", "Zoé", "f", 7),
        (3.5, 5.0, "oui", "Zoé", "f", 9),
    ]
    assert problems(transcript) == [(13, "two_speakers")]
    assert found[3][2] == "[inaudible]"
    assert transcript.media == ("news_01",)
    assert dict(transcript.ignored) == {"stretch without text": 1}
