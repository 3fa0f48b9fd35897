"""Switchboard-1, Hub5'00 and RT-03, point by point. All conversations are invented."""

from __future__ import annotations

import hashlib
import logging
import re
from pathlib import Path

import numpy as np
import pytest

from corpora.errors import SourceError
from corpora.importer import Ignored
from corpora.report import render_corpus_report
from corpora.text.normaliser import Normalised, Normaliser, Refused, default_labels
from demo.layouts import files
from demo.sphere_writer import SphereFormat, decode_ulaw, encode_ulaw, sphere_bytes
from store.opening import open_store
from tests.corpora.calls import TONES_HZ, call_bytes, pitch_hz, publish, read, tree, two_tones

CONVERSATIONS = '2001, 301, 1044 , 1055, "", 1\n'
CALLERS = '1044, 1, "Y", "FEMALE", 1960\n 1055, 1, "Y", "MALE" , 1970\n'
ROOT = "swb_ms98_transcriptions/20/2001"


def side(channel: str, *rows: str, call: str = "2001") -> dict[str, str | bytes]:
    """One side's transcript; rows are `start end words`."""
    lines = "".join(f"sw{call}{channel}-ms98-a-{at:04d} {row}\n" for at, row in enumerate(rows, 1))
    return {f"swb_ms98_transcriptions/{call[:2]}/{call}/sw{call}{channel}-ms98-a-trans.text": lines}


def both_sides() -> dict[str, str | bytes]:
    return side("A", "0.0 0.977625 [silence]", "0.977625 2.561375 hi um") | side(
        "B", "0.0 3.250125 [silence]", "3.250125 5.0 well yes"
    )


def plain_call(shorten: bool = False) -> bytes:
    """As release 2 has it: not compressed."""
    return call_bytes(shorten=shorten)


@pytest.mark.parametrize(
    "audio",
    [
        "swb1_d1/data/sw02001.sph",
        "LDC97S62/swb1_d4/data/sw02001.sph",
        "disc23/SW02001.SPH",
        "sw2001.sph",
        "copy/sw02001.wav",
    ],
)
def test_switchboard_audio_is_found_in_every_layout_and_paired(audio: str, tmp_path: Path) -> None:
    found = read("switchboard", tree(tmp_path, {audio: plain_call(), **both_sides()}))
    assert [(s.utterance_id, s.audio.member) for s in found.segments] == [
        ("sw2001A-ms98-a-0002", audio),
        ("sw2001B-ms98-a-0002", audio),
    ]
    assert found.rejections == []


def test_switchboard_transcripts_beside_the_audio_or_in_their_tar(tmp_path: Path) -> None:
    audio = tree(tmp_path / "LDC97S62", {"swb1_d1/data/sw02001.sph": plain_call()})
    texts = tree(
        tmp_path / "swb_ms98_transcriptions", {k.partition("/")[2]: v for k, v in both_sides().items()}
    )
    packed = files.pack(texts, tmp_path / "switchboard_word_alignments.tar.gz")
    for sources in ((audio, texts), (audio, packed)):
        assert len(read("switchboard", *sources).segments) == 2
    tree(audio, {packed.name: packed.read_bytes()})
    with pytest.raises(SourceError, match=r"switchboard_word_alignments\.tar\.gz lies in it: name that"):
        read("switchboard", audio)


@pytest.mark.parametrize("shorten", [False, True])
def test_switchboard_side_a_is_the_first_channel(shorten: bool, tmp_path: Path) -> None:
    found = read("switchboard", tree(tmp_path, {"sw02001.sph": plain_call(shorten), **both_sides()}))
    for segment, pitch in zip(found.segments, TONES_HZ, strict=True):
        assert pitch_hz(found.sound(segment).samples) == pytest.approx(pitch, abs=3)


def test_switchboard_silence_is_counted_and_noise_excluded(tmp_path: Path) -> None:
    rows = [
        "0.0 1.0 [silence]",
        "1.0 2.0 [noise] [laughter]",
        "2.0 3.0 [vocalized-noise] yes",
        "3.0 4.0 [silence]",
    ]
    source = tree(
        tmp_path / "in", {"sw02001.sph": plain_call(), **side("A", *rows), **side("B", "0.0 6.0 [silence]")}
    )
    found = publish("switchboard", tmp_path / "store", source)
    assert found.manifest["ignored"] == {"silence only": 3}
    assert [(row["text"], row["flags"].count("has_noise_tag")) for row in found.rows] == [("yes", 1)]
    assert found.manifest["rejected"] == {"noise_only": 1}


