"""Lines, tables and JSON, invented; XML of strangers, and any bytes at all."""

from __future__ import annotations

import pytest

from corpora.formats import FORMATS, foreign_advice, format_of, kaldi
from corpora.formats.cues import Hints, TranscriptError
from tests.corpora.formats.transcripts import TRS, problems, read, rows

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
    assert problems(transcript) == [(5, "bad_times")]
    assert dict(transcript.ignored) == {"STM comment": 1, "marked ignore_time_segment_in_scoring": 1}


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
