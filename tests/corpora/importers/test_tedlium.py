"""TED-LIUM: talks paired in every tree, STM lines read to the letter, gaps and comments never utterances."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpora.errors import SourceError
from corpora.formats.stm import split_label
from corpora.importer import Ignored, ImportOptions, RawSegment, Rejection, Scan
from corpora.importers.tedlium import TedliumImporter
from corpora.sources.opening import open_source
from corpora.sources.source import Source

IMPORTER = TedliumImporter()


def tree(root: Path, files: dict[str, str]) -> Source:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return open_source([root])


def items_of(source: Source) -> tuple[Scan, list[RawSegment | Rejection | Ignored]]:
    scan = IMPORTER.scan(source, ImportOptions())
    return scan, [item for unit in scan.units for item in IMPORTER.read(source, unit)]


def one_talk(root: Path, stm: str) -> list[RawSegment | Rejection | Ignored]:
    return items_of(tree(root, {"train/sph/Ann_2009.sph": "x", "train/stm/Ann_2009.stm": stm}))[1]


def test_a_line_becomes_a_segment_with_its_label_span_and_line_number(tmp_path: Path) -> None:
    stm = (
        ";; made up\nAnn_2009 1 Ann_2009 12.30 17.85 <o,f0,female> so it 's not that (Ann_2009-12.30-17.85)\n"
    )
    comment, segment = one_talk(tmp_path, stm)
    assert comment == Ignored("train/stm/Ann_2009.stm", "STM comment")
    assert isinstance(segment, RawSegment)
    assert segment.utterance_id == "Ann_2009-0012300-0017850"
    assert segment.text_raw == "so it 's not that (Ann_2009-12.30-17.85)"
    assert (segment.audio.member, segment.audio.start_s, segment.audio.end_s) == (
        "train/sph/Ann_2009.sph",
        12.3,
        17.85,
    )
    assert (segment.gender, segment.split, segment.subset, segment.line) == ("f", "train", "train", 2)
    assert (segment.speaker_id, segment.style) == ("Ann_2009", "tedlium")


@pytest.mark.parametrize(
    ("rest", "label", "words"),
    [
        ("<o,f0,male> so what", "<o,f0,male>", "so what"),
        ("<F0_M> so what", "<F0_M>", "so what"),
        ("<o,f0,>", "<o,f0,>", ""),
        ("so what <unk>", "", "so what <unk>"),
        ("<unk> so what", "", "<unk> so what"),
        ("<sil> so what", "", "<sil> so what"),
        ("", "", ""),
    ],
)
def test_the_label_is_optional_and_no_word_is_taken_for_one(rest: str, label: str, words: str) -> None:
    assert split_label(rest) == (label, words)


@pytest.mark.parametrize(
    "mark",
    ["ignore_time_segment_in_scoring", "IGNORE_TIME_SEGMENT_IN_SCORING", "IGNORE_TIME_SEGMENT_SCORING"],
)
def test_gaps_are_counted_and_never_utterances(mark: str, tmp_path: Path) -> None:
    items = one_talk(tmp_path, f"Ann_2009 1 inter_segment_gap 0 12.30 <o,f0,> {mark}\n")
    gap, nothing = items
    assert gap == Ignored("train/stm/Ann_2009.stm", "marked ignore_time_segment_in_scoring")
    assert isinstance(nothing, Rejection)
    assert nothing.check == "transcript_empty"


@pytest.mark.parametrize(
    ("line", "check", "words"),
    [
        ("Ann_2009 1 Ann_2009 5.0 5.0 <F0_F> a b", "bad_times", "not after"),
        ("Ann_2009 1 Ann_2009 5.0 4.0 <F0_F> a b", "bad_times", "end 4.0 s"),
        ("Ann_2009 1 Ann_2009 -1 4.0 <F0_F> a b", "bad_times", "before the recording"),
        ("Ann_2009 1 Ann_2009 nan 4.0 <F0_F> a b", "bad_times", "not finite"),
        ("Ann_2009 1 Ann_2009 five six <F0_F> a b", "bad_times", "'five'"),
        ("Ann_2009 1 Ann_2009 5.0", "bad_line", "4 fields"),
        ("Bob_2009 1 Bob_2009 5.0 6.0 <F0_F> a b", "id_mismatch", "Bob_2009"),
        ("Ann_2009 2 Ann_2009 5.0 6.0 <F0_F> a b", "bad_channel", "'2'"),
    ],
)
def test_a_bad_line_is_refused_by_itself(line: str, check: str, words: str, tmp_path: Path) -> None:
    good = "Ann_2009 1 Ann_2009 7.0 8.0 <F0_F> c d\n"
    rejection, segment = one_talk(tmp_path, f"{line}\n{good}")
    assert isinstance(rejection, Rejection)
    assert (rejection.check, rejection.line, rejection.text_raw) == (check, 1, line)
    assert words in rejection.reason
    assert isinstance(segment, RawSegment)


def test_the_same_line_twice_is_one_utterance(tmp_path: Path) -> None:
    line = "Ann_2009 1 Ann_2009 7.0 8.0 <F0_F> c d\n"
    first, second = one_talk(tmp_path, line + line)
    assert isinstance(first, RawSegment)
    assert isinstance(second, Rejection)
    assert (second.check, second.line) == ("duplicate_id", 2)


def test_bytes_that_are_not_utf8_cost_one_line(tmp_path: Path) -> None:
    source = tree(tmp_path, {"train/sph/Ann_2009.sph": "x", "train/stm/Ann_2009.stm": ""})
    good = b"Ann_2009 1 Ann_2009 7.0 8.0 <F0_F> c d\n"
    (tmp_path / "train/stm/Ann_2009.stm").write_bytes(
        good + b"Ann_2009 1 Ann_2009 8.0 9.0 caf\xe9\n" + good[:-4] + b"e\n"
    )
    checks = [item.check if isinstance(item, Rejection) else "" for item in items_of(source)[1]]
    assert checks == ["", "encoding", "duplicate_id"]


def test_unpaired_talks_are_listed_and_the_rest_imported(tmp_path: Path) -> None:
    line = "Ann_2009 1 Ann_2009 7.0 8.0 <F0_F> c d\n"
    files = {
        "dev/sph/Ann_2009.sph": "x",
        "dev/stm/Ann_2009.stm": line,
        "dev/sph/Bob.sph": "x",
        "test/stm/Cy.stm": "",
    }
    scan, items = items_of(tree(tmp_path, files))
    assert [(r.source_path, r.check) for r in scan.rejections] == [
        ("dev/sph/Bob.sph", "transcript_missing"),
        ("test/stm/Cy.stm", "audio_missing"),
    ]
    assert len(items) == 1


def test_release_3_uses_legacy_and_passes_over_data(tmp_path: Path) -> None:
    line = "Ann_2009 1 Ann_2009 7.0 8.0 <F0_F> c d\n"
    files = {f"legacy/train/{kind}/Ann_2009.{kind}": line for kind in ("sph", "stm")}
    files |= {f"data/{kind}/Ann_2009.{kind}": line for kind in ("sph", "stm")}
    scan, items = items_of(tree(tmp_path, files))
    assert [item.audio.member for item in items if isinstance(item, RawSegment)] == [
        "legacy/train/sph/Ann_2009.sph"
    ]
    assert {ignored.source_path for ignored in scan.ignored} == {
        "data/sph/Ann_2009.sph",
        "data/stm/Ann_2009.stm",
    }


def test_a_talk_in_train_and_test_is_refused_in_train(tmp_path: Path) -> None:
    line = "Ann_2009 1 Ann_2009 7.0 8.0 <F0_F> c d\n"
    files = {
        f"{split}/{kind}/Ann_2009.{kind}": line for split in ("train", "test") for kind in ("sph", "stm")
    }
    scan, items = items_of(tree(tmp_path, files))
    assert [(r.source_path, r.check) for r in scan.rejections] == [("train/stm/Ann_2009.stm", "split_leak")]
    assert [item.split for item in items if isinstance(item, RawSegment)] == ["test"]


def test_a_person_with_talks_in_two_splits_is_noted(tmp_path: Path) -> None:
    files = {f"train/{kind}/Ann_2009.{kind}": "" for kind in ("sph", "stm")}
    files |= {f"test/{kind}/Ann_2011P.{kind}": "" for kind in ("sph", "stm")}
    scan, _ = items_of(tree(tmp_path, files))
    assert scan.notes[1:] == ("Ann speaks in test and train: the official splits share this person",)


def test_a_source_without_stm_is_refused_in_a_sentence(tmp_path: Path) -> None:
    source = tree(tmp_path, {"train/sph/Ann_2009.sph": "x"})
    assert not IMPORTER.recognise(source)
    with pytest.raises(SourceError, match=r"no \.stm file"):
        IMPORTER.scan(source, ImportOptions())
