"""From votes into the mill: the snapshot, the importer `campaign`, a growing corpus, withdrawal, Common Voice and back."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from collect_visitors import Volunteer

from collect.errors import CollectError
from collect.people.campaigns import campaign_named
from collect.publishing import common_voice
from collect.publishing.snapshot import snapshot_folder, write_snapshot
from collect.sentences.common_voice import sentences_of
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh

ROOT = Path(__file__).resolve().parents[2]
Join = Callable[[], Volunteer]


def snapshot(app: Any) -> Path:
    services = app.state.services
    with services.database.reading() as session:
        return write_snapshot(session, campaign_named(session, "harbour"), services.settings.folder).folder


def published(folder: Path, store: Path) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
    said = refresh(RefreshRequest("campaign", (folder,), name="harbour", store=store))
    path = Path(said["path"])
    rows = [
        row for shard in sorted(path.glob("*/part-*.parquet")) for row in pq.read_table(shard).to_pylist()
    ]
    return said, rows, pq.read_table(path / "rejections.parquet").to_pylist()


@pytest.fixture
def judged(volunteer: Join) -> tuple[list[Volunteer], list[str]]:
    """Three voices; clips: accepted, accepted, refused as misread, waiting; each voice has one but the first two."""
    people = [volunteer() for _ in range(3)]
    clips = [people[0].speak(1), people[0].speak(2), people[1].speak(3), people[2].speak(4)]
    for listener in people[1:]:
        listener.vote(clips[0], True)
        listener.vote(clips[1], True)
    for listener in (people[0], people[2]):
        listener.vote(clips[2], False, "misread", (1,))
    return people, clips


def test_accepted_clips_become_utterances_and_refused_ones_rejections_with_reasons(
    judged: tuple[list[Volunteer], list[str]], app: Any, tmp_path: Path
) -> None:
    _people, clips = judged
    said, rows, rejections = published(snapshot(app), tmp_path / "store")
    assert (said["utterances"], said["rejected"]) == (2, {"voted_down": 1})
    assert {row["utterance_id"] for row in rows} == set(clips[:2])
    assert {row["utterance_id"]: row["speaker_id"] for row in rows}[clips[0]].startswith("v")
    assert {"votes:2-0", "consent:en-1"} <= set(rows[0]["flags"]) and rows[0]["licence"] == "CC0-1.0"
    (refused,) = rejections
    assert refused["utterance_id"] == clips[2] and refused["speaker_id"] == refused["donor_id"]
    assert "2 of 2 listeners said no (misread 2×); misread: " in refused["reason"]
    manifest = json.loads((Path(said["path"]) / "manifest.json").read_bytes())
    assert "en-1" in manifest["about"]["consents"] and manifest["ignored"]["waits for votes"] == 1


def test_the_same_campaign_gives_the_same_version_and_a_withdrawn_clip_leaves_the_next(
    judged: tuple[list[Volunteer], list[str]], app: Any, tmp_path: Path
) -> None:
    people, clips = judged
    folder, store = snapshot(app), tmp_path / "store"
    first, rows, _ = published(folder, store)
    text = next(row["text_raw"] for row in rows if row["utterance_id"] == clips[0])
    assert published(snapshot(app), store)[0]["status"] == "unchanged"
    people[0].get("/c/harbour/me")
    people[0].post(f"/c/harbour/me/withdraw/{clips[0]}")
    assert not list(folder.glob(f"sound/*/{clips[0]}.flac")), "the snapshot forgets at once"
    second, rows, rejections = published(snapshot(app), store)
    assert second["version"] != first["version"]
    assert {row["utterance_id"] for row in rows} == {clips[1]}
    (gone,) = [row for row in rejections if row["check"] == "withdrawn"]
    assert gone["text_raw"] is None and gone["utterance_id"] == clips[0]
    for file in Path(second["path"]).rglob("*"):
        assert not file.is_file() or text.encode() not in file.read_bytes()
    people[0].get("/c/harbour/me")
    page = people[0].post("/c/harbour/me/withdraw", {"sure": "yes"}).text
    assert first["version"] in page, "the answer names the versions that had it"


def test_splits_stay_as_the_campaign_grows(volunteer: Join, app: Any, tmp_path: Path) -> None:
    people = [volunteer() for _ in range(3)]
    known: dict[str, str] = {}
    for seed, speaker in enumerate(people):
        clip = speaker.speak(10 + seed)
        for listener in [one for one in people if one is not speaker][:2]:
            listener.vote(clip, True)
        _, rows, _ = published(snapshot(app), tmp_path / "store")
        assert len(rows) == seed + 1
        now = {row["speaker_id"]: row["split"] for row in rows}
        assert known.items() <= now.items()
        known = now


def test_a_campaign_goes_out_as_common_voice_and_our_importer_reads_it(
    judged: tuple[list[Volunteer], list[str]], app: Any, tmp_path: Path
) -> None:
    folder, out = snapshot(app), tmp_path / "cv"
    rows = common_voice.export(folder, out, {})
    assert rows == {"invalidated": 1, "validated": 2}
    said = refresh(RefreshRequest("common_voice", (out,), name="again", store=tmp_path / "other"))
    assert said["utterances"] == 2
    assert len(sentences_of(out)) == 2
    with pytest.raises(CollectError, match="not empty"):
        common_voice.export(folder, out, {})


def test_damaged_tables_are_refused_line_by_line(
    judged: tuple[list[Volunteer], list[str]], app: Any, tmp_path: Path
) -> None:
    _, clips = judged
    folder = snapshot(app)
    table = folder / "clips" / f"{clips[0][:2]}.jsonl"
    with table.open("a", encoding="utf-8") as stream:
        stream.write('{"clip": "../../etc/passwd", "state": "accepted"}\nno json\n[1]\n')
        stream.write(json.dumps({"clip": clips[3], "state": "stolen", "voice": "v1"}) + "\n")
    next(iter(folder.glob(f"sound/*/{clips[1]}.flac"))).unlink()
    said, rows, _ = published(folder, tmp_path / "store")
    assert said["rejected"] == {"audio_missing": 1, "bad_line": 4, "voted_down": 1}
    assert [row["utterance_id"] for row in rows] == [clips[0]]


def test_the_snapshot_writes_only_what_changed(
    judged: tuple[list[Volunteer], list[str]], app: Any, settings: Any
) -> None:
    people, clips = judged
    folder = snapshot(app)
    assert folder == snapshot_folder(settings.folder, "harbour")
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    snapshot(app)
    assert before == {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    for listener in people[:2]:
        listener.vote(clips[3], True)
    snapshot(app)
    changed = [path for path, at in before.items() if path.stat().st_mtime_ns != at]
    assert [path.name for path in changed] == [f"{clips[3][:2]}.jsonl"]


OPEN_WITH_DATASETS = """
import csv, json, sys, soundfile
from datasets import Audio, load_dataset
rows = load_dataset("csv", data_files={"train": sys.argv[1] + "/validated.tsv"}, sep="\\t", quoting=csv.QUOTE_NONE)
rows = rows["train"].map(lambda row: {"audio": sys.argv[1] + "/clips/" + row["path"]})
found = {}
for row in rows.cast_column("audio", Audio(decode=False)):
    samples, rate = soundfile.read(row["audio"]["path"])
    found[row["sentence"]] = [row["up_votes"], row["down_votes"], row["client_id"], len(samples) > rate]
print(json.dumps(found))
"""


@pytest.mark.slow
def test_datasets_opens_a_campaign_in_the_layout_of_common_voice(
    judged: tuple[list[Volunteer], list[str]], app: Any, tmp_path: Path
) -> None:
    subprocess.run([ROOT / "benchmarks/peers.sh", "datasets"], check=True, timeout=800)
    common_voice.export(snapshot(app), tmp_path / "cv", {})
    environment = {"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1", "PATH": os.environ["PATH"]}
    python = ROOT / "build/peers/datasets/bin/python"
    done = subprocess.run(
        [python, "-c", OPEN_WITH_DATASETS, tmp_path / "cv/en"],
        capture_output=True, text=True, env=environment, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = (tmp_path / "cv/en/validated.tsv").read_text("utf-8").splitlines()
    columns = rows[0].split("\t")
    wanted = [dict(zip(columns, row.split("\t"), strict=True)) for row in rows[1:]]
    assert json.loads(done.stdout.splitlines()[-1]) == {
        row["sentence"]: [int(row["up_votes"]), int(row["down_votes"]), row["client_id"], True]
        for row in wanted
    }
