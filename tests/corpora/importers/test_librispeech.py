"""LibriSpeech: root or part, every oddity of a chapter a row with its own reason."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from corpora.errors import SourceError
from corpora.importer import Ignored, ImportOptions, RawSegment, Rejection, Scan
from corpora.importers.librispeech import LibriSpeechImporter
from corpora.sources.opening import open_source
from corpora.sources.source import Source

IMPORTER = LibriSpeechImporter()
SPEAKERS = "; comment\n19   | F | dev-clean   | 8.05 | Ann\n60   | M | test-clean  | 20.18 | |CBW|Simon\n"


def tree(root: Path, files: dict[str, str | bytes]) -> Source:
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    return open_source([root])


def items_of(source: Source) -> tuple[Scan, list[RawSegment | Rejection | Ignored]]:
    scan = IMPORTER.scan(source, ImportOptions())
    return scan, [item for unit in scan.units for item in IMPORTER.read(source, unit)]


def chapter(folder: str, lines: str | bytes, audio: list[str]) -> dict[str, str | bytes]:
    _, reader, number = folder.rsplit("/", 2)
    return {f"{folder}/{reader}-{number}.trans.txt": lines} | {f"{folder}/{stem}.flac": "x" for stem in audio}


def test_two_parts_give_segments_with_official_splits(tmp_path: Path) -> None:
    files = chapter(
        "LibriSpeech/dev-clean/19/198", "19-198-0000 THE CAT\n19-198-0001 SAT", ["19-198-0000", "19-198-0001"]
    )
    files |= chapter("LibriSpeech/test-clean/60/7", "60-7-0000 DOWN\n", ["60-7-0000"])
    scan, items = items_of(
        tree(tmp_path, files | {"LibriSpeech/SPEAKERS.TXT": SPEAKERS, "LibriSpeech/x.wav": "?"})
    )
    segments = [item for item in items if isinstance(item, RawSegment)]
    assert [(s.utterance_id, s.split, s.subset, s.gender, s.text_raw) for s in segments] == [
        ("19-198-0000", "dev", "dev-clean", "f", "THE CAT"),
        ("19-198-0001", "dev", "dev-clean", "f", "SAT"),
        ("60-7-0000", "test", "test-clean", "m", "DOWN"),
    ]
    assert segments[1].line == 2
    assert segments[0].recording_id == "19-198"
    assert sorted(i.reason for i in scan.ignored) == ["corpus document", "not a file of LibriSpeech"]


def test_the_part_itself_is_a_source_and_speakers_lie_above(tmp_path: Path) -> None:
    tree(tmp_path, chapter("LibriSpeech/test-clean/60/7", "60-7-0000 DOWN", ["60-7-0000"]))
    (tmp_path / "LibriSpeech" / "SPEAKERS.TXT").write_text(SPEAKERS)
    _, items = items_of(open_source([tmp_path / "LibriSpeech" / "test-clean"]))
    assert [(s.subset, s.gender) for s in items if isinstance(s, RawSegment)] == [("test-clean", "m")]


def test_straight_from_a_tar_gz(tmp_path: Path) -> None:
    tree(tmp_path / "t", chapter("LibriSpeech/train-clean-5/60/7", "60-7-0000 DOWN", ["60-7-0000"]))
    with tarfile.open(tmp_path / "train-clean-5.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "t" / "LibriSpeech", "LibriSpeech")
    _, items = items_of(open_source([tmp_path / "train-clean-5.tar.gz"], tmp_path / "spill"))
    assert [s.split for s in items if isinstance(s, RawSegment)] == ["train"]


@pytest.mark.parametrize(
    ("lines", "audio", "expected"),
    [
        ("60-7-0000 DOWN", [], [("audio_missing", 1)]),
        ("", ["60-7-0003"], [("transcript_missing", None)]),
        ("60-7-0000 A\n60-7-0000 B", ["60-7-0000"], [("duplicate_id", 2)]),
        ("60-7-0000\n", ["60-7-0000"], [("empty_text", 1)]),
        ("61-7-0000 A", [], [("id_mismatch", 1)]),
        (
            b"60-7-0000 GOOD\n60-7-0001 CAF\xc9\n",
            ["60-7-0000", "60-7-0001"],
            [("encoding", 2), ("transcript_missing", None)],
        ),
    ],
)
def test_every_oddity_of_a_chapter_has_its_reason(
    tmp_path: Path, lines: str | bytes, audio: list[str], expected: list[tuple[str, int | None]]
) -> None:
    _, items = items_of(tree(tmp_path, chapter("test-clean/60/7", lines, audio)))
    rejections = [item for item in items if isinstance(item, Rejection)]
    assert [(r.check, r.line) for r in rejections] == expected
    assert all(r.reason and r.source_path.startswith("test-clean/60/7/") for r in rejections)


def test_a_reader_that_is_no_number_is_refused_file_by_file(tmp_path: Path) -> None:
    scan, _ = items_of(tree(tmp_path, chapter("test-clean/ann/7", "ann-7-0000 A", ["ann-7-0000"])))
    assert {r.check for r in scan.rejections} == {"bad_layout"}


def test_another_tree_is_no_librispeech(tmp_path: Path) -> None:
    source = tree(tmp_path, {"readme.txt": "hello"})
    assert not IMPORTER.recognise(source)
    with pytest.raises(SourceError, match="no LibriSpeech chapter"):
        IMPORTER.scan(source, ImportOptions())