TOKENS = [
    ("[silence] yes", "yes"),
    ("<b_aside> be right there <e_aside> so", "be right there so"),
    ("[noise] oh [laughter] [vocalized-noise]", "oh"),
    ("[laughter-yeah]", "yeah"),
    ("{brand-new} car", "brand new car"),
    ("them_1 and them_1's", "them and them's"),
    ("[it'n/isn't] so", "it'n so"),
    ("[th[e]-/the] dog", "partial_word"),
    ("i w[ent]- home", "partial_word"),
    ("-[be]cause", "partial_word"),
    ("kn- know", "partial_word"),
    ("ammu[n]it-", "partial_word"),
    ("i b m", "i b m"),
    ("at&t", "at and t"),
    ("uh-huh", "uh huh"),
    ("'cause", "'cause"),
    ("[xyz] yes", "unknown_tag"),
    ("[silence]", "empty_text"),
    ("[noise]", "noise_only"),
]


@pytest.mark.parametrize(("raw", "answer"), TOKENS)
def test_switchboard_the_table_of_tokens(raw: str, answer: str) -> None:
    result = Normaliser(default_labels(), "switchboard").normalise(raw)
    assert (result.text if isinstance(result, Normalised) else result.check) == answer


def test_switchboard_partial_words_are_kept_on_request(tmp_path: Path) -> None:
    rows = ["0.0 1.0 i w[ent]- home", "1.0 2.0 kn- know"]
    found = read("switchboard", tree(tmp_path, {"sw02001.sph": "x", **side("A", *rows)}), partial="keep")
    answers = [
        Normaliser(default_labels(), s.style, s.policies).normalise(s.text_raw) for s in found.segments
    ]
    assert [a.text for a in answers if isinstance(a, Normalised)] == ["i w home", "kn know"]


@pytest.mark.parametrize("names", [("conv_tab.csv", "caller_tab.csv"), ("conv.tab", "caller.tab")])
def test_switchboard_callers_come_from_the_tables_without_quotes(
    names: tuple[str, str], tmp_path: Path
) -> None:
    tables = {f"docs/{names[0]}": CONVERSATIONS, f"docs/{names[1]}": CALLERS}
    found = read("switchboard", tree(tmp_path, {"sw02001.sph": "x", **both_sides(), **tables}))
    assert [(s.speaker_id, s.gender) for s in found.segments] == [("1044", "f"), ("1055", "m")]


@pytest.mark.parametrize("table", ["", "2001, 301, 1044, 1044\n", "2001, 301, , 1055\n"])
def test_switchboard_no_two_sides_share_a_speaker(table: str, tmp_path: Path) -> None:
    found = read("switchboard", tree(tmp_path, {"sw02001.sph": "x", **both_sides(), "conv_tab.csv": table}))
    assert len({s.speaker_id for s in found.segments}) == 2
    assert found.segments[0].speaker_id == "sw02001-A"
    assert "speaker_unknown" in found.segments[0].flags


@pytest.mark.parametrize("shorten", [False, True])
def test_switchboard_a_count_over_both_channels_as_in_release_1(shorten: bool, tmp_path: Path) -> None:
    data = plain_call(shorten)
    old = re.sub(rb"sample_count -i 48000\n", b"sample_count -i 96000\n", data, count=1)
    assert old != data
    source = tree(tmp_path / "in", {"sw02001.sph": old, **both_sides()})
    found = publish("switchboard", tmp_path / "store", source)
    sound = decode_ulaw(encode_ulaw(two_tones()))
    assert {r["utterance_id"]: r["audio_sha256"] for r in found.rows} == {
        "sw2001A-ms98-a-0002": hashlib.sha256(sound[7821:20491, 0].tobytes()).hexdigest(),
        "sw2001B-ms98-a-0002": hashlib.sha256(sound[26001:40000, 1].tobytes()).hexdigest(),
    }
    assert all(("sample_count_total" in r["flags"]) != shorten for r in found.rows)


