"""Common Voice: columns by name, quotes as letters, leaks refused, every odd clip with its reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from corpora.errors import SourceError
from corpora.importer import Ignored, ImportOptions, RawSegment, Rejection, Scan
from corpora.importers import _common_voice_facts as facts
from corpora.importers.common_voice import SLICE_ROWS, CommonVoiceImporter
from corpora.sources.opening import open_source
from corpora.sources.source import Source

IMPORTER = CommonVoiceImporter()
COLUMNS = {
    "v4": "client_id path sentence up_votes down_votes age gender accent",
    "v6": "client_id path sentence up_votes down_votes age gender accent locale segment",
    "v13": "client_id path sentence up_votes down_votes age gender accents variant locale segment",
    "v17": "client_id path sentence_id sentence sentence_domain up_votes down_votes age gender accents "
    "variant locale segment",
    "v25": "client_id path sentence_id sentence sentence_domain up_votes down_votes age gender accents "
    "variant locale segment",
}
VALUES = {"up_votes": "2", "down_votes": "0", "locale": "en", "gender": "male"}


def table(rows: list[dict[str, str]], release: str = "v6") -> str:
    names = COLUMNS[release].split()
    lines = ["\t".join(names)]
    lines += ["\t".join((VALUES | row).get(name, "") for name in names) for row in rows]
    return "".join(f"{line}\n" for line in lines)


def row(clip: str, speaker: str = "ann", sentence: str = "Hello there.", **more: str) -> dict[str, str]:
    return {"client_id": speaker, "path": clip, "sentence": sentence, **more}


def tree(root: Path, files: dict[str, str], clips: list[str]) -> Source:
    for name, text in files.items() | {(f"en/clips/{clip}", "sound") for clip in clips}:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8", newline="")
    return open_source([root])


def items_of(source: Source, **options: bool) -> tuple[Scan, list[RawSegment | Rejection | Ignored]]:
    scan = IMPORTER.scan(source, ImportOptions(options=options))
    return scan, [item for unit in scan.units for item in IMPORTER.read(source, unit)]


def checks(items: list[RawSegment | Rejection | Ignored]) -> dict[str, str]:
    return {str(item.utterance_id): item.check for item in items if isinstance(item, Rejection)}


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


V1 = "filename,text,up_votes,down_votes,age,gender,accent,duration\n"


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


def test_what_dev_and_test_lose_is_listed_row_by_row(tmp_path: Path) -> None:
    files = {"en/test.tsv": table([row("c1.mp3"), row("gone.mp3"), row("../c2.mp3")])}
    _, items = items_of(tree(tmp_path, files, ["c1.mp3"]))
    assert [(i.source_path, i.line) for i in items if isinstance(i, Rejection)] == [
        ("en/test.tsv", 3),
        ("en/test.tsv", 4),
    ]


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
