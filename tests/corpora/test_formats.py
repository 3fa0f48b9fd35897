"""Every transcript format on invented files: times, text, speakers, what is ignored, what is a problem."""

from __future__ import annotations

import codecs

import pytest

from corpora.cues import Hints, Transcript, TranscriptError
from corpora.formats import FORMATS, foreign_advice, format_of, kaldi

Row = tuple[float | None, float | None, str, str | None]


def read(name: str, data: bytes, encoding: str = "auto", tiers: tuple[str, ...] = ()) -> Transcript:
    entry = format_of(name, data[:4096])
    assert entry is not None
    return entry.read(data, Hints(encoding, name, tiers))


def rows(transcript: Transcript) -> list[Row]:
    return [(c.start_s, c.end_s, c.text, c.voice) for c in transcript.cues if not c.problem]


def problems(transcript: Transcript) -> list[tuple[int | None, str]]:
    return [(c.line, c.check) for c in transcript.cues if c.problem]


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
    assert problems(transcript) == [(11, "bad_line"), (14, "bad_line"), (21, "encoding")]
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


# --- one word or segment a line ---------------------------------------------------------------------------


def test_ctm_has_durations_not_ends() -> None:
    transcript = read("a.ctm", b";; comment\ntalk 1 10.0 0.5 hello 0.9\ntalk 1 10.5 0.25 there 0.8 lex ann\n")
    assert [(c.start_s, c.end_s, c.text, c.voice) for c in transcript.cues] == [
        (10.0, 10.5, "hello", None),
        (10.5, 10.75, "there", "ann"),
    ]
    assert dict(transcript.ignored) == {"comment": 1}


def test_ctm_words_are_grouped_by_gap_length_channel_and_recording() -> None:
    words = [("a", 1, t * 1.0, 0.9, f"w{t}") for t in range(20)]
    words += [("a", 1, 21.0, 0.2, "late"), ("a", 2, 0.0, 1.0, "other"), ("b", 1, 0.0, 1.0, "else")]
    data = "".join(f"{f} {c} {t} {d} {w}\n" for f, c, t, d, w in words) + "broken line\n"
    transcript = read("a.ctm", data.encode())
    good = [
        (c.recording, c.channel, c.start_s, c.end_s, len(c.text.split()))
        for c in transcript.cues
        if not c.problem
    ]
    assert good == [
        ("a", 0, 0.0, pytest.approx(14.9), 15),
        ("a", 0, 15.0, pytest.approx(19.9), 5),
        ("a", 0, 21.0, 21.2, 1),
        ("a", 1, 0.0, 1.0, 1),
        ("b", 0, 0.0, 1.0, 1),
    ]
    assert problems(transcript) == [(24, "bad_line")]


def test_stm_with_and_without_labels() -> None:
    data = (
        b";; comment\ntalk 1 ann 0.0 2.5 <o,f0,female> so it goes\ntalk A bob 3 4 first word kept\n"
        b"talk 1 x 4 5 ignore_time_segment_in_scoring\ntalk 1 ann five 6 lost\n"
    )
    transcript = read("a.stm", data)
    assert [(c.voice, c.gender, c.text, c.channel) for c in transcript.cues if not c.problem] == [
        ("ann", "f", "so it goes", 0),
        ("bob", None, "first word kept", 0),
    ]
    assert problems(transcript) == [(5, "bad_line")]
    assert dict(transcript.ignored) == {"comment": 1, "gap marker": 1}


def test_audacity_labels_with_spectral_lines_and_decimal_commas() -> None:
    data = b"0.5\t1.5\thello there\n\\\t100.0\t2000.0\n2,0\t3,5\tagain\n4.0\t4.0\tmark\n5.0\t6.0\t\nodd\n"
    for name in ("Label Track.txt", "talk.labels", "talk_labels.txt"):
        transcript = read(name, data)
        assert rows(transcript) == [(0.5, 1.5, "hello there", None), (2.0, 3.5, "again", None)]
        assert problems(transcript) == [(6, "bad_line")]
        assert dict(transcript.ignored) == {
            "spectral selection": 1,
            "point label": 1,
            "label without text": 1,
        }


def test_kaldi_directory_never_executes_a_pipe(tmp_path_factory: pytest.TempPathFactory) -> None:
    witness = tmp_path_factory.mktemp("pipe") / "executed"
    files = {
        "wav.scp": f"rec1 audio/rec1.wav\nrec2 touch {witness} |\nrec3 < {witness}\n".encode(),
        "text": b"u1 hello there\nu2 piped\nu3 no segment\nu4 redirected\nu5 bad times\n",
        "segments": b"u1 rec1 0.5 2.0\nu2 rec2 0 1\nu4 rec3 0 1\nu5 rec1 zero one\nu6 rec1 3 4\n",
        "utt2spk": b"u1 ann\n",
        "spk2gender": b"ann f\n",
    }
    transcript = kaldi.read(files, Hints())
    (good,) = [c for c in transcript.cues if not c.problem]
    assert (good.recording, good.start_s, good.end_s, good.text) == (
        "audio/rec1.wav",
        0.5,
        2.0,
        "hello there",
    )
    assert (good.voice, good.gender) == ("ann", "f")
    assert problems(transcript) == [(2, "piped_audio"), (3, "bad_line"), (4, "piped_audio"), (5, "bad_line")]
    assert dict(transcript.ignored) == {"segment without text": 1}
    assert not witness.exists()