def test_switchboard_what_is_missing_is_listed_and_the_rest_imported(tmp_path: Path) -> None:
    lonely = side("B", "0.0 1.0 hi", call="2002")
    only_a = side("A", "0.5 1.5 hi")
    found = read("switchboard", tree(tmp_path, {"sw02001.sph": "x", **only_a, **lonely, "sw02003.sph": "x"}))
    assert sorted((r.utterance_id, r.check) for r in found.rejections) == [
        ("2001-B", "transcript_missing"),
        ("2002-B", "audio_missing"),
        ("2003-A", "transcript_missing"),
        ("2003-B", "transcript_missing"),
    ]
    assert len(found.segments) == 1


def test_switchboard_times_are_trimmed_by_50_ms_at_most_and_overlaps_flagged(tmp_path: Path) -> None:
    rows = ["1.0 2.0 one", "1.5 3.0 two", "3.0 3.0 three", "4.0 3.5 four", "5.0 6.04 five", "5.5 6.06 six"]
    source = tree(
        tmp_path / "in", {"sw02001.sph": plain_call(), **side("A", *rows), **side("B", "0.0 6.0 [silence]")}
    )
    found = publish("switchboard", tmp_path / "store", source)
    wanted = {"one": set(), "two": {"overlap"}, "five": {"end_trimmed"}}
    assert {r["text"]: set(r["flags"]) & {"overlap", "end_trimmed"} for r in found.rows} == wanted
    assert [(r["check"], r["line"]) for r in found.rejections] == [
        ("bad_times", 3),
        ("bad_times", 4),
        ("span_past_end", 6),
    ]


def test_switchboard_cuts_are_exact_to_the_sample(tmp_path: Path) -> None:
    found = read("switchboard", tree(tmp_path, {"sw02001.sph": plain_call(), **both_sides()}))
    sound = decode_ulaw(encode_ulaw(two_tones()))
    spans = [(round(0.977625 * 8000), round(2.561375 * 8000)), (round(3.250125 * 8000), 40000)]
    for segment, (start, stop) in zip(found.segments, spans, strict=True):
        samples = found.sound(segment).samples
        assert len(samples) == stop - start
        assert np.array_equal(samples, sound[start:stop, segment.audio.channel])


def test_switchboard_dev_and_test_have_callers_of_their_own(tmp_path: Path) -> None:
    source: dict[str, str | bytes] = {}
    table = ""
    for number in range(12):
        call = str(2001 + number)
        source |= {f"sw0{call}.sph": call_bytes(2.0, seed=number)}
        source |= side("A", "0.1 1.0 one two", call=call) | side("B", "0.9 1.9 three four", call=call)
        if number < 11:  # the last one has no callers
            table += f"{call}, 301, {1000 + number}, {1001 + number}\n"
    found = publish(
        "switchboard", tmp_path / "store", tree(tmp_path / "in", {**source, "conv_tab.csv": table})
    )
    where: dict[str, set[str]] = {}
    for row in found.rows:
        where.setdefault(row["speaker_id"], set()).add(row["split"])
    assert all(len(splits) == 1 for splits in where.values())
    assert {s for splits in where.values() for s in splits} == {"train", "dev", "test"}
    assert where["sw02012-A"] == where["sw02012-B"] == {"train"}
    assert found.manifest["split_told"]["hours_left_out"] > 0


def test_switchboard_the_known_defects_are_applied_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source: dict[str, str | bytes] = {
        f"sw0{call}.sph": "x" for call in ("2167", "4349", "2986", "2663", "2671")
    }
    source |= side("B", "1.0 2.0 almost empty", call="2167") | side("A", "1.0 2.0 fine", call="2167")
    source |= side("B", "0.0 1.0 fine", "1.0 85.9 [noise]", call="4349")
    source |= side("A", "80.6385 83.358875 too many words", call="2986")
    source |= side("A", "161.12025 164.213375 too many words", call="2663")
    source |= side("B", "240.0 250.0 whose words", "260.0 270.0 fine", call="2671")
    with caplog.at_level(logging.INFO, "corpora.importers._defects"):
        found = read("switchboard", tree(tmp_path, source))
    dropped = [r.utterance_id for r in found.rejections if r.check == "known_defect"]
    assert dropped == [
        "sw2167B-ms98-a-0001",
        "sw2663A-ms98-a-0001",
        "sw2986A-ms98-a-0001",
        "sw4349B-ms98-a-0002",
    ]
    assert {s.utterance_id: "known_defect" in s.flags for s in found.segments} == {
        "sw2167A-ms98-a-0001": False,
        "sw2671B-ms98-a-0001": True,
        "sw2671B-ms98-a-0002": False,
        "sw4349B-ms98-a-0001": False,
    }
    assert len(caplog.records) == 5


