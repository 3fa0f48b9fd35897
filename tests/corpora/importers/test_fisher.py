"""Fisher: files found wherever they lie, sides and PINs kept apart, every bad line refused by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpora.errors import SourceError
from corpora.importer import Ignored, ImportOptions, RawSegment, Rejection, Scan
from corpora.importers.fisher import FisherImporter
from corpora.sources.opening import open_source
from corpora.sources.source import Source

IMPORTER = FisherImporter()
HEAD = "# fe_03_00007.sph\n# Transcribed at the LDC\n\n"
TABLE_HEAD = (
    "CALL_ID,DATE_TIME,TOPICID,SIG_GRADE,CNV_GRADE,"
    "APIN,ASX.DL,APHNUM,APHSET,APHTYP,BPIN,BSX.DL,BPHNUM,BPHSET,BPHTYP\n"
)


def tree(root: Path, files: dict[str, str]) -> Source:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return open_source([root])


def items_of(source: Source) -> tuple[Scan, list[RawSegment | Rejection | Ignored]]:
    scan = IMPORTER.scan(source, ImportOptions())
    return scan, [item for unit in scan.units for item in IMPORTER.read(source, unit)]


def one_call(root: Path, lines: str, **tables: str) -> tuple[Scan, list[RawSegment | Rejection]]:
    files = {"fe_03_00007.sph": "x", "fe_03_00007.txt": HEAD + lines, **tables}
    scan, items = items_of(tree(root, files))
    return scan, [item for item in items if not isinstance(item, Ignored)]


@pytest.mark.parametrize(
    ("audio", "text"),
    [
        (
            "LDC2004S13/fe_03_p1_sph1/audio/000/fe_03_00007.sph",
            "LDC2004T19/fe_03_p1_tran/data/trans/000/fe_03_00007.txt",
        ),
        (
            "fisher_eng_tr_sp_d1/audio/000/fe_03_00007.sph",
            "LDC2004T19/LDC2004T19/data/trans/000/fe_03_00007.txt",
        ),
        ("all/FE_03_00007.SPH", "all/fe_03_00007.txt"),
        ("fe_03_00007.wav", "fe_03_00007.txt"),
    ],
)
def test_files_are_found_in_every_known_tree(audio: str, text: str, tmp_path: Path) -> None:
    strays = {"LDC2004S13/disc.zip.001": "x", "LDC2004T19/data/bbn_orig/000/fe_03_00007.txt": "L: not this"}
    scan, items = items_of(tree(tmp_path, {audio: "x", text: HEAD + "7.38 8.78 A: so oh\n", **strays}))
    segment = items[-1]
    assert isinstance(segment, RawSegment)
    assert (segment.audio.member, segment.source_path) == (audio, text)
    assert scan.rejections == ()


def test_sides_are_channels_and_times_are_kept_as_written(tmp_path: Path) -> None:
    _, items = one_call(tmp_path, "0.29 8.78 A: oh\n7.10 9.90 B: no way\n9.91 10.00 A: (( ))\n")
    segments = [item for item in items if isinstance(item, RawSegment)]
    assert [(s.audio.channel, s.audio.start_s, s.audio.end_s, s.text_raw) for s in segments] == [
        (0, 0.29, 8.78, "oh"),
        (1, 7.1, 9.9, "no way"),
        (0, 9.91, 10.0, "(( ))"),
    ]
    assert [s.utterance_id for s in segments][:2] == [
        "fe_03_00007-A-0000290-0008780",
        "fe_03_00007-B-0007100-0009900",
    ]
    assert {s.split for s in segments} == {None}


def test_blanks_around_the_colon_do_not_matter(tmp_path: Path) -> None:
    _, items = one_call(tmp_path, "1 2 A:oh\n3 4  B : it is: no\n5 6 A:\n")
    assert [item.text_raw for item in items] == ["oh", "it is: no", ""]


def test_without_tables_each_side_is_its_own_unknown_speaker(tmp_path: Path) -> None:
    scan, items = one_call(tmp_path, "1 2 A: oh\n3 4 B: no\n")
    segments = [item for item in items if isinstance(item, RawSegment)]
    assert [s.speaker_id for s in segments] == ["fe_03_00007-A", "fe_03_00007-B"]
    assert all(s.flags == ("speaker_unknown",) and s.gender is None for s in segments)
    assert any("no calldata table" in note for note in scan.notes)


def test_pins_keep_leading_zeros_and_no_phone_number_is_read(tmp_path: Path) -> None:
    row = "00007,20030101_10:00:00,ENG01,3,3,00123,f.a,5551234567h,2,3,45678,m.o,5559876543h,1,2\n"
    source = tree(
        tmp_path,
        {
            "fe_03_00007.sph": "x",
            "fe_03_00007.txt": HEAD + "1 2 A: oh\n3 4 B: no\n",
            "doc/fe_03_p1_calldata.tbl": TABLE_HEAD + row,
        },
    )
    scan, items = items_of(source)
    segments = [item for item in items if isinstance(item, RawSegment)]
    assert [(s.speaker_id, s.gender, s.flags) for s in segments] == [("00123", "f", ()), ("45678", "m", ())]
    assert "555" not in repr(scan) + repr(items)


def test_a_pin_has_the_sex_most_calls_say_and_none_when_they_tie(tmp_path: Path) -> None:
    rows = [("00007", "f.a", "m.a"), ("00008", "m.a", "m.a"), ("00009", "f.a", "f.a")]
    table = TABLE_HEAD + "".join(
        f"{call},d,t,3,3,111,{a},p,2,3,{'222' if call != '00009' else '333'},{b},p,1,2\n"
        for call, a, b in rows
    )
    files = {f"fe_03_{call}.{kind}": "" for call, _, _ in rows for kind in ("sph", "txt")}
    scan, _ = items_of(tree(tmp_path, {**files, "fe_03_p1_calldata.tbl": table}))
    assert [unit.payload["genders"] for unit in scan.units] == [["f", "m"], ["f", "m"], ["f", "f"]]
    tie = table.replace("00009,d,t,3,3,111,f.a", "00009,d,t,3,3,111,x.a")
    (tmp_path / "fe_03_p1_calldata.tbl").write_text(tie, encoding="utf-8")
    scan, _ = items_of(open_source([tmp_path]))
    assert scan.units[0].payload["genders"] == [None, "m"]


def test_one_pin_on_both_sides_is_not_believed(tmp_path: Path) -> None:
    row = "00007,d,t,3,3,111,f.a,p,2,3,111,f.a,p,1,2\n"
    files = {
        "fe_03_00007.sph": "x",
        "fe_03_00007.txt": "1 2 A: oh\n3 4 B: no\n",
        "fe_03_p1_calldata.tbl": TABLE_HEAD + row,
    }
    _, items = items_of(tree(tmp_path, files))
    assert [item.speaker_id for item in items if isinstance(item, RawSegment)] == [
        "fe_03_00007-A",
        "fe_03_00007-B",
    ]


def test_the_disc_table_gives_the_sex_where_the_call_table_is_missing(tmp_path: Path) -> None:
    files = {"fe_03_00007.sph": "x", "fe_03_00007.txt": "1 2 A: oh\n3 4 B: no\n"}
    _, items = items_of(tree(tmp_path, {**files, "filetable.txt": "fe_03_p1_sph1 fe_03_00007.sph fm\n"}))
    assert [item.gender for item in items if isinstance(item, RawSegment)] == ["f", "m"]


@pytest.mark.parametrize(
    ("line", "check", "words"),
    [
        ("8.78 7.38 A: so", "bad_times", "not after"),
        ("7.38 8.78 C: so", "bad_side", "'C'"),
        ("7.38 8.78 L: so", "bad_side", "'L'"),
        ("7.38 8.78 so what", "bad_line", "start end"),
        ("7.38 A: so", "bad_line", "start end"),
        ("x 8.78 A: so", "bad_times", "'x'"),
    ],
)
def test_a_bad_line_is_refused_by_itself(line: str, check: str, words: str, tmp_path: Path) -> None:
    _, items = one_call(tmp_path, f"{line}\n9.10 9.90 B: oh\n")
    rejection, segment = items
    assert isinstance(rejection, Rejection)
    assert (rejection.check, rejection.line, rejection.text_raw) == (check, 4, line)
    assert words in rejection.reason
    assert isinstance(segment, RawSegment)


def test_a_file_of_another_call_is_refused_as_a_whole(tmp_path: Path) -> None:
    source = tree(tmp_path, {"fe_03_00008.sph": "x", "fe_03_00008.txt": HEAD + "1 2 A: oh\n3 4 B: no\n"})
    (rejection,) = items_of(source)[1]
    assert isinstance(rejection, Rejection)
    assert rejection.check == "id_mismatch"
    assert "00007" in rejection.reason


def test_overlap_is_normal_between_sides_and_flagged_on_one_side(tmp_path: Path) -> None:
    _, items = one_call(tmp_path, "1 3 A: one\n2 4 B: two\n2.5 3.5 A: three\n")
    flags = [item.flags for item in items if isinstance(item, RawSegment)]
    assert flags == [("speaker_unknown",), ("speaker_unknown",), ("speaker_unknown", "overlap")]


def test_equal_copies_count_once_and_unequal_ones_are_refused_together(tmp_path: Path) -> None:
    files = {"a/fe_03_00007.sph": "x", "b/fe_03_00007.sph": "x", "fe_03_00007.txt": "1 2 A: oh\n"}
    files |= {"a/fe_03_00008.sph": "x", "b/fe_03_00008.sph": "y", "fe_03_00008.txt": "1 2 A: oh\n"}
    scan, items = items_of(tree(tmp_path, files))
    assert [ignored.source_path for ignored in scan.ignored] == ["b/fe_03_00007.sph"]
    assert [(r.source_path, r.check) for r in scan.rejections] == [
        ("a/fe_03_00008.sph", "conflicting_copies"),
        ("b/fe_03_00008.sph", "conflicting_copies"),
        ("fe_03_00008.txt", "audio_missing"),
    ]
    assert len(items) == 1


def test_a_source_without_transcripts_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="transcript release"):
        IMPORTER.scan(tree(tmp_path, {"fe_03_00007.sph": "x"}), ImportOptions())
