"""Fisher, point by point: everything a person with the discs must be able to count on. All calls are invented."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import numpy as np
import pytest

from corpora.importers.fisher import EXPECTED
from corpora.text.normaliser import Normaliser, Policies, Refused, default_labels
from demo.layouts import fisher, tones
from demo.sphere_writer import decode_ulaw, encode_ulaw
from store.errors import UsageError
from tests.corpora.calls import TONES_HZ, call_bytes, command, pitch_hz, publish, read, tree, two_tones

HEAD = "# fe_03_00007.sph\n# Transcribed at the LDC\n\n"
LINES = HEAD + "0.50 2.00 A: so the topic is\n2.10 3.90 B: oh\n"
TABLE_HEAD = (
    "CALL_ID,DATE_TIME,TOPICID,SIG_GRADE,CNV_GRADE,"
    "APIN,ASX.DL,APHNUM,APHSET,APHTYP,BPIN,BSX.DL,BPHNUM,BPHSET,BPHTYP\n"
)
AUDIO, TEXT = "audio/000/fe_03_00007.sph", "data/trans/000/fe_03_00007.txt"
LAYOUTS = {
    "Kaldi, DeepSpeech": (f"LDC2004S13/fe_03_p1_sph1/{AUDIO}", f"LDC2004T19/fe_03_p1_tran/{TEXT}"),
    "lhotse, without fe_03_p1_tran": (f"LDC2004S13/fisher_eng_tr_sp_d1/{AUDIO}", f"LDC2004T19/{TEXT}"),
    "catalogue level doubled": (
        f"LDC2004S13/LDC2004S13/fe_03_p1_sph7/{AUDIO}",
        f"LDC2004T19/LDC2004T19/fe_03_p1_tran/{TEXT}",
    ),
    "NeMo": (f"LDC2004S13-Part1/fe_03_p1_sph1/{AUDIO}", f"LDC2004T19-Part1/fe_03_p1_tran/{TEXT}"),
    "part 2": (f"LDC2005S13/fe_03_p2_sph1/{AUDIO}", f"LDC2005T19/fe_03_p2_tran/{TEXT}"),
    "all discs merged": ("fisher/fe_03_00007.sph", "fisher/fe_03_00007.txt"),
    "upper case": ("all/FE_03_00007.SPH", "all/FE_03_00007.TXT"),
    "called wav": ("disc/fe_03_00007.wav", "disc/fe_03_00007.txt"),
}


def one_call(root: Path, lines: str, **files: str | bytes) -> Path:
    return tree(root, {"fe_03_00007.sph": "x", "fe_03_00007.txt": lines, **files})


def row(call: str, pin_a: str, pin_b: str, sexes: str = "mf") -> str:
    a, b = sexes
    return f"{call},d,t,3,3,{pin_a},{a}.a,5551234567h,2,3,{pin_b},{b}.o,5559876543h,1,2\n"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_fisher_every_layout(layout: str, tmp_path: Path) -> None:
    audio, text = LAYOUTS[layout]
    strays = {"LDC2004S13/disc3.zip.001": "x", "LDC2004T19/data/bbn_orig/000/fe_03_00007.txt": "L: not this"}
    found = read("fisher", tree(tmp_path, {audio: call_bytes(), text: LINES, **strays}))
    assert found.rejections == []
    assert [(s.audio.member, s.source_path) for s in found.segments] == [(audio, text)] * 2
    for segment in found.segments:
        assert pitch_hz(found.sound(segment).samples) == pytest.approx(TONES_HZ[segment.audio.channel], abs=3)
    assert {item.source_path for item in found.ignored} >= set(strays)


def test_fisher_audio_and_text_as_two_sources_and_copies(tmp_path: Path) -> None:
    audio = tree(tmp_path / "speech", {AUDIO: call_bytes(), f"copy/{AUDIO}": call_bytes()})
    text = tree(tmp_path / "texts", {TEXT: LINES})
    found = read("fisher", audio, text)
    assert (len(found.segments), found.rejections) == (2, [])
    assert [i.reason for i in found.ignored if i.source_path.endswith(".sph")] == [
        "second copy of the same file"
    ]
    tree(audio, {f"copy/{AUDIO}": call_bytes(seed=5)})
    conflict = [r for r in read("fisher", audio, text).rejections if r.check == "conflicting_copies"]
    assert [r.source_path for r in conflict] == [f"speech/{AUDIO}", f"speech/copy/{AUDIO}"]
    assert all(f"speech/{AUDIO}, speech/copy/{AUDIO}" in r.reason for r in conflict)


def test_fisher_shorten_decodes_and_sides_are_never_swapped(tmp_path: Path) -> None:
    sound = decode_ulaw(encode_ulaw(two_tones()))
    for shorten in (True, False):
        data = call_bytes(shorten=shorten)
        assert (b"ulaw,embedded-shorten-v2.00" in data) == shorten
        found = read("fisher", one_call(tmp_path, LINES, **{"fe_03_00007.sph": data}))
        for segment, (side, start, stop) in zip(
            found.segments, [(0, 4000, 16000), (1, 16800, 31200)], strict=True
        ):
            samples = found.sound(segment).samples
            assert np.array_equal(samples, sound[start:stop, side])
            assert pitch_hz(samples) == pytest.approx(TONES_HZ[side], abs=3)


def test_fisher_two_letter_utterances_survive(tmp_path: Path) -> None:
    lines = "".join(f"{n}.00 {n}.90 A: {word}\n" for n, word in enumerate(["oh", "uh", "no", "i"], 1))
    found = read("fisher", one_call(tmp_path, HEAD + lines))
    assert [segment.text_raw for segment in found.segments] == ["oh", "uh", "no", "i"]
    rules = Normaliser(default_labels(), "fisher")
    assert [rules.normalise(s.text_raw).text for s in found.segments] == ["oh", "uh", "no", "i"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("policy", "empty", "words"),
    [("reject", "unintelligible", "uncertain"), ("keep", "unintelligible", "i think")],
)
def test_fisher_doubt_in_double_parentheses(policy: str, empty: str, words: str, tmp_path: Path) -> None:
    source = one_call(tmp_path, HEAD + "1.00 2.00 A: (( ))\n3.00 4.00 A: ((i think))\n")
    found = read("fisher", source, uncertain=policy)
    assert {segment.policies for segment in found.segments} == {Policies(uncertain=policy)}
    answers = [
        Normaliser(default_labels(), s.style, s.policies).normalise(s.text_raw) for s in found.segments
    ]
    assert [a.check if isinstance(a, Refused) else a.text for a in answers] == [empty, words]


def test_fisher_times_are_rounded_to_the_sample(tmp_path: Path) -> None:
    spans = [(0.29, 8.78), (4.35, 5.67), (1.13, 1.39)]
    lines = "".join(
        f"{start:.2f} {end:.2f} {side}: words\n" for (start, end), side in zip(spans, "ABA", strict=True)
    )
    sound = decode_ulaw(encode_ulaw(two_tones(9.0)))
    found = read("fisher", one_call(tmp_path, HEAD + lines, **{"fe_03_00007.sph": call_bytes(9.0)}))
    for segment, (start, end) in zip(found.segments, spans, strict=True):
        expected = sound[round(start * 8000) : round(end * 8000), segment.audio.channel]
        assert np.array_equal(found.sound(segment).samples, expected)
    assert found.segments[0].utterance_id == "fe_03_00007-A-0000290-0008780"


def test_fisher_the_shipped_table_is_applied_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files: dict[str, str | bytes] = {
        "fe_03_00265.txt": "33.53 33.81 B: wrong\n33.53 33.81 A: right\n33.53 33.82 B: right\n",
        "fe_03_11487.txt": "31.09 234.06 B: a missing digit\n",
        "fe_03_00027.txt": "393.80 394.05 B: short\n",
    }
    files |= {name.replace(".txt", ".sph"): "x" for name in files}
    with caplog.at_level(logging.INFO, "corpora.importers._defects"):
        found = read("fisher", tree(tmp_path, files))
    assert [(r.utterance_id, r.check, r.line) for r in found.rejections] == [
        ("fe_03_00027-B-0393800-0394050", "known_defect", 1),
        ("fe_03_00265-B-0033530-0033810", "known_defect", 1),
    ]
    assert [(s.text_raw, s.audio.start_s, "known_defect" in s.flags) for s in found.segments] == [
        ("right", 33.53, False), ("right", 33.53, False), ("a missing digit", 231.09, True),
    ]  # fmt: skip
    assert len(caplog.records) == 3
    assert "fe_03_11487-B" in caplog.text and "set_start" in caplog.text


def test_fisher_a_persons_repairs_win_and_unknown_keys_do_nothing(tmp_path: Path) -> None:
    repairs = tmp_path / "repairs.toml"
    entry = 'recording = "00265"\nside = "B"\nstart = 33.53\nend = 33.81\naction = "text"\ntext = "the right words"\n'
    other = 'recording = "99999"\nside = "A"\nstart = 1.0\nend = 2.0\naction = "drop"\n'
    repairs.write_text(f"[[segment]]\n{entry}\n[[segment]]\n{other}")
    files = {"fe_03_00265.txt": "33.53 33.81 B: wrong\n", "fe_03_00265.sph": "x"}
    found = read("fisher", tree(tmp_path / "source", {**files}), repairs=str(repairs))
    assert [(s.text_raw, s.flags) for s in found.segments] == [
        ("the right words", ("speaker_unknown", "known_defect"))
    ]
    assert found.rejections == []
    repairs.write_text('[[segment]]\nrecording = "00265"\nside = "B"\naction = "mend"\n')
    with pytest.raises(UsageError, match=r"segment 1: action 'mend' is none of drop"):
        read("fisher", tmp_path / "source", repairs=str(repairs))
    with pytest.raises(UsageError, match="does not exist"):
        read("fisher", tmp_path / "source", repairs=str(tmp_path / "nothing.toml"))


def test_fisher_bad_lines_are_rows_with_their_place(tmp_path: Path) -> None:
    bad = {
        "4.00 3.00 A: so": "bad_times",
        "4.00 5.00 C: so": "bad_side",
        "4.00 so what": "bad_line",
        "4.00 6.50 A: so": "span_past_end",
        "9.00 9.50 A: so": "span_past_end",
    }
    text = LINES + "\n# a comment\n" + "".join(f"{line}\n" for line in bad)
    source = one_call(tmp_path / "in", text, **{"fe_03_00007.sph": call_bytes()})
    found = publish("fisher", tmp_path / "store", source)
    places = [(r["check"], r["source_path"], r["line"]) for r in found.rejections]
    assert places == [(check, "fe_03_00007.txt", line) for line, check in enumerate(bad.values(), 8)]
    assert all(refused["reason"] for refused in found.rejections)
    assert len(found.rows) == 2


def test_fisher_a_header_of_another_call_refuses_the_file(tmp_path: Path) -> None:
    for text in (
        HEAD.replace("00007", "00008") + "1.00 2.00 A: oh\n",
        "1.00 2.00 A: oh\n# fe_03_00008.sph\n",
    ):
        found = read("fisher", one_call(tmp_path, text))
        assert [(r.check, r.source_path) for r in found.rejections] == [("id_mismatch", "fe_03_00007.txt")]
        assert found.segments == []


def test_fisher_headers_and_blank_lines_stand_anywhere(tmp_path: Path) -> None:
    for text in (
        "1.00 2.00 A: oh\n",
        "\n\n# fe_03_00007.sph\n1.00 2.00 A: oh\n",
        f"1.00 2.00 A: oh\n\n{HEAD}",
    ):
        assert [s.text_raw for s in read("fisher", one_call(tmp_path, text)).segments] == ["oh"]


def test_fisher_unpaired_files_are_listed(tmp_path: Path) -> None:
    found = read(
        "fisher", one_call(tmp_path, LINES, **{"fe_03_00008.sph": "x", "fe_03_05851.txt": "1 2 A: oh\n"})
    )
    assert [(r.source_path, r.check) for r in found.rejections] == [
        ("fe_03_00008.sph", "transcript_missing"),
        ("fe_03_05851.txt", "audio_missing"),
    ]
    assert len(found.segments) == 2


def test_fisher_speakers_are_pins_with_their_zeros(tmp_path: Path) -> None:
    without = read("fisher", one_call(tmp_path, LINES))
    assert [(s.speaker_id, s.gender, s.flags) for s in without.segments] == [
        ("fe_03_00007-A", None, ("speaker_unknown",)),
        ("fe_03_00007-B", None, ("speaker_unknown",)),
    ]
    table = TABLE_HEAD + row("00007", "00123", "45678")
    known = read("fisher", one_call(tmp_path, LINES, **{"doc/fe_03_p1_calldata.tbl": table}))
    assert [(s.speaker_id, s.gender, s.flags) for s in known.segments] == [
        ("00123", "m", ()),
        ("45678", "f", ()),
    ]


def test_fisher_sex_by_majority_of_all_tables_else_none_and_flagged(tmp_path: Path) -> None:
    pins = "PIN,S_SEX,S_AGE,EDUCATION\n00123,F,44,16\n45678,M,NA,12\n"
    files = {"doc/fe_03_p1_calldata.tbl": TABLE_HEAD + row("00007", "00123", "45678", "ff")}
    files |= {"doc/fe_03_pindata.tbl": pins}
    found = read("fisher", one_call(tmp_path, LINES, **files))
    assert [(s.gender, s.flags) for s in found.segments] == [("f", ()), (None, ("gender_disputed",))]
    files["doc/fe_03_p2_calldata.tbl"] = (
        TABLE_HEAD + row("05900", "45678", "1", "ff") + row("05901", "45678", "2", "mm")
    )
    files["p2/doc/fe_03_pindata.tbl"] = pins  # the same entry again is no second vote
    found = read("fisher", one_call(tmp_path, LINES, **files))
    assert [(s.gender, s.flags) for s in found.segments] == [("f", ()), (None, ("gender_disputed",))]
    files["doc/fe_03_p2_calldata.tbl"] += row("05902", "45678", "3", "mm")
    assert [s.gender for s in read("fisher", one_call(tmp_path, LINES, **files)).segments] == ["f", "m"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("LDC2004S13/fe_03_p1_sph1/filetable.txt", "fe_03_p1_sph1 fe_03_00007.sph fm\n"),
        ("LDC2005S13/docs/filetable2.txt", "fe_03_p2_sph1 fe_03_00007.sph fm\n"),
        ("doc/fe_03_p1_filelist.tbl", "fe_03_p1_sph1\t00007\tfm\tLDC\n"),
        ("doc/fe_03_p1_filelist.tbl", "00007 fe_03_p1_sph1 fm BBN\n"),
    ],
)
def test_fisher_disc_tables_are_the_fallback(name: str, text: str, tmp_path: Path) -> None:
    assert [s.gender for s in read("fisher", one_call(tmp_path, LINES, **{name: text})).segments] == [
        "f",
        "m",
    ]


def platform(root: Path, calls: int, pins: int) -> Path:
    """Calls between people who call again: neighbours on a ring, so that everybody is linked."""
    table, files = TABLE_HEAD, {}
    for call in range(1, calls + 1):
        a, b = 100 + call % pins, 100 + (call + 1) % pins
        table += row(f"{call:05d}", str(a), str(b))
        files[f"fe_03_{call:05d}.sph"] = call_bytes(2.0, seed=call)
        files[f"fe_03_{call:05d}.txt"] = b"0.10 1.00 A: one two\n1.00 1.90 B: three four\n"
    return tree(root, {**files, "doc/fe_03_p1_calldata.tbl": table})


def test_fisher_splits_are_disjoint_by_pin_and_kept_while_the_corpus_grows(tmp_path: Path) -> None:
    earlier: dict[str, str] = {}
    for calls in (14, 20, 26):
        source = platform(tmp_path / "discs", calls, 27)
        found = publish("fisher", tmp_path / "store", source)
        pins: dict[str, set[str]] = {}
        by_call: dict[str, set[str]] = {}
        for utterance in found.rows:
            pins.setdefault(utterance["speaker_id"], set()).add(utterance["split"])
            by_call.setdefault(utterance["recording_id"], set()).add(utterance["split"])
        assert all(len(splits) == 1 for splits in [*pins.values(), *by_call.values()])
        assert {split for splits in pins.values() for split in splits} == {"train", "dev", "test"}
        now = {pin: splits.pop() for pin, splits in pins.items()}
        assert {pin: now.get(pin, split) for pin, split in earlier.items()} == earlier
        earlier |= now
        left_out = [r for r in found.rejections if r["check"] == "split_bridge"]
        told = found.manifest["split_told"]
        assert len(left_out) == told["utterances_left_out"] == 2 * calls - len(found.rows) > 0
        assert told["hours_left_out"] == pytest.approx(len(left_out) * 0.9 / 3600, abs=1e-5)
        assert told["salt"] == "speechmill split/fisher"
        assert found.said["status"] == "published"
    alone = [publish("fisher", tmp_path / name, tmp_path / "discs").manifest for name in ("a", "b")]
    assert alone[0] == alone[1]


def test_fisher_one_unit_per_call_any_number_of_workers_and_a_rerun_that_does_nothing(
    tmp_path: Path,
) -> None:
    from corpora.refresh.plan import RefreshRequest
    from corpora.refresh.stage import refresh

    source = platform(tmp_path / "discs", 6, 12)
    found = read("fisher", source)
    assert [unit.key for unit in found.scan.units] == [f"{call:05d}" for call in range(1, 7)]
    assert all(len(unit.members) == 2 for unit in found.scan.units)
    answers = [
        refresh(RefreshRequest("fisher", (source,), store=tmp_path / f"w{n}", workers=n)) for n in (1, 2)
    ]
    assert answers[0]["version"] == answers[1]["version"]
    again = refresh(RefreshRequest("fisher", (source,), store=tmp_path / "w1"))
    assert (again["status"], again["version"]) == ("unchanged", answers[0]["version"])


def test_fisher_rows_stay_at_8_khz_mono_per_side(tmp_path: Path) -> None:
    written = fisher.write(tmp_path, tones.utterances(2, 1))
    found = publish("fisher", tmp_path / "store", written.path)
    assert {row["sample_rate_hz"] for row in found.rows} == {8000}
    assert {row["channel"] for row in found.rows} == {0, 1}
    assert {row["num_samples"] / row["duration_s"] for row in found.rows} == {8000.0}


def test_fisher_counts_are_compared_with_the_published_ones_and_never_fatal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert EXPECTED["all"] == {"recordings": 11_699, "hours": 1915.0}
    source = one_call(tmp_path / "in", LINES, **{"fe_03_00007.sph": call_bytes()})
    store = str(tmp_path / "store")
    assert command(monkeypatch, "refresh", "fisher", "--source", str(source), "--store", store) == 0
    printed = capsys.readouterr().out
    assert "all recordings: 1 of 11,699 as published" in printed
    assert "of 1,915.0 as published" in printed
    assert "part1 recordings: 1 of 5,850 as published" in printed
    assert "part2" not in printed
    assert command(monkeypatch, "doctor", str(source)) == 0
    assert "1 calls of 11,699" in capsys.readouterr().out


def test_fisher_phone_numbers_are_never_copied(tmp_path: Path) -> None:
    table = TABLE_HEAD + row("00007", "00123", "45678")
    files = {"fe_03_00007.sph": call_bytes(), "doc/fe_03_p1_calldata.tbl": table}
    publish("fisher", tmp_path / "store", one_call(tmp_path / "in", LINES, **files))
    for folder, _, names in os.walk(tmp_path / "store"):
        for name in names:
            assert b"5551234567" not in (Path(folder) / name).read_bytes(), name
            assert b"5559876543" not in (Path(folder) / name).read_bytes(), name


def test_fisher_options_are_recorded_and_a_repair_makes_a_new_version(tmp_path: Path) -> None:
    source = one_call(tmp_path / "in", LINES, **{"fe_03_00007.sph": call_bytes()})
    repairs = tmp_path / "mine.toml"
    repairs.write_text(
        '[[segment]]\nutterance = "fe_03_00007-A-0000500-0002000"\naction = "text"\ntext = "better"\n'
    )
    plain = publish("fisher", tmp_path / "store", source)
    mended = publish("fisher", tmp_path / "store", source, repairs=str(repairs), uncertain="keep")
    assert plain.manifest["options"] == {}
    assert mended.manifest["options"]["uncertain"] == "keep"
    assert mended.manifest["options"]["repairs"].startswith("sha256:")
    assert sorted(row["text"] for row in mended.rows) == ["better", "oh"]
    with pytest.raises(UsageError, match="no option 'pad'; it has: --partial, --uncertain, --repairs"):
        read("fisher", source, pad="yes")