def test_switchboard_words_on_the_wrong_channel_are_flagged_and_never_moved(tmp_path: Path) -> None:
    sound = two_tones()
    sound[:24000, 0] //= 40  # side A is quiet in the first half, side B speaks
    data = sphere_bytes(sound, SphereFormat(8000, "ulaw"))
    rows = side("A", "0.5 2.5 whose words", "3.5 5.5 my words") | side("B", "0.5 2.5 his words")
    found = publish("switchboard", tmp_path / "store", tree(tmp_path / "in", {"sw02001.sph": data, **rows}))
    flagged = {r["text"]: "maybe_swapped" in r["flags"] for r in found.rows}
    assert flagged == {"whose words": True, "my words": False, "his words": False}
    assert {r["text"]: r["channel"] for r in found.rows} == {"whose words": 0, "my words": 0, "his words": 1}
    assert found.manifest["flags"]["maybe_swapped"] == 1
    louder = {r["text"]: r["measures"]["other_channel_db"] for r in found.rows}
    assert louder["whose words"] > 20 > louder["his words"]
    assert "maybe_swapped" in render_corpus_report(open_store(tmp_path / "store").corpus("switchboard"))


def test_switchboard_the_hash_of_the_transcripts_tar_stands_in_the_manifest(tmp_path: Path) -> None:
    audio = tree(tmp_path / "LDC97S62", {"sw02001.sph": plain_call()})
    texts = tree(
        tmp_path / "swb_ms98_transcriptions", {k.partition("/")[2]: v for k, v in both_sides().items()}
    )
    packed = files.pack(texts, tmp_path / "switchboard_word_alignments.tar.gz")
    found = publish("switchboard", tmp_path / "store", audio, packed)
    hashes = {source["name"]: source.get("sha256") for source in found.manifest["sources"]}
    assert hashes[packed.name] == hashlib.sha256(packed.read_bytes()).hexdigest()


HUB5 = """;; CATEGORY "0" "" ""
en_4156 A en_4156_A 0.50 1.50 <O,en,F,en-F>  OH (UH) I (%HESITATION) THINK
en_4156 B en_4156_B 1.00 2.00 <O,en,M,en-M>  IGNORE_TIME_SEGMENT_IN_SCORING
en_4156 B en_4156_B 2.00 3.00 <O,en,M,en-M>  <B_ASIDE> COME IN <E_ASIDE> (( SURE
sw_4390 A sw_4390_A 0.50 1.50 <O,sw,F,sw-F>  YEAH
sw_4390 A sw_4390_A 2.00 3.00 <O,sw,F,sw-F>  IGNORE_TIME_SEGMENT_SCORING
sw_4390 B sw_4390_B 2.00 3.00 <O,sw,M,sw-M>  RIGHT RI-
"""


def hub5(root: Path) -> Path:
    return tree(
        root,
        {
            "hub5e_00/english/en_4156.sph": call_bytes(3.0, seed=1),
            "LDC2002S09/english/sw_4390.sph": call_bytes(3.0, seed=2),
            "2000_hub5_eng_eval_tr/reference/hub5e00.english.000405.stm": HUB5,
            "2000_hub5_eng_eval_tr/reference/en20000405_hub5.glm": ";; rules\n",
            "hub5e_00/english/hub5e_00.pem": "en_4156 A en_4156_A 0.5 1.5\n",
        },
    )


