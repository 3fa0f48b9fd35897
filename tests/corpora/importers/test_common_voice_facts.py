"""What Common Voice says of voices, sentences, lengths and releases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from corpora.importer import ImportOptions, RawSegment
from corpora.importers import _common_voice_facts as facts
from tests.corpora.common_voice import IMPORTER, items_of, row, table, tree


@pytest.mark.parametrize(
    ("cell", "gender"),
    [
        ("", None),
        ("male", "m"),
        ("female", "f"),
        ("other", "x"),
        ("male_masculine", "m"),
        ("female_feminine", "f"),
        ("transgender", "x"),
        ("non-binary", "x"),
        ("intersex", "x"),
        ("do_not_wish_to_say", None),
    ],
)
def test_genders_of_all_releases(cell: str, gender: str | None) -> None:
    assert facts.gender_of(cell) == gender


def test_ages_are_decades_and_fourties_is_one_of_them(tmp_path: Path) -> None:
    words = [
        "teens",
        "twenties",
        "thirties",
        "fourties",
        "fifties",
        "sixties",
        "seventies",
        "eighties",
        "nineties",
    ]
    assert [facts.decade_of(word) for word in words] == list(range(10, 100, 10))
    assert facts.decade_of("") is None
    rows = [row("c1.mp3", age="fourties"), row("c2.mp3", age="teens"), row("c3.mp3", age="fourties")]
    scan, _ = items_of(tree(tmp_path, {"en/train.tsv": table(rows)}, ["c1.mp3", "c2.mp3", "c3.mp3"]))
    assert "rows by stated age of the speaker: 10s 1, 40s 2" in scan.notes


def test_reported_sentences_are_flagged_by_text_or_id(tmp_path: Path) -> None:
    rows = [
        row("c1.mp3"),
        row("c2.mp3", sentence="Rude words."),
        row("c3.mp3", sentence="x", sentence_id="id9"),
    ]
    files = {
        "en/train.tsv": table(rows, "v17"),
        "en/reported.tsv": "sentence_id\tsentence\tlocale\treason\nid7\tRude words.\ten\toffensive\nid9\tz\ten\t\n",
    }
    _, items = items_of(tree(tmp_path, files, ["c1.mp3", "c2.mp3", "c3.mp3"]))
    assert [i.flags for i in items if isinstance(i, RawSegment)] == [(), ("reported",), ("reported",)]


def test_stated_durations_travel_with_their_clips(tmp_path: Path) -> None:
    files = {
        "en/train.tsv": table([row("c1.mp3"), row("c2.mp3")]),
        "en/clip_durations.tsv": "clip\tduration[ms]\nc1.mp3\t2345\nodd line here\n",
    }
    _, items = items_of(tree(tmp_path, files, ["c1.mp3", "c2.mp3"]))
    assert [i.audio.stated_s for i in items if isinstance(i, RawSegment)] == [2.345, None]


def test_row_counts_are_compared_with_the_release(tmp_path: Path) -> None:
    buckets = {"train": 1, "dev": 7, "validated": 1}
    files = {
        "en/train.tsv": table([row("c1.mp3")]),
        "en/dev.tsv": table([row("c2.mp3", "bob")]),
        "en/validated.tsv": table([row("c1.mp3")]),
        "cv-corpus-25.0.json": json.dumps({"locales": {"en": {"buckets": buckets}}}),
    }
    scan, _ = items_of(tree(tmp_path, files, ["c1.mp3", "c2.mp3"]))
    assert list(scan.notes) == [
        "dev.tsv has 1 rows: the release states 7",
        "train.tsv has 1 rows: as stated",
        "validated.tsv has 1 rows: as stated",
    ]
    source = tree(tmp_path / "cv-corpus-6.1-2020-12-11", {"en/test.tsv": table([row("c1.mp3")])}, ["c1.mp3"])
    assert "test.tsv has 1 rows: the release states 16164" in IMPORTER.scan(source, ImportOptions()).notes


def test_a_delta_release_says_what_it_is(tmp_path: Path) -> None:
    root = tmp_path / "cv-corpus-11.0-delta-2022-09-21"
    scan, items = items_of(tree(root, {"en/validated.tsv": table([row("c1.mp3")])}, ["c1.mp3"]))
    assert "a delta release: only the clips added" in scan.notes[0]
    assert [i.split for i in items if isinstance(i, RawSegment)] == [None]
