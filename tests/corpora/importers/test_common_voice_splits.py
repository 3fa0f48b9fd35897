"""Common Voice's splits: leaks are refused, what is outside them is counted, slices lose nothing."""

from __future__ import annotations

from pathlib import Path

from corpora.importer import Ignored, RawSegment, Rejection
from corpora.importers.common_voice import SLICE_ROWS
from tests.corpora.common_voice import IMPORTER, checks, items_of, row, table, tree

V1 = "filename,text,up_votes,down_votes,age,gender,accent,duration\n"


def test_clips_and_speakers_of_the_evaluation_splits_are_refused_in_training(tmp_path: Path) -> None:
    files = {
        "en/test.tsv": table([row("c1.mp3", "ann")]),
        "en/dev.tsv": table([row("c2.mp3", "bob"), row("c3.mp3", "ann")]),
        "en/train.tsv": table([row("c1.mp3", "ann"), row("c4.mp3", "bob"), row("c5.mp3", "cy")]),
    }
    _, items = items_of(tree(tmp_path, files, [f"c{number}.mp3" for number in range(1, 6)]))
    assert {i.utterance_id: i.split for i in items if isinstance(i, RawSegment)} == {
        "c1": "test",
        "c2": "dev",
        "c5": "train",
    }
    assert checks(items) == {"c3": "speaker_leak", "c1": "split_leak", "c4": "speaker_leak"}


def test_validated_rows_outside_the_splits_are_counted(tmp_path: Path) -> None:
    files = {
        "en/train.tsv": table([row("c1.mp3")]),
        "en/validated.tsv": table([row("c1.mp3"), row("c2.mp3"), row("c3.mp3")]),
        "en/other.tsv": table([row("c9.mp3")]),
    }
    scan, items = items_of(tree(tmp_path, files, ["c1.mp3", "c2.mp3", "c3.mp3"]))
    assert len(items) == 1
    assert [(ignored.reason.split(",")[0], ignored.count) for ignored in scan.ignored] == [
        ("listed again in validated.tsv", 1),
        ("validated", 2),
    ]


def test_train_all_takes_what_leaks_neither_speaker_nor_sentence(tmp_path: Path) -> None:
    files = {
        "en/test.tsv": table([row("c1.mp3", "ann", "Hello there.")]),
        "en/train.tsv": table([row("c2.mp3", "bob", "Good day.")]),
        "en/validated.tsv": table(
            [
                row("c1.mp3", "ann", "Hello there."),
                row("c2.mp3", "bob", "Good day."),
                row("c3.mp3", "bob", "Good night."),
                row("c4.mp3", "bob", "hello there."),
                row("c5.mp3", "ann", "Good night."),
            ]
        ),
    }
    clips = [f"c{number}.mp3" for number in range(1, 6)]
    _, items = items_of(tree(tmp_path, files, clips), train_all=True)
    taken = {i.utterance_id: (i.split, i.subset) for i in items if isinstance(i, RawSegment)}
    assert taken == {"c1": ("test", "test"), "c2": ("train", "train"), "c3": ("train", "validated")}
    assert checks(items) == {"c4": "sentence_leak", "c5": "speaker_leak"}
    assert [i.reason for i in items if isinstance(i, Ignored)] == ["listed again in validated.tsv"] * 2


def test_without_official_splits_validated_is_taken_and_the_splits_are_ours(tmp_path: Path) -> None:
    scan, items = items_of(tree(tmp_path, {"en/validated.tsv": table([row("c1.mp3")])}, ["c1.mp3"]))
    assert [(i.split, i.subset) for i in items if isinstance(i, RawSegment)] == [(None, "validated")]
    assert scan.facts.split_rule == "speaker"
    assert "splits are drawn" in scan.notes[0]


def test_long_tables_are_cut_into_slices_that_lose_no_row(tmp_path: Path) -> None:
    count = 2 * SLICE_ROWS + 7
    clips = [f"c{number}.mp3" for number in range(count)]
    rows = [row(clip, sentence=f"café number {clip}") for clip in clips]
    scan, items = items_of(tree(tmp_path, {"en/train.tsv": table(rows)}, clips))
    assert len(scan.units) == 3
    assert [(i.utterance_id, i.line) for i in items if isinstance(i, RawSegment)] == [
        (f"c{number}", number + 2) for number in range(count)
    ]


def test_release_1_trains_with_its_parts_as_subsets_and_says_why(tmp_path: Path) -> None:
    root = "cv_corpus_v1"
    files = {
        f"{root}/cv-valid-train.csv": V1
        + 'cv-valid-train/sample-000000.mp3,"oh, yes",1,0,twenties,male,us,\n',
        f"{root}/cv-valid-dev.csv": V1 + "cv-valid-dev/sample-000000.mp3,good day,1,0,,female,,\nshort,row\n",
        f"{root}/cv-valid-test.csv": V1 + "cv-valid-test/gone.mp3,good night,1,0,,,,\n",
        f"{root}/cv-other-dev.csv": V1,
    }
    for part in ("train", "dev"):
        files[f"{root}/cv-valid-{part}/sample-000000.mp3"] = "sound"
    source = tree(tmp_path, files, [])
    assert IMPORTER.recognise(source)
    scan, items = items_of(source)
    assert [
        (i.utterance_id, i.split, i.subset, i.gender, i.text_raw, i.flags)
        for i in items
        if isinstance(i, RawSegment)
    ] == [
        (
            "cv-valid-dev-sample-000000",
            "train",
            "cv-valid-dev",
            "f",
            "good day",
            ("leaky", "speaker_unknown"),
        ),
        ("cv-valid-train-sample-000000", "train", "cv-valid-train", "m", "oh, yes", ("speaker_unknown",)),
    ]
    assert [(i.check, i.line) for i in items if isinstance(i, Rejection)] == [
        ("shifted_columns", 3),
        ("audio_missing", 2),
    ]
    assert "flagged leaky" in scan.notes[0]


def test_what_dev_and_test_lose_is_listed_row_by_row(tmp_path: Path) -> None:
    files = {"en/test.tsv": table([row("c1.mp3"), row("gone.mp3"), row("../c2.mp3")])}
    _, items = items_of(tree(tmp_path, files, ["c1.mp3"]))
    assert [(i.source_path, i.line) for i in items if isinstance(i, Rejection)] == [
        ("en/test.tsv", 3),
        ("en/test.tsv", 4),
    ]


def test_unaccepted_clips_are_rejections_with_their_votes_where_asked_for(tmp_path: Path) -> None:
    files = {
        "en/train.tsv": table([row("a.mp3")]),
        "en/invalidated.tsv": table([row("b.mp3", up_votes="1", down_votes="3")]),
        "en/other.tsv": table([row("c.mp3", up_votes="0", down_votes="0")]) + "shifted\n",
    }
    source = tree(tmp_path, files, ["a.mp3", "b.mp3", "c.mp3"])
    assert all(not isinstance(item, Rejection) for item in items_of(source)[1])
    refused = [item for item in items_of(source, unaccepted=True)[1] if isinstance(item, Rejection)]
    assert [(item.check, item.utterance_id) for item in refused] == [
        ("voted_down", "b"), ("not_validated", "c"), ("shifted_columns", None),
    ]  # fmt: skip
    assert refused[0].reason == "in invalidated.tsv: 1 listeners said yes, 3 no"
    assert refused[0].text_raw == "Hello there."
