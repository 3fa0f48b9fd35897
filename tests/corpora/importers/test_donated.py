"""Donated archives: each rule of donation.toml, pairing, refusals, and what happens without a licence."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpora.donations.description import parse_donation
from corpora.errors import SourceError
from corpora.importer import Ignored, ImportOptions, RawSegment, Rejection, Scan
from corpora.importers.donated import DonatedImporter
from corpora.sources.opening import open_source
from store.errors import UsageError

IMPORTER = DonatedImporter()
HEAD = 'name = "gift"\ndonor = "A Giver"\nlicence = "CC0-1.0"\n'


def run(root: Path, files: dict[str, str], donation: str) -> tuple[Scan, list[RawSegment], list[Rejection]]:
    for name, text in {**files, "donation.toml": HEAD + donation}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text.encode() if isinstance(text, str) else text)
    source = open_source([root])
    scan = IMPORTER.scan(source, ImportOptions())
    items = [item for unit in scan.units for item in IMPORTER.read(source, unit)]
    assert not [item for item in items if isinstance(item, Ignored)]
    segments = sorted((i for i in items if isinstance(i, RawSegment)), key=lambda s: s.utterance_id)
    return scan, segments, [*scan.rejections, *(i for i in items if isinstance(i, Rejection))]


def test_text_in_file_names(tmp_path: Path) -> None:
    rule = "[file_name]\npattern = '(?P<text>\\d)_(?P<speaker>[a-z]+)_\\d+\\.wav$'\n"
    rule += '[file_name.words]\n7 = "seven"\n'
    files = {
        "r/7_ann_1.wav": "x",
        "r/7_bob_1.wav": "x",
        "r/8_ann_1.wav": "x",
        "r/what.wav": "x",
        "notes.txt": "x",
    }
    scan, segments, rejections = run(tmp_path, files, rule)
    assert [(s.utterance_id, s.speaker_id, s.text_raw) for s in segments] == [
        ("7_ann_1", "ann", "seven"),
        ("7_bob_1", "bob", "seven"),
    ]
    assert {(r.source_path, r.check) for r in rejections} == {
        ("r/8_ann_1.wav", "word_unmapped"),
        ("r/what.wav", "name_unmatched"),
    }
    assert sorted(i.reason for i in scan.ignored) == ["description", "neither sound nor its text"]


def test_table_with_named_columns(tmp_path: Path) -> None:
    rule = (
        '[table]\nfile = "*meta.csv"\ndelimiter = "|"\ncolumns = ["id", "raw", "text"]\n'
        'audio = "wavs/{id}"\ntext = "text"\n'
    )
    table = 'a|1|one "quoted"\nb|2|two\nc|3|three\nbroken|line\n'
    _, segments, rejections = run(
        tmp_path, {"x/meta.csv": table, "x/wavs/a.flac": "x", "x/wavs/z.wav": "x"}, rule
    )
    assert [(s.utterance_id, s.text_raw, s.line, s.speaker_id) for s in segments] == [
        ("a", 'one "quoted"', 1, "A Giver:a")
    ]
    assert segments[0].flags == ("speaker_unknown",)
    found = sorted((r.check, r.line) for r in rejections if r.line)
    assert found == [("audio_missing", 2), ("audio_missing", 3), ("bad_line", 4)]
    assert [r.source_path for r in rejections if r.check == "transcript_missing"] == ["x/wavs/z.wav"]


def test_table_with_its_own_header_and_speakers(tmp_path: Path) -> None:
    rule = '[table]\nfile = "t.tsv"\ndelimiter = "tab"\naudio = "{path}"\ntext = "sentence"\n'
    rule += 'speaker = "who"\ngender = "sex"\n'
    table = "path\tsentence\twho\tsex\na.mp3\thello there\tann\tfemale\n"
    _, segments, rejections = run(tmp_path, {"t.tsv": table, "a.mp3": "x"}, rule)
    assert [(s.speaker_id, s.gender, s.text_raw, s.flags) for s in segments] == [
        ("ann", "f", "hello there", ())
    ]
    assert not rejections


def test_sphinx_transcription(tmp_path: Path) -> None:
    rule = (
        "[sphinx]\ntranscription = '*.transcription'\nspeaker = '(?P<speaker>(?P<gender>[fm])\\w+)/[^/]+$'\n"
    )
    text = "<s> YES </s> (one-ann)\nNO ++COUGH++ (two-bob)\nGONE (three)\nno id here\n"
    files = {"etc/t.transcription": text, "wav/fann/one-ann.wav": "x", "wav/mbob/two-bob.wav": "x"}
    _, segments, rejections = run(tmp_path, files, rule)
    assert [(s.speaker_id, s.gender, s.text_raw) for s in segments] == [
        ("fann", "f", "<s> YES </s>"),
        ("mbob", "m", "NO [COUGH]"),
    ]
    assert [(r.check, r.line) for r in rejections] == [("audio_missing", 3), ("bad_line", 4)]


SRT = """\ufeff1
00:00:01,000 --> 00:00:02,500
Hello there.

