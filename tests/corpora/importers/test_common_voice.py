"""Common Voice row by row: columns by name, quotes as letters, every odd clip with its reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpora.errors import SourceError
from corpora.importer import ImportOptions, RawSegment, Rejection
from corpora.sources.opening import open_source
from tests.corpora.common_voice import COLUMNS, IMPORTER, checks, items_of, row, table, tree


@pytest.mark.parametrize("release", COLUMNS)
def test_columns_are_read_by_name_in_every_release(release: str, tmp_path: Path) -> None:
    rows = [row("c1.mp3", gender="female"), row("c2.mp3", "bob", '"Quoted", he said', gender="other")]
    _, items = items_of(tree(tmp_path, {"en/train.tsv": table(rows, release)}, ["c1.mp3", "c2.mp3"]))
    assert [(i.text_raw, i.gender, i.line) for i in items if isinstance(i, RawSegment)] == [
        ("Hello there.", "f", 2),
        ('"Quoted", he said', "x", 3),
    ]


def test_an_unbalanced_quote_or_a_huge_field_merges_no_rows(tmp_path: Path) -> None:
    rows = [
        row("c1.mp3", sentence='"She said'),
        row("c2.mp3", sentence="x" * 200_000),
        row("c3.mp3", sentence='no" '),
    ]
    clips = ["c1.mp3", "c2.mp3", "c3.mp3"]
    _, items = items_of(tree(tmp_path, {"en/train.tsv": table(rows)}, clips))
    assert [i.text_raw for i in items if isinstance(i, RawSegment)] == [r["sentence"] for r in rows]


def test_strange_line_separators_inside_a_sentence_do_not_end_a_row(tmp_path: Path) -> None:
    sentence = "one\u2028two\x0bthree\x85four"
    _, items = items_of(
        tree(tmp_path, {"en/train.tsv": table([row("c1.mp3", sentence=sentence)])}, ["c1.mp3"])
    )
    assert [i.text_raw for i in items if isinstance(i, RawSegment)] == [sentence]


def test_the_first_row_below_the_header_counts_and_speakers_are_hashed(tmp_path: Path) -> None:
    _, items = items_of(
        tree(tmp_path, {"en/train.tsv": table([row("c1.mp3", "secret-client-id")])}, ["c1.mp3"])
    )
    (segment,) = items
    assert isinstance(segment, RawSegment)
    assert segment.speaker_id.startswith("cv-")
    assert "secret" not in segment.speaker_id
    assert (segment.utterance_id, segment.split, segment.subset, segment.style) == (
        "c1",
        "train",
        "train",
        "common_voice",
    )


@pytest.mark.parametrize(
    ("folder", "locale", "language"), [("x", "de", "de"), ("fr", "", "fr"), ("clips of mine", "", "en")]
)
def test_the_language_is_what_the_rows_or_the_folder_say(
    folder: str, locale: str, language: str, tmp_path: Path
) -> None:
    files = {f"{folder}/train.tsv": table([row("c1.mp3", locale=locale)]), f"{folder}/clips/c1.mp3": "sound"}
    scan, _ = items_of(tree(tmp_path, files, []))
    assert scan.facts.language == language


def test_clips_without_suffix_and_clips_elsewhere_are_found(tmp_path: Path) -> None:
    files = {"en/train.tsv": table([row("c1"), row("c2.mp3")]), "elsewhere/c2.mp3": "sound"}
    _, items = items_of(tree(tmp_path, files, ["c1.mp3"]))
    assert [i.audio.member for i in items if isinstance(i, RawSegment)] == [
        "en/clips/c1.mp3",
        "elsewhere/c2.mp3",
    ]


@pytest.mark.parametrize(
    ("bad", "check", "words"),
    [
        (row("gone.mp3"), "audio_missing", "not in the source"),
        (row("c1.mp3", down_votes="thirties"), "shifted_columns", "'thirties'"),
        (row("../c1.mp3"), "unsafe_path", "climbs"),
        (row("/etc/c1.mp3"), "unsafe_path", "absolute"),
        (row("sub/c1.mp3"), "unsafe_path", "folder"),
        (row("c1.mp3", sentence="one\ttwo"), "shifted_columns", "11 cells under 10"),
    ],
)
def test_a_bad_row_is_refused_with_its_line(
    bad: dict[str, str], check: str, words: str, tmp_path: Path
) -> None:
    files = {"en/train.tsv": table([row("c2.mp3"), bad, row("c3.mp3")])}
    _, items = items_of(tree(tmp_path, files, ["c1.mp3", "c2.mp3", "c3.mp3"]))
    (rejection,) = [item for item in items if isinstance(item, Rejection)]
    assert (rejection.check, rejection.line, rejection.source_path) == (check, 3, "en/train.tsv")
    assert words in rejection.reason
    assert len(items) == 3


def test_missing_empty_cells_at_the_end_of_a_row_do_no_harm(tmp_path: Path) -> None:
    text = table([row("c1.mp3")]).replace("\ten\t\n", "\n")
    assert text.endswith("\tmale\t\n")
    (segment,) = items_of(tree(tmp_path, {"en/train.tsv": text}, ["c1.mp3"]))[1]
    assert isinstance(segment, RawSegment)
    assert (segment.gender, segment.language) == ("m", "en")


def test_a_clip_listed_twice_counts_once(tmp_path: Path) -> None:
    _, items = items_of(tree(tmp_path, {"en/train.tsv": table([row("c1.mp3"), row("c1.mp3")])}, ["c1.mp3"]))
    assert [type(item) for item in items] == [RawSegment, Rejection]
    assert checks(items) == {"c1": "duplicate_id"}


def test_bytes_that_are_not_utf8_cost_one_row(tmp_path: Path) -> None:
    text = table([row("c1.mp3"), row("c2.mp3", sentence="caf@"), row("c3.mp3")])
    source = tree(tmp_path, {"en/train.tsv": text}, ["c1.mp3", "c2.mp3", "c3.mp3"])
    (tmp_path / "en/train.tsv").write_bytes(text.encode().replace(b"@", b"\xe9"))
    _, items = items_of(source)
    assert [(i.check, i.line) for i in items if isinstance(i, Rejection)] == [("encoding", 3)]
    assert [i.line for i in items if isinstance(i, RawSegment)] == [2, 4]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"en/train.tsv": "path\tsentence\nc1.mp3\thi\n"}, "no column client_id"),
        ({"en/train.tsv": table([]), "de/train.tsv": table([])}, "2 sets of tables"),
        ({"cv-other-train.csv": "filename,text\n"}, "holds no train"),
    ],
)
def test_a_source_that_is_not_one_language_of_common_voice_is_refused(
    files: dict[str, str], words: str, tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match=words):
        IMPORTER.scan(tree(tmp_path, files, ["c1.mp3"]), ImportOptions())


def test_the_real_clips_are_all_read(real_data: Path) -> None:
    path = real_data / "common_voice"
    if not path.is_dir():
        pytest.skip("no real Common Voice clips here")
    scan, items = items_of(open_source([path]))
    segments = [item for item in items if isinstance(item, RawSegment)]
    rows = sum(len(file.read_text(encoding="utf-8").splitlines()) - 1 for file in path.rglob("*.tsv"))
    assert len(items) == rows == len(segments)
    assert {segment.split for segment in segments} == {"train", "dev", "test"}
    assert scan.facts.language == "en"
