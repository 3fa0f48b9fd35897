"""Policies over cues, and time bases: what is joined, trimmed, refused; that nothing gets lost on the way."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.donations.cue_rows import refusal
from corpora.donations.cue_rules import OVERLAPS, CuePolicy, apply
from corpora.donations.time_base import shift_of
from corpora.formats.cues import Cue


def cue(start: float, end: float, text: str, voice: str | None = None) -> Cue:
    return Cue(1, start, end, text, voice)


def spans(cues: list[Cue]) -> list[tuple[float | None, float | None, str]]:
    return [(c.start_s, c.end_s, c.text) for c in cues]


def test_times_that_make_no_sense_are_refused_and_counted() -> None:
    cues = [cue(1, 1, "a"), cue(3, 2, "b"), cue(-1, 2, "c"), cue(4, 5, "d"), cue(4, 5, "d")]
    done = apply(cues, CuePolicy())
    assert [check for _, check, _ in done.refused] == ["bad_times", "bad_times", "bad_times", "duplicate_id"]
    assert [reason for _, _, reason in done.refused][:2] == [
        "the cue ends where it begins, at 1.000 s",
        "the cue ends at 2.000 s, before it begins at 3.000 s",
    ]
    assert spans(done.cues) == [(4, 5, "d")]


def test_a_cue_whose_times_cannot_be_read_is_refused_without_times() -> None:
    read_one = refusal("a.srt", Cue(3, problem="the times cannot be read"), ("bad_line", "why"))
    assert (read_one.line, read_one.start_s, read_one.end_s) == (3, None, None)
    timed = refusal("a.srt", Cue(3, 0.0, 1.0, problem="two speakers"), ("two_speakers", "why"))
    assert (timed.start_s, timed.end_s) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("policy", "kept", "refused"),
    [
        ("trim", [(0, 2, "a"), (2, 5, "b")], 0),
        ("reject", [], 2),
        ("keep", [(0, 3, "a"), (2, 5, "b")], 0),
    ],
)
def test_overlapping_cues_of_one_speaker_follow_the_policy(
    policy: str, kept: list[tuple[float, float, str]], refused: int
) -> None:
    done = apply([cue(0, 3, "a"), cue(2, 5, "b")], CuePolicy(overlaps=policy))
    assert spans(done.cues) == kept
    assert [check for _, check, _ in done.refused] == ["overlapping_cue"] * refused
    assert ["overlap_trimmed" in c.flags for c in done.cues[:1]] == ([policy == "trim"] if kept else [])


def test_two_speakers_at_once_are_flagged_and_kept() -> None:
    done = apply([cue(0, 3, "a", "Ann"), cue(2, 5, "b", "Bob")], CuePolicy())
    assert [c.flags for c in done.cues] == [("overlapped_speech",), ("overlapped_speech",)]
    assert not done.refused


def test_rolling_captions_keep_every_line_once() -> None:
    rolling = ["one", "one\ntwo", "two", "two\nthree", "three", "three\nfour"]
    done = apply([cue(i, i + 1, text) for i, text in enumerate(rolling)], CuePolicy())
    assert [c.text for c in done.cues] == ["one", "two", "three", "four"]
    assert done.ignored == {"repeats the caption before": 2}


def test_a_word_said_twice_is_no_rolling_caption() -> None:
    texts = ["Yes.", "Yes.", "So it goes.", "And on.", "And on and on.", "Done."]
    done = apply([cue(i, i + 1, text) for i, text in enumerate(texts)], CuePolicy())
    assert [c.text for c in done.cues] == texts


def test_cues_of_one_sentence_are_joined_over_short_gaps_only() -> None:
    cues = [
        cue(0, 2, "When it rains"),
        cue(2.1, 4, "it pours."),
        cue(4.1, 6, "Next one"),
        cue(6.5, 8, "after a gap"),
        cue(8.1, 10, "other", "Bob"),
    ]
    done = apply(cues, CuePolicy(subtitle=True))
    assert spans(done.cues) == [
        (0, 4, "When it rains\nit pours."),
        (4.1, 6, "Next one"),
        (6.5, 8, "after a gap"),
        (8.1, 10, "other"),
    ]
    assert "cues_joined" in done.cues[0].flags
    assert done.ignored == {"joined to the cue before": 1}


def test_joined_subtitles_have_one_to_fifteen_seconds() -> None:
    long = [cue(i * 4, i * 4 + 4, f"and so on {i}") for i in range(5)]
    done = apply([*long, cue(30, 30.5, "Oh."), cue(40, 60, "A monologue.")], CuePolicy(subtitle=True))
    assert [round((c.end_s or 0) - (c.start_s or 0)) for c in done.cues] == [12, 8]
    assert [check for _, check, _ in done.refused] == ["subtitle_length", "subtitle_length"]


def test_shift_and_stretch_move_every_cue_and_flag_it() -> None:
    done = apply([cue(36010, 36012, "a")], CuePolicy(shift_s=36000, stretch=1.001, flags=("time_stretched",)))
    assert spans(done.cues) == [(10.01, 12.012, "a")]
    assert done.cues[0].flags == ("time_stretched",)


@pytest.mark.parametrize(
    ("first", "last", "length", "stated", "wanted"),
    [
        (36001.0, 36590.0, 600.0, 36000.0, 36000.0),
        (36001.0, 36590.0, 600.0, None, 36000.0),
        (3590.0, 4100.0, 600.0, 3580.0, 3580.0),
        (35990.0, 36300.0, 4000.0, None, 32400.0),
        (36001.0, 39000.0, 600.0, 36000.0, None),
    ],
)
def test_programme_starts_are_taken_off_where_everything_fits_then(
    first: float, last: float, length: float, stated: float | None, wanted: float | None
) -> None:
    assert shift_of([cue(first, first + 2, "a"), cue(last - 2, last, "b")], length, stated) == wanted


_CUES = st.builds(
    cue,
    st.floats(-1, 50, allow_nan=False),
    st.floats(-1, 60, allow_nan=False),
    st.sampled_from(["a", "a\nb", "b", "b\nc", "End."]),
    st.sampled_from([None, "Ann", "Bob"]),
)


@settings(max_examples=200, deadline=None)
@given(cues=st.lists(_CUES, max_size=12), subtitle=st.booleans(), overlaps=st.sampled_from(OVERLAPS))
def test_every_cue_is_kept_refused_or_counted(cues: list[Cue], subtitle: bool, overlaps: str) -> None:
    done = apply(cues, CuePolicy(subtitle=subtitle, overlaps=overlaps))
    assert len(done.cues) + len(done.refused) + sum(done.ignored.values()) == len(cues)
    assert all(c.start_s is not None and c.end_s is not None and c.end_s > c.start_s >= 0 for c in done.cues)
