"""Full and delta releases of Common Voice as one corpus: first_seen, the last word on a clip, any order."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from corpora.errors import SourceError
from corpora.importer import Ignored, ImportOptions, RawSegment, Rejection
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from corpora.sources.opening import open_source
from corpora.sources.source import Source
from demo.layouts import SpokenUtterance, common_voice, tones
from store.opening import open_store
from tests.corpora.common_voice import IMPORTER, checks, row, table

FULL, DELTA, LATER = (
    "cv-corpus-20.0-2024-12-06",
    "cv-corpus-21.0-delta-2025-03-14",
    "cv-corpus-22.0-delta-2025-06-20",
)
Rows = list[dict[str, str]]


def releases(root: Path, tables: dict[str, dict[str, Rows]]) -> Source:
    """Invented tables by release; every clip that one lists lies in its own folder."""
    for release, by_name in tables.items():
        folder = root / release / "en"
        (folder / "clips").mkdir(parents=True)
        for name, rows in by_name.items():
            (folder / f"{name}.tsv").write_text(table(rows, "v17"), encoding="utf-8")
            for one in rows:
                (folder / "clips" / one["path"]).write_text("sound")
    return open_source([root])


def taken(source: Source, **options: bool) -> tuple[Any, list[RawSegment | Rejection | Ignored]]:
    scan = IMPORTER.scan(source, ImportOptions(options=options))
    return scan, [item for unit in scan.units for item in IMPORTER.read(source, unit)]


THREE = {
    FULL: {
        "test": [row("c1.mp3", "ann", "Hello there.")],
        "train": [row("c2.mp3", "bob"), row("c3.mp3", "cy"), row("c4.mp3", "dan")],
        "validated": [row(f"c{n}.mp3", who) for n, who in ((1, "ann"), (2, "bob"), (3, "cy"), (4, "dan"))],
        "other": [row("c9.mp3", "eve", "Not yet.")],
    },
    DELTA: {
        "validated": [
            row("c5.mp3", "bob", "Good day."),
            row("c6.mp3", "ann", "Good day."),
            row("c7.mp3", "fay", "hello there."),
            row("c9.mp3", "eve", "Not yet."),
        ],
        "invalidated": [row("c2.mp3", "bob", up_votes="1", down_votes="3")],
        "other": [row("c8.mp3", "gil", "Good night.", up_votes="1")],
    },
    LATER: {
        "validated": [
            row("c8.mp3", "gil", "Good night."),
            row("c2.mp3", "bob", up_votes="4", down_votes="3"),
        ],
        "invalidated": [row("c5.mp3", "bob", "Good day.", up_votes="0", down_votes="2")],
        "other": [row("c3.mp3", "cy", up_votes="2", down_votes="2")],
    },
}


def test_deltas_add_to_train_and_their_last_word_holds(tmp_path: Path) -> None:
    scan, items = taken(releases(tmp_path, THREE))
    rows = {i.utterance_id: (i.split, i.first_seen) for i in items if isinstance(i, RawSegment)}
    first, second = FULL, DELTA.replace("-delta", "")
    assert rows == {
        "c1": ("test", first),
        "c2": ("train", first),  # refused by the first delta, accepted by the second
        "c4": ("train", first),
        "c8": ("train", second),  # undecided in the first delta, whose clip it is
        "c9": ("train", first),  # undecided in the full release
    }
    assert checks(items) == {
        "c3": "not_validated",
        "c5": "voted_down",
        "c6": "speaker_leak",
        "c7": "sentence_leak",
    }
    reasons = {i.utterance_id: i.reason for i in items if isinstance(i, Rejection)}
    assert reasons["c5"] == f"in {LATER}/en/invalidated.tsv: 0 listeners said yes, 2 no"
    assert f"{FULL} is taken whole; deltas merged into it: {second}, " in scan.notes[0]
    assert scan.facts.split_rule == "official" and scan.facts.language == "en"
    assert len({unit.key for unit in scan.units}) == len(scan.units)


def test_undecided_clips_that_a_delta_decided_are_not_refused_twice(tmp_path: Path) -> None:
    _, items = taken(releases(tmp_path, THREE), unaccepted=True)
    refused = [i.utterance_id for i in items if isinstance(i, Rejection) and i.check == "not_validated"]
    assert refused == ["c3", "c3"]  # the row of train, and that of other.tsv itself
    decided = [i for i in items if isinstance(i, Ignored) and i.reason == "validated by a later delta"]
    assert [i.source_path for i in decided] == [
        f"{FULL}/en/other.tsv",
        f"{DELTA}/en/invalidated.tsv",
        f"{DELTA}/en/other.tsv",
    ]


def test_older_releases_only_say_what_was_there_already(tmp_path: Path) -> None:
    tables = {
        "cv-corpus-9.0-2022-04-27": {"train": [row("c1.mp3"), row("gone.mp3", "zoe")], "test": []},
        "cv-corpus-10.0-delta-2022-07-04": {"validated": [row("c2.mp3", "bob")]},
        "cv-corpus-11.0-2022-09-21": {
            "train": [row("c1.mp3"), row("c2.mp3", "bob"), row("c3.mp3", "cy")],
            "validated": [],
        },
    }
    scan, items = taken(releases(tmp_path, tables))
    assert {i.utterance_id: i.first_seen for i in items if isinstance(i, RawSegment)} == {
        "c1": "cv-corpus-9.0-2022-04-27",
        "c2": "cv-corpus-10.0-2022-07-04",
        "c3": "cv-corpus-11.0-2022-09-21",
    }
    assert "read for first_seen only: cv-corpus-9.0-2022-04-27, cv-corpus-10.0-2022-07-04" in scan.notes[0]


def test_deltas_alone_are_split_by_speaker(tmp_path: Path) -> None:
    tables = {
        DELTA: {"validated": [row("c1.mp3")], "other": [row("c2.mp3", "bob")]},
        LATER: {"validated": [row("c2.mp3", "bob"), row("c3.mp3", "cy")]},
    }
    scan, items = taken(releases(tmp_path, tables))
    found = {i.utterance_id: (i.split, i.first_seen) for i in items if isinstance(i, RawSegment)}
    one, two = (name.replace("-delta", "") for name in (DELTA, LATER))
    assert found == {"c1": (None, one), "c2": (None, one), "c3": (None, two)}
    assert scan.facts.split_rule == "speaker"


def test_what_cannot_be_put_in_order_is_refused(tmp_path: Path) -> None:
    releases(tmp_path / "twice", {FULL: {"train": [row("c1.mp3")]}})
    shutil.copytree(tmp_path / "twice" / FULL, tmp_path / "twice" / "again" / FULL)
    with pytest.raises(SourceError, match="are the same release: name it once"):
        taken(open_source([tmp_path / "twice"]))
    source = releases(tmp_path / "x", {"one": {"train": [row("c1.mp3")]}, FULL: {"train": [row("c2.mp3")]}})
    with pytest.raises(SourceError, match=r"2 sets of tables .* keep their names"):
        taken(source)
    german = {FULL: {"train": [row("c1.mp3")]}, DELTA: {"validated": [row("c2.mp3", locale="de")]}}
    with pytest.raises(SourceError, match="one language at a time"):
        taken(releases(tmp_path / "y", german))


def spoken(first: int) -> list[SpokenUtterance]:
    return tones.utterances(speakers_per_split=2, each=2, first=first)


def delta_of(root: Path, release: str, utterances: list[SpokenUtterance], number: int) -> Path:
    """A release as the layout writes it, made a delta: no train, dev and test, clips numbered from elsewhere."""
    written = common_voice.write(root / f"of {release}", utterances).path
    place = root / release
    written.rename(place)
    for name in ("train", "dev", "test"):
        (place / "en" / f"{name}.tsv").unlink()
    validated = place / "en" / "validated.tsv"
    validated.write_text(validated.read_text().replace("common_voice_en_1", f"common_voice_en_{number}"))
    for clip in (place / "en" / "clips").iterdir():
        clip.rename(clip.with_name(clip.name.replace("common_voice_en_1", f"common_voice_en_{number}")))
    return place


def rows_of(store: Path) -> list[dict[str, Any]]:
    corpus = open_store(store).corpus("common_voice")
    columns = ["utterance_id", "split", "text", "audio_sha256", "first_seen", "source_path"]
    found = [row for batch in corpus.batches(columns=columns) for row in batch.to_pylist()]
    return sorted(found, key=lambda row: str(row["utterance_id"]))


def test_releases_are_published_as_one_whatever_the_order(tmp_path: Path) -> None:
    full = common_voice.write(tmp_path, spoken(0)).path
    one = delta_of(tmp_path, DELTA, spoken(12), 3)
    two = delta_of(tmp_path, LATER, spoken(24), 4)
    decided = (full / "en" / "train.tsv").read_text().splitlines()
    cells = decided[1].split("\t")
    cells[3:5] = "0", "3"
    (two / "en" / "invalidated.tsv").write_text("\n".join([decided[0], "\t".join(cells)]) + "\n")
    first = refresh(RefreshRequest("common_voice", (full, one, two), store=tmp_path / "a"))
    again = refresh(RefreshRequest("common_voice", (full, one, two), store=tmp_path / "a"))
    other = refresh(RefreshRequest("common_voice", (two, full, one), store=tmp_path / "b"))
    turned = refresh(RefreshRequest("common_voice", (two, one, full), store=tmp_path / "a"))
    assert [one["status"] for one in (first, again, turned)] == ["published", "unchanged", "unchanged"]
    assert first["version"] == other["version"]
    assert rows_of(tmp_path / "a") == rows_of(tmp_path / "b")
    assert first["rejected"] == other["rejected"] == {"voted_down": 1}
    seen = [row["first_seen"] for row in rows_of(tmp_path / "a")]
    assert {name: seen.count(name) for name in set(seen)} == {
        full.name: 11,
        DELTA.replace("-delta", ""): 12,
        LATER.replace("-delta", ""): 12,
    }
    shards = [{s["path"]: s["sha256"] for s in corpus_shards(tmp_path / name)} for name in "ab"]
    assert shards[0] == shards[1]


def corpus_shards(store: Path) -> list[dict[str, Any]]:
    return list(open_store(store).corpus("common_voice").manifest["shards"])