def test_switchboard_hub5_2000_as_a_test_set_with_its_parts(tmp_path: Path) -> None:
    found = publish("hub5_2000", tmp_path / "store", hub5(tmp_path / "in"))
    rows = {row["text"]: row for row in found.rows}
    assert set(rows) == {"oh uh i uh think", "come in sure", "yeah", "right ri"}
    assert {row["split"] for row in found.rows} == {"test"}
    assert {text: row["subset"] for text, row in rows.items()} == {
        "oh uh i uh think": "callhome", "come in sure": "callhome", "yeah": "swbd", "right ri": "swbd",
    }  # fmt: skip
    assert rows["oh uh i uh think"]["text_raw"] == "OH (UH) I (%HESITATION) THINK"
    assert rows["oh uh i uh think"]["text_scoring"] == "oh i think"
    assert [(rows[t]["speaker_id"], rows[t]["gender"], rows[t]["channel"]) for t in ("yeah", "right ri")] == [
        ("sw_4390-A", "f", 0),
        ("sw_4390-B", "m", 1),
    ]
    assert found.manifest["ignored"]["marked ignore_time_segment_in_scoring"] == 2
    assert found.manifest["expected"] == {
        "all": {"recordings": {"expected": 40, "found": 2}},
        "callhome": {"recordings": {"expected": 20, "found": 1}},
        "swbd": {"recordings": {"expected": 20, "found": 1}},
    }


def test_switchboard_all_40_calls_make_80_sides_and_missing_ones_are_listed(tmp_path: Path) -> None:
    names = [f"en_{4100 + n}" for n in range(20)] + [f"sw_{4300 + n}" for n in range(20)]
    lines = [f"{name} {side} {name}_{side} 0.5 1.5 <O,x,F,x-F> YES" for name in names for side in "AB"]
    files: dict[str, str | bytes] = {f"english/{name}.sph": "x" for name in names}
    found = read(
        "hub5_2000", tree(tmp_path, {**files, "hub5e00.english.000405.stm": "\n".join(lines) + "\n"})
    )
    assert found.scan.notes == ("40 recordings, 80 sides with text",)
    assert len({(s.recording_id, s.audio.channel) for s in found.segments}) == 80
    (tmp_path / "english/en_4100.sph").unlink()
    assert [(r.utterance_id, r.check) for r in read("hub5_2000", tmp_path).rejections] == [
        ("en_4100", "audio_missing")
    ]


def test_switchboard_rt_03_with_numbered_channels(tmp_path: Path) -> None:
    stm = (
        "fsh_60262 1 fsh_60262_1 0.5 1.5 <O,fsh,F,fsh-F> hello there\n"
        "fsh_60262 2 inter_segment_gap 1.0 1.5 <O,,unknown,>\n"
        "fsh_60262 2 fsh_60262_2 1.5 2.5 <O,fsh,M,fsh-M>\n"
        "sw_46512 2: sw_46512_2 0.5 1.5 <O,sw,M,sw-M> hi\n"
        "sw_46512 3 sw_46512_3 0.5 1.5 <O,sw,M,sw-M> nobody\n"
    )
    files = {
        f"data/audio/eval03/english/cts/{name}.sph": call_bytes(3.0) for name in ("fsh_60262", "sw_46512")
    }
    source = tree(tmp_path, {**files, "data/references/eval03/english/cts/rt03.stm": stm})
    found = read("rt03", source)
    assert [(s.recording_id, s.subset, s.audio.channel, s.text_raw) for s in found.segments] == [
        ("fsh_60262", "fisher", 0, "hello there"),
        ("sw_46512", "swbd", 1, "hi"),
    ]
    assert [pitch_hz(found.sound(s).samples) for s in found.segments] == pytest.approx(TONES_HZ, abs=3)
    reasons = [i.reason for i in found.items if isinstance(i, Ignored)]
    assert reasons == ["gap between segments", "no words"]
    assert [r.check for r in found.rejections] == ["bad_channel"]


def test_switchboard_real_lines_have_an_answer(real_data: Path) -> None:
    path = real_data / "switchboard_transcripts" / "timed-transcript"
    if not path.is_file():
        pytest.skip("no real Switchboard transcripts here")
    texts = [line.split(" ", 2)[2] for line in path.read_text("utf-8").splitlines() if line.count(" ") > 1]
    rules = Normaliser(default_labels(), "switchboard")
    answers = [rules.normalise(text) for text in texts]
    checks = {answer.check for answer in answers if isinstance(answer, Refused)}
    assert checks <= {"empty_text", "noise_only", "partial_word"}
    assert sum(isinstance(answer, Normalised) for answer in answers) > 2500
