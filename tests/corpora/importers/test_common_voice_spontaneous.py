"""Common Voice's spontaneous speech: its splits, what waits for review, its tags, columns that nobody knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from corpora.errors import SourceError
from corpora.importer import Ignored, ImportOptions, RawSegment, Rejection, Scan
from corpora.importers import get_importer, importer_names
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from corpora.sources.opening import open_source
from demo.layouts import files, spontaneous, tones
from store.opening import open_store
from tests.corpora.common_voice import IMPORTER, checks

EARLY = [
    "client_id", "audio_id", "audio_file", "duration_ms", "prompt_id", "prompt", "transcription", "votes", "language",
    "split",
]  # fmt: skip


def told(root: Path, rows: list[dict[str, str]], columns: list[str] | None = None) -> Path:
    """A release with an invented table."""
    names = columns or [*spontaneous.COLUMNS]
    place = root / "sps-corpus-1.0-2025-09-05-de"
    (place / "audios").mkdir(parents=True)
    usual = {"client_id": "ann", "transcription": "Guten Tag.", "split": "train", "votes": "2"}
    lines = ["\t".join((usual | row).get(name, "") for name in names) for row in rows]
    (place / "ss-corpus-de.tsv").write_text("\n".join(["\t".join(names), *lines]) + "\n")
    for row in rows:
        (place / "audios" / row["audio_file"]).write_text("sound")
    return place


def read(place: Path, **options: Any) -> tuple[Scan, list[RawSegment | Rejection | Ignored]]:
    source = open_source([place])
    scan = IMPORTER.scan(source, ImportOptions(options=options))
    return scan, [item for unit in scan.units for item in IMPORTER.read(source, unit)]


@pytest.mark.parametrize("packed", [False, True])
def test_a_release_is_published_with_its_splits(packed: bool, tmp_path: Path) -> None:
    utterances = tones.utterances(speakers_per_split=2, each=2)
    place = spontaneous.write(tmp_path, utterances).path
    source = files.pack(place, tmp_path / f"{place.name}.tar.gz") if packed else place
    result = refresh(RefreshRequest("common_voice", (source,), store=tmp_path / "store"))
    assert result["published"] and not any(result["rejected"].values())
    assert result["ignored"] == {
        "nobody has transcribed it yet": 1,
        "its transcription waits to be reviewed (option unaccepted names each)": 1,
        "reported by listeners": 1,
    }
    corpus = open_store(tmp_path / "store").corpus("common_voice")
    rows = [row for batch in corpus.batches() for row in batch.to_pylist()]
    assert sorted(row["split"] for row in rows) == sorted(item.split for item in utterances)
    assert {row["first_seen"] for row in rows} == {"sps-corpus-3.0-2026-03-09"}
    assert {row["subset"] for row in rows} == {"spontaneous"} and {row["gender"] for row in rows} == {
        "f",
        "m",
    }
    assert corpus.manifest["licence"] == "CC0-1.0"


def test_only_common_voice_and_donated_know_it(tmp_path: Path) -> None:
    source = open_source([spontaneous.write(tmp_path, tones.utterances(1, 1)).path])
    assert next(name for name in importer_names() if get_importer(name).recognise(source)) == "common_voice"


def test_tags_are_flags_and_columns_that_are_unknown_are_named(tmp_path: Path) -> None:
    rows = [{"audio_file": "a.mp3", "quality_tags": "long-audio|speech-rate", "duration_ms": "301000"}]
    scan, items = read(told(tmp_path, rows, [*spontaneous.COLUMNS, "mood", "weather"]))
    segment = items[0]
    assert isinstance(segment, RawSegment)
    assert segment.flags == ("long_audio", "speech_rate") and segment.audio.stated_s == 301.0
    assert (segment.language, segment.split, segment.first_seen) == (
        "de",
        "train",
        "sps-corpus-1.0-2025-09-05",
    )
    assert scan.notes == ("ss-corpus-de.tsv: columns that are not known and are passed over: mood, weather",)


def test_columns_of_the_first_releases_are_enough_and_a_missing_one_is_named(tmp_path: Path) -> None:
    scan, items = read(told(tmp_path / "a", [{"audio_file": "a.mp3"}], EARLY))
    assert isinstance(items[0], RawSegment) and items[0].gender is None and not scan.notes
    with pytest.raises(SourceError, match=r"has no column split; it has client_id, .*another release's form"):
        read(told(tmp_path / "b", [{"audio_file": "a.mp3"}], EARLY[:-1]))


def test_what_waits_is_refused_with_its_votes_where_asked_for(tmp_path: Path) -> None:
    rows = [
        {"audio_file": "a.mp3"},
        {"audio_file": "b.mp3", "split": "unassigned", "votes": "1"},
        {"audio_file": "c.mp3", "split": "unassigned", "transcription": ""},
        {"audio_file": "d.mp3", "split": "holiday"},
        {"audio_file": "e.mp3", "votes": "Guten Tag."},
        {"audio_file": "f.mp3", "split": "test"},
    ]
    _, items = read(told(tmp_path, rows), unaccepted="yes")
    found = {i.utterance_id or i.line: i.reason for i in items if isinstance(i, Rejection)}
    assert found == {
        "b": "its transcription waits to be reviewed: 1 votes",
        "d": "split is 'holiday'; known are train, dev, test and unassigned",
        6: "votes is 'Guten Tag.', not a number: the row's cells are shifted",
        "a": "other recordings of the speaker are in test",
    }
    assert checks(items)["a"] == "speaker_leak"
    assert [i.reason for i in items if isinstance(i, Ignored)] == ["nobody has transcribed it yet"]
    assert [(i.utterance_id, i.split) for i in items if isinstance(i, RawSegment)] == [("f", "test")]


def test_two_languages_at_once_and_a_lost_clip_are_told(tmp_path: Path) -> None:
    place = told(tmp_path, [{"audio_file": "a.mp3"}, {"audio_file": "b.mp3"}])
    (place / "audios" / "a.mp3").unlink()
    assert checks(read(place)[1]) == {"a": "audio_missing"}
    (place / "ss-corpus-fr.tsv").write_text((place / "ss-corpus-de.tsv").read_text())
    with pytest.raises(SourceError, match="2 tables of spontaneous speech"):
        read(place)
