"""Kinds of linguists' files: phones and silence beside words, tiers of names, deep or slow XML."""

from __future__ import annotations

import pytest

from corpora.formats.cues import Hints, TranscriptError
from corpora.formats.kaldi import read as read_kaldi
from tests.corpora.formats.transcripts import problems, read, rows

Tiers = dict[str, list[tuple[float, float, str]]]
WORDS = [
    (0.5 + 0.3 * n, 0.8 + 0.3 * n, word)
    for n, word in enumerate(["the", "old", "mill", "stood", "by", "a", "river"])
]


def grid(tiers: Tiers) -> bytes:
    text = f'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n9\n<exists>\n{len(tiers)}\n'
    for name, labels in tiers.items():
        text += f'"IntervalTier"\n"{name}"\n0\n9\n{len(labels)}\n' + "".join(
            f'{a}\n{b}\n"{t}"\n' for a, b, t in labels
        )
    return text.encode()


def phones_of(words: list[tuple[float, float, str]]) -> list[tuple[float, float, str]]:
    return [
        (
            a + (b - a) * n / len(word),
            a + (b - a) * (n + 1) / len(word),
            c.upper() + ("1" if c in "aeiou" else ""),
        )
        for a, b, word in words
        for n, c in enumerate(word)
    ]


@pytest.mark.parametrize("name", ["phones", "Ann - phones", "MAU", "tier two"])
def test_phones_of_an_aligner_are_left_out_and_its_words_joined(name: str) -> None:
    silence = [(0.0, 0.5, "sil"), (2.6, 9.0, "<p:>")]
    transcript = read(
        "a.TextGrid", grid({"words": silence[:1] + WORDS + silence[1:], name: phones_of(WORDS)})
    )
    assert rows(transcript) == [(0.5, pytest.approx(2.6), "the old mill stood by a river", None)]
    ignored = dict(transcript.ignored)
    assert ignored["label of silence"] == 2
    assert ignored[f"tier {name!r} holds phones or syllables, not words"] == len(phones_of(WORDS))


@pytest.mark.parametrize("name", ["syllables", "Ann - sylls", "segments"])
def test_syllables_under_the_words_of_another_tier_are_left_out(name: str) -> None:
    said = [(0.5, 1.7, "grandmother sings"), (3.0, 4.2, "nobody listens")]
    parts = ["grand", "mother", "sing", "s", "nobo", "dy", "list", "ens"]
    below = [
        (a + 0.3 * n, a + 0.3 * n + 0.3, parts[4 * at + n])
        for at, (a, _, _) in enumerate(said)
        for n in range(4)
    ]
    transcript = read("a.TextGrid", grid({name: below, "utterances": said}))
    assert [row[2] for row in rows(transcript)] == ["grandmother sings", "nobody listens"]
    assert dict(transcript.ignored) == {f"tier {name!r} holds phones or syllables, not words": 8}
    alone = read("a.TextGrid", grid({name: below}))
    assert " ".join(row[2] for row in rows(alone)) == " ".join(parts)


def test_a_tier_that_says_the_same_in_pieces_is_not_learnt_twice() -> None:
    whole = [(0.5, 2.6, "the old mill stood by a river")]
    transcript = read("a.TextGrid", grid({"Ann": whole, "Ann words": WORDS}))
    assert [(c.text, c.voice) for c in transcript.cues] == [("the old mill stood by a river", "Ann")]
    assert dict(transcript.ignored) == {"tier 'Ann words' says the same as 'Ann' in smaller pieces": 7}


def test_tiers_that_were_asked_for_are_read_whatever_they_are_called() -> None:
    transcript = read("a.TextGrid", grid({"phones": WORDS, "other": WORDS}), tiers=("phones",))
    assert [row[2] for row in rows(transcript)] == [word for _, _, word in WORDS]


def test_a_file_of_phones_alone_asks_for_the_tier() -> None:
    with pytest.raises(TranscriptError, match="say in `tiers`"):
        read("a.TextGrid", grid({"phones": phones_of(WORDS)}))


def test_short_words_of_two_people_are_no_phones() -> None:
    talk = {"Ann": [(0.0, 1.0, "no"), (2.0, 3.0, "so it is")], "Bob": [(1.0, 2.0, "oh")]}
    assert [row[2:] for row in rows(read("a.TextGrid", grid(talk)))] == [
        ("no", "Ann"),
        ("so it is", "Ann"),
        ("oh", "Bob"),
    ]