# --- tables -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("deepspeech.csv", "wav_filename,wav_filesize,transcript\nclips/a.wav,123,hello there\n"),
        ("quoted.csv", 'path;sentence;client_id\n"clips/a.wav";"hello there";ann\n'),
        ("cv.tsv", "client_id\tpath\tsentence\nann\tclips/a.wav\thello there\n"),
        ("nemo.jsonl", '{"audio_filepath": "clips/a.wav", "duration": 1.5, "text": "hello there"}\n'),
        ("manifest.json", '{"audio_filepath": "clips/a.wav", "duration": 1.5, "text": "hello there"}\n'),
        ("list.json", '[\n{"file": "clips/a.wav", "transcription": "hello there"}\n]'),
    ],
)
def test_tables_and_json_are_known_by_their_columns(name: str, text: str) -> None:
    (cue,) = read(name, text.encode()).cues
    assert (cue.recording, cue.text, cue.start_s, cue.problem) == ("clips/a.wav", "hello there", None, "")


def test_table_rows_with_times_licence_language_and_problems() -> None:
    text = (
        "audio\tbegin\tduration\ttext\tlang\tlicense\tchannel\n"
        'a.wav\t1.5\t2\tsay "hi"\tcy\tCC0-1.0\t1\n'
        "a.wav\tx\t2\tlost\t\t\t\nshort\trow\n"
    )
    transcript = read("t.tsv", text.encode())
    good = transcript.cues[0]
    assert (good.start_s, good.end_s, good.text) == (1.5, 3.5, 'say "hi"')
    assert (good.language, good.licence, good.channel) == ("cy", "CC0-1.0", 1)
    assert problems(transcript) == [(3, "bad_line"), (4, "bad_line")]


def test_tables_about_something_else_hold_no_cue() -> None:
    assert not read("prices.csv", b"apples,pears\n1,2\n").cues
    assert not read("config.json", b'{"a": 1}').cues
    assert not read("list.json", b"[1, 2]").cues
    assert not read("empty.csv", b"").cues


def test_json_lines_that_cannot_be_read_cost_themselves_only() -> None:
    data = b'{"audio": "a.wav", "text": "yes"}\n{oops\n{"audio": "b.wav"}\n'
    assert problems(read("t.jsonl", data)) == [(2, "bad_line"), (3, "bad_line")]
    with pytest.raises(TranscriptError, match="no JSON"):
        read("t.json", b'[{"audio": "a.wav",')


def test_plain_text_is_one_cue_without_times() -> None:
    (cue,) = read("talk.txt", "Hello there.\n\nGoodbye.\n".encode("utf-16")).cues
    assert (cue.start_s, cue.end_s, cue.text) == (None, None, "Hello there.\n\nGoodbye.")
    with pytest.raises(TranscriptError, match="offset 13"):
        read("talk.txt", "é é\nbad ".encode() + b"bad\xff")


@pytest.mark.parametrize("suffix", ["docx", "doc", "odt", "rtf", "pdf", "7z", "rar"])
def test_documents_are_refused_with_advice(suffix: str) -> None:
    assert format_of(f"a.{suffix}", b"") is None
    assert foreign_advice(f"a.{suffix.upper()}")


# --- XML of strangers, and any bytes ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.trs", "a.eaf", "a.ttml"])
def test_external_entities_are_not_resolved(name: str, tmp_path: object) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;&a;">]><x>&c;</x>'
    for text in ('<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>', bomb):
        with pytest.raises(TranscriptError) as caught:
            read(name, text.encode())
        assert caught.value.check == "unsafe_xml"


def test_xml_that_is_not_its_encoding_is_refused_with_its_offset() -> None:
    data = TRS.replace("ISO-8859-1", "UTF-8").encode("latin-1")
    with pytest.raises(TranscriptError, match=rf"offset {data.index(bytes([0xE9]))}\b"):
        read("a.trs", data)


@pytest.mark.parametrize("entry", FORMATS, ids=lambda entry: f"{entry.name}-{entry.reader}")
@pytest.mark.parametrize(
    "data", [b"", b"\n\n", b"\x00" * 50, bytes(range(256)), b"\xff\xfe\x00", b"<a/>", b"1 2 3\t4"]
)
def test_any_bytes_give_a_transcript_or_a_reason(entry: object, data: bytes) -> None:
    try:
        transcript = entry.read(data, Hints(name="a.json"))  # type: ignore[attr-defined]
    except TranscriptError as error:
        assert error.check and str(error)
    else:
        assert all(c.problem or c.text is not None for c in transcript.cues)
