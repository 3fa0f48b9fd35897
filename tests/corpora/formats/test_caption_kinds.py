"""Kinds of captions that people really write: where a cue ends, what is a header, what is a mark and no word."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.donations.cue_rules import CuePolicy, apply
from corpora.formats.cues import Cue
from tests.corpora.formats.transcripts import problems, read, rows


def srt(*texts: str) -> bytes:
    cues = (
        f"{n}\n00:00:{3 * n:02d},000 --> 00:00:{3 * n + 2:02d},000\n{t}\n\n" for n, t in enumerate(texts, 1)
    )
    return "".join(cues).encode()


def texts(data: bytes, name: str = "a.srt") -> list[str]:
    return [cue.text for cue in read(name, data).cues if not cue.problem]


# --- where a cue ends ---------------------------------------------------------------------------------------


def test_text_behind_an_empty_line_belongs_to_the_cue_above() -> None:
    transcript = read("a.srt", srt("One.\n\nTwo.", "\nThree.", "Four."))
    assert [c.text for c in transcript.cues] == ["One.\nTwo.", "Three.", "Four."]
    assert transcript.cues[0].flags == ("blank_line_in_cue",)
    assert not transcript.cues[1].flags


def test_a_double_spaced_file_is_read_like_any_other() -> None:
    assert texts(srt("One.", "Two.", "42", "Four.").replace(b"\n", b"\n\n")) == [
        "One.",
        "Two.",
        "42",
        "Four.",
    ]


def test_a_number_is_text_where_the_file_has_no_numbers() -> None:
    data = b"00:01,0 --> 00:02,0\nThey counted\n42\n00:03,0 --> 00:04,0\nand went.\n"
    assert texts(data) == ["They counted\n42", "and went."]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("00:00:01,000 -> 00:00:02,000", "cannot be read"),
        ("00:00:01:12 --> 00:00:02:00", "cannot be read"),
        ("00:00:01,000 --> 00:00:02:12", "cannot be read"),
        ("00:00:01,000 --> 00:75:02,000", "cannot be read"),
        ("9" * 400 + ":00:01,000 --> 00:00:02,000", "cannot be read"),
        ("00:00:01,000 --> 00:00:02,000 and words", "neither a place nor a setting"),
    ],
)
def test_a_timing_line_that_is_not_understood_is_told_and_costs_no_other(line: str, told: str) -> None:
    data = srt("One.") + f"2\n{line}\nLost.\n\n".encode() + srt("Three.")
    transcript = read("a.srt", data)
    assert texts(data) == ["One.", "Three."]
    (lost,) = [cue for cue in transcript.cues if cue.problem]
    assert told in lost.problem and lost.line == 6


def test_an_arrow_inside_a_text_refuses_the_cue_it_stands_in() -> None:
    data = srt("Turn\n1 --> 2 times", "Two.")
    assert texts(data) == ["Two."]
    assert [line for line, _ in problems(read("a.srt", data))] == [2, 4]


def test_a_file_without_an_end_of_its_last_line_is_flagged() -> None:
    cues = read("a.srt", srt("One.", "Two and a h").rstrip()).cues
    assert [c.flags for c in cues] == [(), ("last_line_unfinished",)]


def test_thousands_of_cues_without_empty_lines_are_read_one_by_one() -> None:
    data = "".join(
        f"{n}\n{n // 60}:{n % 60:02d},0 --> {n // 60}:{n % 60:02d},9\nw{n}\n" for n in range(1, 3000)
    )
    assert texts(data.encode()) == [f"w{n}" for n in range(1, 3000)]


# --- what is a header ---------------------------------------------------------------------------------------


def test_blocks_of_webvtt_are_judged_by_their_timing_line() -> None:
    data = (
        b"WEBVTT\n00:01.000 --> 00:02.000\nfirst\n\nNOTEBOOK 1\n00:03.000 --> 00:04.000\nsecond\n\n"
        b"NOTE\nnobody says this\n\nSTYLE\n::cue{}\n\nREGION 5\n00:05.000 --> 00:06.000\nthird\n\n"
        b"WEBVTT-6\n00:07.000 --> 00:08.000\nfourth\n\nNOTE one line\n"
    )
    transcript = read("a.vtt", data)
    assert [c.text for c in transcript.cues] == ["first", "second", "third", "fourth"]
    assert dict(transcript.ignored) == {"WebVTT note, style or region": 3}


_LINES = st.sampled_from(
    [
        "",
        "1",
        "2",
        "7",
        "words",
        "NOTE x",
        "STYLE",
        "WEBVTT",
        "00:01.000 --> 00:02.000",
        "0:3.0 --> 0:4.0 x",
        "a --> 1",
    ]
)


@settings(max_examples=300, deadline=None)
@given(lines=st.lists(_LINES, max_size=20), name=st.sampled_from(["a.srt", "a.vtt"]))
def test_every_line_with_an_arrow_is_in_a_cue_and_every_word_in_a_count(lines: list[str], name: str) -> None:
    """A naive reader counts arrows and words; ours must answer for all of them."""
    transcript = read(name, "\n".join(lines).encode())
    arrows = sum("-->" in line and bool(re.search(r"\d", line)) for line in lines)
    timed = [cue for cue in transcript.cues if cue.problem != "text without a timing line"]
    assert len(timed) == arrows
    said = sum(cue.text.count("words") for cue in transcript.cues)
    beside = dict(transcript.ignored).get("WebVTT note, style or region", 0)
    if name == "a.srt" or not beside:
        header = 1 if name == "a.vtt" or lines[:1] == ["WEBVTT"] else 0
        assert said >= lines.count("words") - _named(lines) - 20 * header


def _named(lines: list[str]) -> int:
    """Lines above an arrow: names of cues in WebVTT."""
    return sum("-->" in below and above == "words" for above, below in itertools.pairwise(lines))


# --- marks --------------------------------------------------------------------------------------------------


def test_positions_inline_times_and_chevrons_are_no_words() -> None:
    data = srt(
        r"{\an8}<i>Up here</i>", r"{\pos(192,210)\fs18}{y:i}There", ">> Go on.", "&gt;&gt;&gt; MAYOR: Yes."
    )
    transcript = read("a.srt", data)
    assert [c.text for c in transcript.cues] == ["<i>Up here</i>", "There", "Go on.", "MAYOR: Yes."]
    assert ["speaker_change" in c.flags for c in transcript.cues] == [False, False, True, True]


def test_a_chevron_ends_the_sentence_of_the_cue_before() -> None:
    cues = read(
        "a.vtt", b"WEBVTT\n\n00:01.0 --> 00:03.0\n>> and so\n\n00:03.0 --> 00:05.0\n>> we went\n"
    ).cues
    assert [c.text for c in apply(cues, CuePolicy(subtitle=True)).cues] == ["and so", "we went"]


def test_captions_of_a_karaoke_kind_keep_every_line_once() -> None:
    head = "WEBVTT\nKind: captions\nLanguage: en\n\n"
    shown, before = "", " "
    for n, text in enumerate(["so it goes", "and on it goes", "until the end", "and no more"]):
        karaoke = text.replace(" ", f"<00:00:0{2 * n}.500><c> ", 1) + "</c>"
        shown += (
            f"00:00:0{2 * n}.000 --> 00:00:0{2 * n + 1}.990 align:start position:0%\n{before}\n{karaoke}\n\n"
        )
        shown += f"00:00:0{2 * n + 1}.990 --> 00:00:0{2 * n + 2}.000\n{text}\n \n\n"
        before = text
    done = apply(read("a.vtt", (head + shown).encode()).cues, CuePolicy())
    assert [c.text for c in done.cues] == ["so it goes", "and on it goes", "until the end", "and no more"]
    assert [c.start_s for c in done.cues] == [0.0, 2.0, 4.0, 6.0]
    alone = apply(read("a.vtt", (head + shown).encode()).cues, CuePolicy(subtitle=True))
    assert [c.text for c in alone.cues] == [c.text for c in done.cues], "cut between words of known times"
    untimed = re.sub(r"<[^>]*>", "", head + shown).encode()
    [joined] = apply(read("a.vtt", untimed).cues, CuePolicy(subtitle=True)).cues
    assert joined.flags == ("cues_joined",)


def test_a_timed_caption_too_short_to_stand_alone_is_joined() -> None:
    shown = "WEBVTT\n\n00:00.0 --> 00:00.8\nso<00:00.4> it\n\n00:00.8 --> 00:03.0\ngoes<00:01.0> on\n"
    [joined] = apply(read("a.vtt", shown.encode()).cues, CuePolicy(subtitle=True)).cues
    assert (joined.text, joined.start_s, joined.end_s) == ("so it\ngoes on", 0.0, 3.0)


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (["♪ la la", "The river."], ["♪ la la ♪", "The river."]),
        (["♪ la la", "la la ♪", "The river."], ["♪ la la ♪", "♪ la la ♪", "The river."]),
        (["♪ la", "la", "la ♪", "Go."], ["♪ la ♪", "♪ la ♪", "♪ la ♪", "Go."]),
        (["♪ la ♪", "Go.", "la ♪"], ["♪ la ♪", "Go.", "♪ la ♪"]),
    ],
)
def test_a_song_never_swallows_the_cue_behind_it(said: list[str], wanted: list[str]) -> None:
    assert texts(srt(*said)) == wanted


def test_names_that_recur_or_stand_behind_a_dash_are_voices() -> None:
    transcript = read("a.srt", srt("Anna: Hello.", "Anna: Again.", "- Bob: Yes.\n- No.", "London: a city."))
    found: list[Cue] = list(transcript.cues)
    assert [c.text for c in found] == ["Hello.", "Again.", "- Yes.\n- No.", "London: a city."]
    assert [c.voice for c in found] == ["Anna", "Anna", None, None]
    assert ["speaker_change" in found[2].flags, found[3].flags] == [True, ("speaker_label_kept",)]


def test_sbv_is_read() -> None:
    transcript = read(
        "a.sbv", b"0:00:00.300,0:00:03.000\nthe river\n\n0:00:04.300,0:00:05.000\nanother\nline\n"
    )
    assert rows(transcript) == [(0.3, 3.0, "the river", None), (4.3, 5.0, "another\nline", None)]


def test_a_voice_tag_that_never_closes_takes_no_time() -> None:
    (cue,) = read("a.vtt", b"WEBVTT\n\n00:01.0 --> 00:02.0\n" + b"<v" + b" " * 300_000 + b"\n").cues
    assert cue.voice is None