def elan(tiers: list[tuple[str, str, list[str]]], slots: int = 3) -> bytes:
    """Tiers (name, parent, texts); those with a parent refer to the annotations of the first tier."""
    text = "<ANNOTATION_DOCUMENT><TIME_ORDER>"
    text += "".join(f'<TIME_SLOT TIME_SLOT_ID="t{n}" TIME_VALUE="{n * 1000}"/>' for n in range(slots + 1))
    text += "</TIME_ORDER>"
    for number, (name, parent, texts) in enumerate(tiers):
        above = f' PARENT_REF="{parent}"' if parent else ""
        text += f'<TIER TIER_ID="{name}" LINGUISTIC_TYPE_REF="{name.split("@")[0]}"{above}>'
        for n, said in enumerate(texts):
            value = f"<ANNOTATION_VALUE>{said}</ANNOTATION_VALUE>"
            if parent:
                of = f'ANNOTATION_REF="a0-{n % slots}"'
                text += f'<REF_ANNOTATION ANNOTATION_ID="a{number}-{n}" {of}>{value}</REF_ANNOTATION>'
            else:
                times = f'TIME_SLOT_REF1="t{n}" TIME_SLOT_REF2="t{n + 1}"'
                text += f'<ALIGNABLE_ANNOTATION ANNOTATION_ID="a{number}-{n}" {times}>{value}</ALIGNABLE_ANNOTATION>'
        text += "</TIER>"
    return (text + "</ANNOTATION_DOCUMENT>").encode()


SAID = ["so it goes", "and on it goes", "until the end"]


@pytest.mark.parametrize(
    "top", [["", "", ""], ["talk.001", "talk.002", "talk.003"], ["talk one", "talk two", "talk three"]]
)
def test_the_topmost_tier_that_holds_words_is_taken(top: list[str]) -> None:
    transcript = read(
        "a.eaf", elan([("ref@SP", "", top), ("tx@SP", "ref@SP", SAID), ("ft@SP", "ref@SP", SAID[::-1])])
    )
    assert [(row[0], row[2]) for row in rows(transcript)] == list(zip([0.0, 1.0, 2.0], SAID, strict=True))


def test_several_tiers_below_one_without_words_are_asked_for() -> None:
    with pytest.raises(TranscriptError, match="'one', 'two'"):
        read("a.eaf", elan([("ref", "", ["1", "2", "3"]), ("one", "ref", SAID), ("two", "ref", SAID)]))


def test_more_text_below_the_tier_that_was_taken_is_said() -> None:
    transcript = read("a.eaf", elan([("Ann", "", ["yes", "no", "so"]), ("tx", "Ann", SAID)]))
    assert dict(transcript.ignored) == {
        "tier 'tx' holds more text than 'Ann', which was taken (`tiers` chooses)": 3
    }


def test_parts_of_one_annotation_are_joined() -> None:
    transcript = read("a.eaf", elan([("ref", "", [""] * 3), ("tx", "ref", ["so", "it", "goes"])], slots=1))
    assert [row[2] for row in rows(transcript)] == ["so it goes"]


def test_slots_and_nesting_take_no_time_and_no_stack() -> None:
    assert len(rows(read("a.eaf", elan([("Ann", "", ["so it goes"] * 20_000)], slots=20_000)))) == 20_000
    for name in ("a.eaf", "a.trs", "a.ttml"):
        with pytest.raises(TranscriptError, match="deep"):
            read(name, b"<a>" * 5_000 + b"</a>" * 5_000)


def test_labels_of_an_editor_are_known_by_what_they_look_like() -> None:
    data = b"0.500000\t2.500000\tso it goes\n3.000000\t4.000000\tand on\n"
    assert [row[2] for row in rows(read("interview.txt", data))] == ["so it goes", "and on"]


# --- Kaldi --------------------------------------------------------------------------------------------------


def test_fields_of_kaldi_end_at_any_white_space_and_an_end_of_minus_one_is_the_recordings() -> None:
    files = {
        "wav.scp": b"call\taudio/call.wav\n",
        "text": b"u1\tso it goes\nu2   and on\nu3\tlost\n",
        "segments": b"u1\tcall\t0.5\t2.5\nu2 call\t3 -1\nu3 call 3 -2\n",
        "utt2spk": b"u1\tann\n",
    }
    transcript = read_kaldi(files, Hints())
    first, second = (cue for cue in transcript.cues if not cue.problem)
    assert (first.recording, first.start_s, first.end_s, first.text, first.voice) == (
        "audio/call.wav",
        0.5,
        2.5,
        "so it goes",
        "ann",
    )
    assert (second.start_s, second.to_the_end) == (3.0, True)
    assert problems(transcript) == [(3, "bad_line")]


def test_a_segment_file_of_broadcasters_has_one_parser() -> None:
    data = b"s\t1\tann\t0.5\t2.5\t<O,F0,F>\tso it goes\ns 1: bob 3 4 <NA> and on\ns 1 cara 5 6 <F0_M> yes\n"
    cues = read("a.stm", data).cues
    assert [(c.text, c.gender, c.channel) for c in cues] == [
        ("so it goes", "f", 0),
        ("and on", None, 0),
        ("yes", "m", 0),
    ]


def test_words_are_never_joined_across_one_that_cannot_be_read() -> None:
    data = b"a 1 0.0 0.5 so\na 1 0.5 nan it\na 1 1.0 0.5 goes\na 1 1.5 0.5 on\n"
    good = [(c.start_s, c.end_s, c.text) for c in read("a.ctm", data).cues if not c.problem]
    assert good == [(0.0, 0.5, "so"), (1.0, 2.0, "goes on")]