7
00:00:03.000-->00:00:02.000
Backwards

9
0:00:04,0 --> 0:00:05,25
Two
lines
10
00:00:06,000 --> 00:00:07,000
No blank between

11
00:oops --> 1
"""


def test_subtitles_beside_recordings(tmp_path: Path) -> None:
    files = {
        "a/p.srt": SRT,
        "a/p.wav": "x",
        "b/q.en.vtt": "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann>Hi\n",
        "b/q.mp3": "x",
    }
    _, segments, rejections = run(
        tmp_path, {**files, "c/alone.srt": SRT.split("7", maxsplit=1)[0]}, 'text_kind = "verbatim"\n'
    )
    assert [(s.utterance_id, s.line) for s in segments] == [
        ("p-00001000-00002500", 2),
        ("p-00004000-00005250", 10),
        ("p-00006000-00007000", 14),
        ("q-00001000-00002000", 3),
    ]
    assert segments[1].text_raw == "Two\nlines"
    assert [s.speaker_id for s in segments] == ["A Giver:p", "A Giver:p", "A Giver:p", "Ann"]
    assert sorted((r.check, r.line) for r in rejections) == [
        ("audio_missing", 2),
        ("bad_line", 18),
        ("bad_times", 6),
    ]


def test_subtitles_are_for_training_only_unless_verbatim(tmp_path: Path) -> None:
    files = {"p.srt": SRT.split("7", maxsplit=1)[0], "p.wav": "x"}
    _, segments, _ = run(tmp_path, files, 'speaker_rule = "file"\n')
    assert segments[0].style == "subtitle"
    assert segments[0].flags == ("train_only",)
    assert segments[0].speaker_id == "p"


def test_one_text_for_several_recordings_is_ambiguous(tmp_path: Path) -> None:
    files = {"p.srt": SRT.split("7", maxsplit=1)[0], "x/p.wav": "x", "y/p.wav": "x"}
    _, segments, rejections = run(tmp_path, files, "")
    assert not segments
    assert sorted(r.check for r in rejections) == [
        "audio_ambiguous",
        "transcript_missing",
        "transcript_missing",
    ]


@pytest.mark.parametrize("text", ['name = "x"\n', 'name = "x"\nlicence = "  "\n', None])
def test_without_a_licence_everything_goes_to_quarantine_with_a_draft(
    tmp_path: Path, text: str | None
) -> None:
    (tmp_path / "a.wav").write_text("x")
    (tmp_path / "a.txt").write_text("hello")
    if text is not None:
        (tmp_path / "donation.toml").write_text(text)
    scan = IMPORTER.scan(open_source([tmp_path]), ImportOptions())
    assert scan.facts.quarantine == "no licence is named"
    draft = parse_donation(scan.draft.encode(), "draft", UsageError)
    assert (draft.name, draft.donor, draft.licence) == (scan.facts.name, scan.facts.donor, "")


def test_the_file_given_by_hand_wins(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "donation.toml").write_text('name = "inside"\n')
    (tmp_path / "a" / "p.wav").write_text("x")
    (tmp_path / "a" / "p.srt").write_text(SRT)
    (tmp_path / "given.toml").write_text(HEAD)
    scan = IMPORTER.scan(open_source([tmp_path / "a"]), ImportOptions(donation=tmp_path / "given.toml"))
    assert (scan.facts.name, scan.facts.licence) == ("gift", "CC0-1.0")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nonsense = 1\n", "unknown key 'nonsense'"),
        ('split_rule = "random"\n', "split_rule"),
        ("[file_name]\npattern = '(?P<word>x)'\n", "no group"),
        ("[file_name]\npattern = '(('\n", "no regular expression"),
        ("[table]\nfile = 'x'\n", "missing"),
        ("[table]\nfile = 'x'\nwhat = 1\n", "unknown key 'what'"),
        ("= 1\n", "TOML"),
    ],
)
def test_a_wrong_donation_file_is_named_with_its_key(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_donation((HEAD + text).encode(), "donation.toml", UsageError)


@pytest.mark.parametrize("name", ["", "Big", "../x", "a" * 65, "-x"])
def test_names_are_checked(name: str) -> None:
    with pytest.raises(SourceError, match="name"):
        parse_donation(f'name = "{name}"\nlicence = "CC0-1.0"\n'.encode(), "d", SourceError)


def test_a_table_without_the_named_column_is_refused(tmp_path: Path) -> None:
    rule = '[table]\nfile = "t.csv"\naudio = "{id}"\ntext = "words"\n'
    with pytest.raises(SourceError, match="no column"):
        run(tmp_path, {"t.csv": "id,text\na,b\n", "a.wav": "x"}, rule)
